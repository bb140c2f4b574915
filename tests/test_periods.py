"""Periods as people write them, in the zones of those they are asked of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.periods import Comparison, Moment, Period, zone_named

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


KOLKATA, LORD_HOWE = ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")


def shown(period: Period, zone: ZoneInfo = PARIS, now: datetime = NOW) -> list[str]:
    return [at.isoformat() for at in period.within(zone, now)]


@pytest.mark.parametrize(
    ("written", "zone", "start", "end"),
    [
        # The 25th is today in Paris, and has 25 hours; it is no part of what is over.
        ("7d", "Europe/Paris", "2026-10-18T00:00:00+02:00", "2026-10-25T00:00:00+02:00"),
        ("7d", "Asia/Kolkata", "2026-10-19T00:00:00+05:30", "2026-10-26T00:00:00+05:30"),
        ("1w", "Europe/Paris", "2026-10-12T00:00:00+02:00", "2026-10-19T00:00:00+02:00"),
        # It is Monday there already: the week that ended is another one.
        ("1w", "Asia/Kolkata", "2026-10-19T00:00:00+05:30", "2026-10-26T00:00:00+05:30"),
        ("1mo", "Europe/Paris", "2026-09-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00"),
        ("12mo", "Europe/Paris", "2025-10-01T00:00:00+02:00", "2026-10-01T00:00:00+02:00"),
    ],
)
def test_the_last_whole_days_weeks_and_months(written: str, zone: str, start: str, end: str) -> None:
    assert shown(Period.last(written), ZoneInfo(zone)) == [start, end]


def test_the_last_months_across_changes_of_the_clocks() -> None:
    """Six months to November: they begin in summer time and end in winter time, at midnight each."""
    november = datetime(2026, 11, 15, tzinfo=UTC)

    assert shown(Period.last("6mo"), PARIS, november) == ["2026-05-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"]
    assert hours(Period.month("2026-10"), PARIS) == 31 * 24 + 1
    assert hours(Period.month("2026-03"), PARIS) == 31 * 24 - 1
    assert hours(Period.month("2026-10"), LORD_HOWE) == 31 * 24 - 0.5
    assert hours(Period.month("2026-10"), KOLKATA) == 31 * 24


@pytest.mark.parametrize("written", ["", "7", "d", "0d", "-7d", "7 d", "7D", "1.5mo", "4y", "٧d", "121mo", "9999d"])
def test_what_is_no_last(written: str) -> None:
    with pytest.raises(ValueError, match=r"write 7d|ask for less"):
        Period.last(written)


def test_of_the_words_of_a_command() -> None:
    assert Period.asked() is None
    assert Period.asked(month="2026-10") == Period.month("2026-10")
    assert Period.asked(yesterday=True) == Period(Moment.parse("yesterday"), Moment.parse("today"))
    assert Period.asked(last="7d") == Period.last("7d")
    assert Period.asked(to="today") == Period(None, Moment.parse("today"))


def test_two_words_that_each_say_the_period() -> None:
    with pytest.raises(ValueError, match="`month` and `last` each say the period"):
        Period.asked(month="2026-10", last="7d")
    with pytest.raises(ValueError, match="`yesterday` and `to` each say the period"):
        Period.asked(yesterday=True, to="today")


@pytest.mark.parametrize(
    ("period", "comparison", "start", "end"),
    [
        (Period.month("2026-03"), "before", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        (Period.month("2026-01"), "before", "2025-12-01T00:00:00+01:00", "2026-01-01T00:00:00+01:00"),
        # 31 days: five weeks earlier nothing of it is counted twice.
        (Period.month("2026-10"), "weekdays", "2026-08-27T00:00:00+02:00", "2026-09-27T00:00:00+02:00"),
        (Period.last("3mo"), "before", "2026-04-01T00:00:00+02:00", "2026-07-01T00:00:00+02:00"),
        (Period.last("7d"), "before", "2026-10-11T00:00:00+02:00", "2026-10-18T00:00:00+02:00"),
        (Period.last("2w"), "before", "2026-09-21T00:00:00+02:00", "2026-10-05T00:00:00+02:00"),
        (Period.yesterday(), "before", "2026-10-23T00:00:00+02:00", "2026-10-24T00:00:00+02:00"),
        (Period.yesterday(), "weekdays", "2026-10-17T00:00:00+02:00", "2026-10-18T00:00:00+02:00"),
        # The day of 25 hours is one day.
        (Period(Moment.parse("today")), "before", "2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00"),
        # Today until now: yesterday until that time, an hour before it on the day the clocks went back.
        (
            Period(Moment.parse("today"), Moment(NOW)),
            "before",
            "2026-10-24T00:00:00+02:00",
            "2026-10-24T23:30:00+02:00",
        ),
        (Period(), "before", "2026-10-23T23:30:00+02:00", "2026-10-24T23:30:00+02:00"),
    ],
)
def test_what_a_period_is_compared_with(period: Period, comparison: str, start: str, end: str) -> None:
    assert shown(period.before(Comparison(comparison), PARIS, NOW)) == [start, end]


def test_what_is_compared_is_on_each_clients_clocks() -> None:
    before = Period.month("2026-10").before(Comparison.BEFORE, PARIS, NOW)

    assert shown(before, KOLKATA) == ["2026-09-01T00:00:00+05:30", "2026-10-01T00:00:00+05:30"]


def test_a_period_on_the_clocks_of_one_zone() -> None:
    """Whatever clocks it is asked on afterwards."""
    period = Period.month("2026-10").fixed(KOLKATA, NOW)

    assert shown(period) == ["2026-09-30T20:30:00+02:00", "2026-10-31T19:30:00+01:00"]


def test_zones_by_name() -> None:
    assert zone_named("Asia/Kolkata") == KOLKATA
    for name in ("Europe/Pariss", "../etc/passwd", "", "CEST+2"):
        with pytest.raises(ValueError, match="write an IANA name"):
            zone_named(name)
