"""Periods as people write them, in the zones of those they are asked of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.periods import Moment, Period

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")
NOW = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
"""23:30 in Paris, on the day whose clocks went back; the day after on Réunion."""


def hours(period: Period, zone: ZoneInfo) -> float:
    start, end = period.within(zone, NOW)
    return (end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("written", "zone", "change"),
    [
        ("2026-03-29T02:00", "Europe/Paris", "2026-03-29T03:00:00+02:00"),
        ("2026-03-29T02:30", "Europe/Paris", "2026-03-29T03:00:00+02:00"),
        ("2026-03-29T02:59:59.5", "Europe/Paris", "2026-03-29T03:00:00+02:00"),
        ("2026-10-04T02:10", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00"),
        ("2026-09-06T00:30", "America/Santiago", "2026-09-06T01:00:00-03:00"),
        ("2011-12-30", "Pacific/Apia", "2011-12-31T00:00:00+14:00"),
    ],
)
def test_a_time_that_clocks_leave_out_is_their_change(written: str, zone: str, change: str) -> None:
    """So a period from or to such a time neither loses nor gains a call."""
    assert Moment.parse(written).within(ZoneInfo(zone), NOW) == datetime.fromisoformat(change)


@pytest.mark.parametrize(
    ("day", "zone", "length"),
    [
        ("2026-10-25", "Europe/Paris", 25),
        ("2026-03-29", "Europe/Paris", 23),
        ("2026-10-25", "Indian/Reunion", 24),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        # There the clocks go forward at midnight: that day begins at one o'clock.
        ("2026-04-26", "Africa/Cairo", 24),
        ("2026-09-06", "America/Santiago", 23),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: str, zone: str, length: float) -> None:
    """With `from` alone, with `to` alone, and with both."""
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    start, end = Moment.parse(day), Moment.parse(after)

    assert [hours(one, ZoneInfo(zone)) for one in (Period(start), Period(None, end), Period(start, end))] == [
        length
    ] * 3


def test_an_instant_alone_begins_a_day_of_the_client() -> None:
    """However it is written: the day after ends it, as the client's clocks show it."""
    start = Moment.parse("2026-10-24T22:00:00Z")
    assert (hours(Period(start), PARIS), hours(Period(start), REUNION)) == (25, 24)
    assert Period(start).within(PARIS, NOW)[1].isoformat() == "2026-10-26T00:00:00+01:00"


def test_days_from_today() -> None:
    """Today is another day elsewhere."""
    assert Moment.parse("today").within(PARIS, NOW).isoformat() == "2026-10-25T00:00:00+02:00"
    assert Moment.parse("today").within(REUNION, NOW).isoformat() == "2026-10-26T00:00:00+04:00"
    assert hours(Period(Moment.parse("yesterday"), Moment.parse("today")), PARIS) == 24


def test_a_month() -> None:
    """Its first instant, up to the next one's."""
    start, end = Period.month("2026-12").within(PARIS, NOW)
    assert (start.isoformat(), end.isoformat()) == ("2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00")
    assert hours(Period.month("2026-10"), PARIS) == 31 * 24 + 1


def test_no_moment_is_the_last_24_hours() -> None:
    assert Period().within(PARIS, NOW) == (NOW - timedelta(hours=24), NOW)


@pytest.mark.parametrize("text", ["", "24.11.2026", "2026-13-01", "tomorrow", "2026-1-1", "99", "2026-11-24T25:00"])
def test_no_time(text: str) -> None:
    """The sentence says how to write one."""
    with pytest.raises(ValueError, match="is no time: write a day"):
        Moment.parse(text)


@pytest.mark.parametrize("text", ["1999-12-31", "2101-01-01T00:00", "0001-01-01T00:00:00+14:00"])
def test_out_of_reason(text: str) -> None:
    with pytest.raises(ValueError, match="the year must be 2000 to 2100"):
        Moment.parse(text)


@pytest.mark.parametrize("text", ["2026", "2026-13", "10-2026", "2026-00"])
def test_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="is no month: write 2026-10"):
        Period.month(text)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(["Europe/Paris", "America/Santiago", "UTC"]))
def test_days_meet(day: date, zone: str) -> None:
    """The end of a day is the beginning of the next: no call is in two days or in none."""
    one, next_one = (Period(Moment(day + timedelta(days=n))).within(ZoneInfo(zone), NOW) for n in (0, 1))
    assert one[1].astimezone(UTC) == next_one[0].astimezone(UTC)
