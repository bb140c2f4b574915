"""CSV: what any program reads, and no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io

import pytest

from callrouter.reports.comma_separated import harmless, written
from callrouter.reports.making import Subject
from callrouter.reports.model import By
from callrouter.reports.words import Language

from .made import by_day, line, of_everybody, report


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+33 1 40 00 00 01", "'+33 1 40 00 00 01"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1+1", "'＝1+1"),
        # Numbers, in whatever form: nothing happens when they are computed.
        ("-12.5", "-12.5"),
        ("-12,5", "-12,5"),
        ("+33140000001", "+33140000001"),
        ("cabinet-moreau", "cabinet-moreau"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_every_row_is_as_long_as_the_head() -> None:
    for found in (by_day(), of_everybody(), report(By.DID, {Subject("+33140000001", "a"): line(1)})):
        text = written(found, Language.FRENCH)
        head, *rows = csv.reader(io.StringIO(text, newline=""))
        assert {len(row) for row in rows} == {len(head)}
        assert text.endswith("\r\n")
        assert "\n" not in text.replace("\r\n", "")


def test_numbers_are_whole_and_what_is_not_known_is_empty() -> None:
    found = report(By.CLIENT, {Subject('a, "b"'): line(3, within=2, abandoned=1)}, {Subject('a, "b"'): line(0)})
    head, row, _ = csv.reader(io.StringIO(written(found, Language.ENGLISH), newline=""))
    said = dict(zip(head, row, strict=True))

    assert said["Client"] == 'a, "b"'
    assert (said["Answered"], said["Answered (before)"]) == ("3", "0")
    assert (said["Pickup rate"], said["Pickup rate (before)"]) == ("0.75", "")
    assert (said["Wait, 95 %"], said["Called back"]) == ("41.25", "0")
    assert (said["Target"], said["Target reached"]) == ("0.8", "missed")


def test_names_of_clients_are_no_formulas() -> None:
    text = written(report(By.QUEUE, {Subject("=cmd|'/C calc'!A0"): line(1)}), Language.ENGLISH)

    assert "\r\n'=cmd|'/C calc'!A0," in text
