"""Foreign texts made harmless, numbers and instants as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callrouter.delivery.rendering import people
from callrouter.delivery.rendering.words import words_in


@pytest.mark.parametrize(
    ("foreign", "lines", "one_line"),
    [
        (" a \r\n b\rc ", "a \n b\nc", "a b c"),
        ("a\x00\x1b[31m\x7f\x9b", "a[31m", "a[31m"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a\nb\nc\nd\ne\nf", "a b c d e f"),
        ("invoice\u202efdp.exe\u202c \u2066x\u2069", "invoicefdp.exe x", "invoicefdp.exe x"),
        ("\ud800 \ufeff", "\ufffd", "\ufffd"),
        ("مرحبا \u200f!", "مرحبا \u200f!", "مرحبا \u200f!"),
        ("👩\u200d👧", "👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_a_foreign_text(foreign: str, lines: str, one_line: str) -> None:
    assert people.on_lines(foreign) == lines
    assert people.on_one_line(foreign) == one_line


@pytest.mark.parametrize(
    ("e164", "timezone", "written"),
    [
        ("+33612340001", "Europe/Paris", "06 12 34 00 01"),
        ("+33612340001", "Europe/Brussels", "+33 6 12 34 00 01"),
        ("+33612340001", "UTC", "+33 6 12 34 00 01"),
        ("+442079460018", "Europe/London", "020 7946 0018"),
        ("+262692123456", "Indian/Reunion", "0692 12 34 56"),
        ("3639", "Europe/Paris", "3639"),
        ("", "Europe/Paris", ""),
        ("agent\r\n1", "Europe/Paris", "agent 1"),
    ],
)
def test_a_number(e164: str, timezone: str, written: str) -> None:
    assert people.number(e164, timezone) == written


def test_times_are_the_clients() -> None:
    at = datetime(2026, 7, 31, 22, 30, 59, 999999, tzinfo=UTC)

    assert people.clock(at, "Europe/Paris") == "00:30"
    assert people.day_and_clock(at, "Europe/Paris") == "01/08 00:30"
    assert people.instant(at, "Europe/Paris", words_in("fr")) == "samedi 1 août 2026, 00:30"
    assert people.instant(at, "America/Cayenne", words_in("en")) == "Friday 31 July 2026, 19:30"
    assert [people.duration(one) for one in (0, 5.4, 59.6, 3725, -1)] == ["0:00", "0:05", "1:00", "62:05", "0:00"]
