"""What a text becomes, and what is said of one that becomes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from callrouter.dialplan.language import values


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("20s", 20.0), ("3m", 180.0), ("500ms", 0.5), ("1m30s", 90.0), ("1h", 3600.0), ("0s", 0.0), ("1.5 s", 1.5)],
)
def test_durations(written: str, seconds: float) -> None:
    """Always with a unit."""
    assert values.duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat", (5,)),
        ("sat,sun", (5, 6)),
        ("fri-mon", (4, 5, 6, 0)),
        ("daily", (*range(7),)),
    ],
)
def test_weekdays(written: str, days: tuple[int, ...]) -> None:
    """Ranges may go over the weekend."""
    assert values.weekdays(written) == days


@pytest.mark.parametrize(
    ("written", "minutes"),
    [("08:00-12:30", (480, 750)), ("8:00 - 24:00", (480, 1440)), ("22:00-06:00", (1320, 360))],
)
def test_clock_ranges(written: str, minutes: tuple[int, int]) -> None:
    """Minutes since midnight."""
    assert values.clock_range(written) == minutes


def test_days() -> None:
    """One, or from one to another."""
    assert values.days("2028-02-29") == (date(2028, 2, 29), date(2028, 2, 29))
    assert values.days("2026-12-24..2027-01-03") == (date(2026, 12, 24), date(2027, 1, 3))


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (values.duration, ["", "5", "5 minutes", "s", "-5s", "1e9s", "25h", "٥s", None, [], "5s5"]),
        (values.positive_duration, ["0s", "0ms"]),
        (values.count, ["", "-1", "1.5", "1001", "٣", "twice", {}]),
        (values.flag, ["", "maybe", "1"]),
        (values.share, ["90", "101%", "-1%", "%", "1e1%", "nan%"]),
        (values.percentage, ["101", "x", "inf"]),
        (values.day, ["24.12.2026", "2026-13-01", "2026-02-29", "20261224"]),
        (values.days, ["2026-12-24..", "2027-01-01..2026-01-01", "2026-01-01..2036-01-01"]),
        (values.weekdays, ["", "monday", "mon-", "lun", "mon-fri,", "0"]),
        (values.clock_range, ["", "08:00", "08:00-25:00", "08:00-08:00", "24:00-08:00", "08:00-24:01", "8-12"]),
        (values.name, ["", "Ünique", "1st", "a b", "a" * 49, "(fallback)", "a\n"]),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(read: Callable[[object], object], wrong: list[object]) -> None:
    """Never another exception than ValueError."""
    for value in wrong:
        with pytest.raises(ValueError, match=r"."):
            read(value)


@pytest.mark.parametrize(
    ("read", "written", "mend"),
    [
        (values.share, "0.85", '"85%"'),
        (values.share, ".85", '"85%"'),
        (values.share, "1", '"100%"'),
        (values.share, "90", '"90%"'),
        (values.duration, "20sec", '"20s"'),
        (values.duration, "2 minutes", '"2m"'),
        (values.duration, "1 min 30", '"1m30s"'),
        (values.duration, "1h30", '"1h30m"'),
        (values.duration, "1,5m", '"1.5m"'),
        (values.clock_range, "08:00-12:00 14:00-18:00", '["08:00-12:00", "14:00-18:00"]'),
        (values.clock_range, "8h-12h / 14h-18h30", '["08:00-12:00", "14:00-18:30"]'),
        (values.clock_range, "08:00 à 12:00", '"08:00-12:00"'),
        (values.clock_range, "24:00-08:00", '"00:00-08:00"'),
        (values.weekdays, "lun-ven", '"mon-fri"'),
        (values.weekdays, "Monday to Friday", '"mon-fri"'),
        (values.weekdays, "mer. et ven.", '"wed,fri"'),
        (values.weekdays, "week-end", '"sat-sun"'),
    ],
)
def test_a_mend_is_what_was_meant(read: Callable[[object], object], written: str, mend: str) -> None:
    """Whoever writes what the sentence says has what they meant."""
    with pytest.raises(ValueError, match="write") as wrong:
        read(written)

    assert str(wrong.value).endswith(mend) or f"write {mend}" in str(wrong.value) or f"list, {mend}" in str(wrong.value)
    for one in mend.strip('[]"').split('", "'):
        read(one)


@pytest.mark.parametrize(
    ("read", "written"),
    [(values.clock_range, "fermé"), (values.share, "0"), (values.share, "beaucoup"), (values.weekdays, "ouvrables")],
)
def test_where_nobody_knows_what_was_meant_no_value_is_advised(read: Callable[[object], object], written: str) -> None:
    """An example is called one."""
    with pytest.raises(ValueError, match=r"such as|as in"):
        read(written)
