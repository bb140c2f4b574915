"""XLSX as another library reads it: numbers are numbers, and nothing is a formula."""

from __future__ import annotations

import io

import openpyxl

from callrouter.reports.making import Subject
from callrouter.reports.model import By
from callrouter.reports.spreadsheet import written
from callrouter.reports.words import Language

from .made import by_day, line, report


def test_numbers_are_numbers_in_their_formats() -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(by_day(), Language.FRENCH)))
    sheet = book["Chiffres"]
    head = [cell.value for cell in sheet[1]]
    first = dict(zip(head, sheet[2], strict=True))

    assert (sheet.freeze_panes, sheet.max_row) == ("B2", 1 + 31 + 1)
    assert first["Jour"].value == "jeu 01/10/2026"
    assert (first["Appels décrochés"].value, first["Appels décrochés (avant)"].value) == (60, 50)
    assert first["Taux de décroché"].number_format == "0.0%"
    assert first["Taux de décroché"].value == 60 / 62
    assert (first["Attente, 95 %"].value, first["Attente, 95 %"].number_format) == (41.25, "0.0")
    assert first["Rappelés"].value == 0
    about = [row[0] for row in book["À propos"].iter_rows(values_only=True)]
    assert about[0] == "Appels par jour · Cabinet du Dr Moreau · octobre 2026 (Europe/Paris)"
    assert any("÷ (présentés − abandons courts) (short_abandon_excluded)" in str(line) for line in about)


def test_data_are_no_formulas_and_no_links() -> None:
    names = ["=1+1", "{=SUM(A1)}", "http://evil.example", "+33140000001", "007"]
    found = report(By.QUEUE, {Subject(name): line(1) for name in names})
    sheet = openpyxl.load_workbook(io.BytesIO(written(found, Language.ENGLISH))).worksheets[0]

    cells = [sheet.cell(number, 1) for number in range(2, 2 + len(names))]
    assert [cell.value for cell in cells] == names
    assert {(cell.data_type, cell.hyperlink) for cell in cells} == {("s", None)}


def test_the_same_report_is_the_same_file() -> None:
    assert written(by_day(), Language.ENGLISH) == written(by_day(), Language.ENGLISH)
