"""A report as a spreadsheet (XLSX): numbers as numbers, shares in per cent, times in seconds, the head always in sight.

Nothing that comes from data is ever a formula: each cell is written as what it is. The second sheet says what the
figures were made with.
"""

from __future__ import annotations

import io
from datetime import UTC

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from callrouter.reports.flat import heads, table
from callrouter.reports.model import Report, Unit
from callrouter.reports.notes import notes, title
from callrouter.reports.words import Language, said

_FORMATS = {Unit.COUNT: "#,##0", Unit.SHARE: "0.0%", Unit.SECONDS: "0.0"}


def written(report: Report, language: Language) -> bytes:
    """The whole file."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    # The time in the file is the report's: the same report is the same file.
    book.set_properties(
        {"title": title(report, language), "created": report.made_at.astimezone(UTC).replace(tzinfo=None)}
    )
    bold = {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True, "valign": "vcenter"}
    head_format = book.add_format(bold)
    formats = {unit: book.add_format({"num_format": shown}) for unit, shown in _FORMATS.items()}
    totals = {unit: book.add_format({"num_format": shown, "bold": True, "top": 1}) for unit, shown in _FORMATS.items()}
    plain, strong = book.add_format(), book.add_format({"bold": True, "top": 1})

    sheet: Worksheet = book.add_worksheet(said("kept", language))
    columns, rows = heads(report, language), list(table(report, language))
    for place, head in enumerate(columns):
        sheet.write_string(0, place, head.name, head_format)
    for number, row in enumerate(rows, start=1):
        is_total = report.total is not None and number == len(rows)
        for place, (head, cell) in enumerate(zip(columns, row, strict=True)):
            if isinstance(cell, str):
                sheet.write_string(number, place, cell, strong if is_total else plain)
            elif cell is not None and head.unit is not None:
                sheet.write_number(number, place, cell, (totals if is_total else formats)[head.unit])
            elif is_total:
                sheet.write_blank(number, place, None, strong)
    sheet.set_row(0, 45)
    sheet.set_column(0, 0, max([len(str(row[0])) for row in rows], default=10) + 3)
    sheet.set_column(1, len(columns) - 1, 13)
    sheet.freeze_panes(1, 1)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)

    about: Worksheet = book.add_worksheet(said("about", language))
    about.set_column(0, 0, 120, book.add_format({"text_wrap": True}))
    for number, line in enumerate([title(report, language), *notes(report, language)]):
        about.write_string(number, 0, line, strong if number == 0 else plain)
    book.close()
    return out.getvalue()
