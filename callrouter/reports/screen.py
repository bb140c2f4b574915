"""A report on a terminal: the figures that people ask for first, short for eight hundred clients."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from callrouter.logs import safe_text
from callrouter.reports.columns import SHORT, broad
from callrouter.reports.flat import verdict, with_clients
from callrouter.reports.model import By, Report, Row
from callrouter.reports.notes import notes, title
from callrouter.reports.words import OF, Language, change, label, said, term, value

_SIGN = {True: "✓", False: "✗", None: ""}
LONG = 40
"""More rows than that are cut off on a screen, unless they are asked for."""


def shown(report: Report, language: Language) -> Iterator[Text | Table]:
    """The title, the table, and what the figures were made with."""
    yield Text(title(report, language), style="bold")
    yield _table(report, language) if report.rows else Text(said("no_calls", language))
    for note in notes(report, language):
        yield Text(note)


def _table(report: Report, language: Language) -> Table:
    places = broad(report.columns, SHORT)
    names = [term(report.columns[place].name, language).short for place in places]
    heads = [OF[language][report.by], *([OF[language][By.CLIENT]] if with_clients(report) else []), *names]
    if len(report.bases) > 1:
        heads.append(said("promised", language))
    if report.comparison is not None:
        heads += [f"Δ {term(name, language).short}" for name in _COMPARED if report.place(name) is not None]
    table = Table(*heads, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in report.rows:
        name = "" if row.key is None else safe_text(label(report.by, row.key, language), 60)
        table.add_row(*_cells(report, row, name, places, language))
        for part in row.parts:
            name = f"  {said('promise', language, n=part.basis)}"
            table.add_row(*_cells(report, part, name, places, language))
    if report.others is not None:
        name = said("others", language, n=report.others.folded)
        table.add_row(*_cells(report, report.others, name, places, language), style="dim")
    if report.total is not None and len(report.rows) > 1:
        table.add_section()
        table.add_row(*_cells(report, report.total, said("total", language), places, language), style="bold")
    return table


_COMPARED = ("received", "offered", "pickup_rate", "service_level")


def _cells(report: Report, row: Row, name: str, places: list[int], language: Language) -> list[Text]:
    cells = [Text(name)]
    if with_clients(report):
        cells.append(Text(safe_text(row.client or "", 60)))
    for place in places:
        column = report.columns[place]
        cell = Text(value(row.cells[place], column.unit, language))
        if column.name == "service_level" and verdict(row, language):
            cell.append(f" {_SIGN[row.reached]}", style="green" if row.reached else "red")
        cells.append(cell)
    if len(report.bases) > 1:
        cells.append(Text("" if row.basis is None else str(row.basis)))
    if report.comparison is not None:
        for column_name in _COMPARED:
            compared = report.place(column_name)
            if compared is not None:
                was = None if row.before is None else row.before[compared]
                cells.append(Text(change(row.cells[compared], was, report.columns[compared].unit, language)))
    return cells
