"""How figures, days and changes are written in each language."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from callrouter.reports.model import By, Key, Span, Unit, Value
from callrouter.reports.words import Language, change, label, period, short_label, value

EN, FR = Language.ENGLISH, Language.FRENCH
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("cell", "unit", "english", "french"),
    [
        (1234, Unit.COUNT, "1,234", "1\u202f234"),
        (0.81904, Unit.SHARE, "81.9%", "81,9 %"),
        (1.0, Unit.SHARE, "100.0%", "100,0 %"),
        (7.44, Unit.SECONDS, "7.4 s", "7,4 s"),
        (145.2, Unit.SECONDS, "2 min 25", "2 min 25"),
        (3725, Unit.SECONDS, "1 h 02", "1 h 02"),
        (None, Unit.SHARE, "–", "–"),
        (0, Unit.COUNT, "0", "0"),
    ],
)
def test_cells(cell: Value, unit: Unit, english: str, french: str) -> None:
    assert (value(cell, unit, EN), value(cell, unit, FR)) == (english, french)


@pytest.mark.parametrize(
    ("now", "before", "unit", "shown"),
    [
        (110, 100, Unit.COUNT, "+10 %"),
        (90, 100, Unit.COUNT, "−10 %"),
        (100, 100, Unit.COUNT, "±0 %"),
        (5, 0, Unit.COUNT, ""),
        (0.9, 0.8, Unit.SHARE, "+10,0 pts"),
        (7.0, 9.5, Unit.SECONDS, "−2,5 s"),
        (None, 0.8, Unit.SHARE, ""),
    ],
)
def test_changes(now: Value, before: Value, unit: Unit, shown: str) -> None:
    assert change(now, before, unit, FR) == shown


@pytest.mark.parametrize(
    ("by", "key", "english", "french", "short"),
    [
        (By.DAY, date(2026, 10, 5), "Mon 2026-10-05", "lun 05/10/2026", "5"),
        (By.MONTH, date(2026, 8, 1), "August 2026", "août 2026", "août 26"),
        (By.WEEKDAY, 1, "Monday", "lundi", "lun"),
        (By.WEEKDAY, 7, "Sunday", "dimanche", "dim"),
        (By.HOUR, 9, "09:00–10:00", "9 h – 10 h", "9 h"),
        (By.CLIENT, "cabinet-moreau", "cabinet-moreau", "cabinet-moreau", "cabinet-moreau"),
    ],
)
def test_rows(by: By, key: Key, english: str, french: str, short: str) -> None:
    assert (label(by, key, EN), label(by, key, FR), short_label(by, key, FR)) == (english, french, short)


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2026-10-01", "2026-11-01", "octobre 2026"),
        ("2026-01-01", "2027-01-01", "janvier 2026 – décembre 2026"),
        ("2026-10-25", "2026-10-26", "25/10/2026"),
        ("2026-10-19", "2026-10-26", "19/10/2026 – 25/10/2026"),
        ("2026-10-25T01:30", "2026-10-25T23:00", "25/10/2026 01:30 CEST – 25/10/2026 23:00 CET"),
    ],
)
def test_periods(start: str, end: str, shown: str) -> None:
    from_at, to_at = (datetime.fromisoformat(text).replace(tzinfo=PARIS) for text in (start, end))

    assert period(Span(zone="Europe/Paris", from_at=from_at, to_at=to_at), FR) == shown
