"""Opening hours on ordinary days, on days the clocks change, on holidays and on days of their own."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.schedule import DatedException, Schedule, TimeRange
from callrouter.errors import CoreError

PARIS = ZoneInfo("Europe/Paris")
NIGHT = TimeRange(start=time(1), end=time(4))
LATE = TimeRange(start=time(20), end=None)
ALL_DAY = TimeRange(start=time(0), end=None)


def _every_day(*ranges: TimeRange, zone: str = "Europe/Paris") -> Schedule:
    return Schedule(name="open", timezone=zone, week=(ranges,) * 7)


def _open_minutes(schedule: Schedule, day: date) -> int:
    """Minutes of real time open on a day of the client's zone."""
    start = datetime.combine(day, time(0), PARIS).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(0), PARIS).astimezone(UTC)
    minutes = int((end - start).total_seconds() // 60)
    return sum(schedule.at(start + timedelta(minutes=minute)).open for minute in range(minutes))


@pytest.mark.parametrize(
    ("day", "night_minutes", "day_minutes"),
    [
        (date(2026, 3, 29), 2 * 60, 23 * 60),  # 02:00 is 03:00: the hour between does not exist
        (date(2026, 10, 25), 4 * 60, 25 * 60),  # 02:00 to 03:00 comes twice
        (date(2027, 3, 28), 2 * 60, 23 * 60),
        (date(2027, 10, 31), 4 * 60, 25 * 60),
        (date(2026, 3, 28), 3 * 60, 24 * 60),
        (date(2028, 2, 29), 3 * 60, 24 * 60),
    ],
)
def test_days_the_clocks_change(day: date, night_minutes: int, day_minutes: int) -> None:
    """The wall clock decides: open from 01:00 to 04:00 is two, three or four hours long."""
    assert _open_minutes(_every_day(NIGHT), day) == night_minutes
    assert _open_minutes(_every_day(ALL_DAY), day) == day_minutes


@pytest.mark.parametrize("instant", ["2026-03-29T00:59", "2026-10-25T00:30", "2026-10-25T01:30"])
def test_because_shows_the_wall_clock(instant: str) -> None:
    """Just before the gap, and twice in the repeated hour."""
    found = _every_day(NIGHT).at(datetime.fromisoformat(instant).replace(tzinfo=UTC))

    assert found.open
    assert found.because == ("Sun 01:59" if "03-29" in instant else "Sun 02:30")


def test_the_end_of_a_range_does_not_belong_to_it() -> None:
    """To the microsecond."""
    schedule = _every_day(TimeRange(start=time(8), end=time(12, 30)))
    noon = datetime(2026, 1, 6, 11, 30, tzinfo=UTC)

    assert not schedule.at(noon).open
    assert schedule.at(noon - timedelta(microseconds=1)).open
    assert schedule.at(datetime(2026, 1, 6, 7, 0, tzinfo=UTC)).open
    assert not schedule.at(datetime(2026, 1, 6, 7, 0, tzinfo=UTC) - timedelta(microseconds=1)).open


def test_open_until_midnight() -> None:
    """The last microsecond of the day belongs to it, the first of the next does not."""
    midnight = datetime(2026, 1, 7, 0, 0, tzinfo=PARIS)

    assert _every_day(LATE).at(midnight - timedelta(microseconds=1)).open
    assert not _every_day(LATE).at(midnight).open


@pytest.mark.parametrize("end", [time(6), time(22)])
def test_a_range_over_midnight_is_refused(end: time) -> None:
    """It is two ranges of two days: 22:00 to midnight, and midnight to 06:00 on the day after."""
    with pytest.raises(CoreError, match="hold no minute"):
        TimeRange(start=time(22), end=end)


def test_the_zone_is_the_clients() -> None:
    """Ten in Paris is nine in London."""
    nine = TimeRange(start=time(9), end=time(10))
    instant = datetime(2026, 7, 7, 8, 30, tzinfo=UTC)

    assert _every_day(nine, zone="Europe/London").at(instant).open
    assert not _every_day(nine).at(instant).open


WEEK = Schedule(
    name="open",
    timezone="Europe/Paris",
    week=(*((TimeRange(start=time(8), end=time(18)),),) * 5, (), ()),
    holidays={date(2026, 5, 1): "Fête du Travail", date(2026, 12, 25): "Noël"},
    exceptions=(
        DatedException(
            first=date(2026, 12, 24), last=date(2026, 12, 24), ranges=(TimeRange(start=time(8), end=time(12)),)
        ),
        DatedException(first=date(2026, 12, 24), last=date(2027, 1, 3)),
        DatedException(first=date(2026, 5, 2), last=date(2026, 5, 2), ranges=(TimeRange(start=time(9), end=time(12)),)),
    ),
)


@pytest.mark.parametrize(
    ("local", "opened", "holiday", "because"),
    [
        ("2026-01-05T10:00", True, False, "Mon 10:00"),
        ("2026-01-10T10:00", False, False, "Sat 10:00"),
        ("2026-05-01T10:00", False, True, "Fri 10:00, Fête du Travail"),
        ("2026-05-02T10:00", True, False, "Sat 10:00, exception 2026-05-02"),
        ("2026-12-24T10:00", True, False, "Thu 10:00, exception 2026-12-24"),
        ("2026-12-24T14:00", False, False, "Thu 14:00, exception 2026-12-24"),
        ("2026-12-25T10:00", False, False, "Fri 10:00, exception 2026-12-24..2027-01-03"),
        ("2027-01-03T10:00", False, False, "Sun 10:00, exception 2026-12-24..2027-01-03"),
        ("2027-01-04T10:00", True, False, "Mon 10:00"),
    ],
)
def test_week_holidays_and_exceptions(local: str, opened: bool, holiday: bool, because: str) -> None:
    """Exceptions are asked first and the first decides, then holidays, then the week."""
    found = WEEK.at(datetime.fromisoformat(local).replace(tzinfo=PARIS))

    assert (found.open, found.holiday, found.because) == (opened, holiday, because)


@given(st.integers(0, 790 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)))
def test_any_instant_has_an_answer(instant: datetime) -> None:
    """The same in whatever zone the instant is written."""
    assert WEEK.at(instant) == WEEK.at(instant.astimezone(ZoneInfo("Pacific/Auckland")))


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-11-24T21:30:17", "2026-11-24T23:30:17"),  # `latest`, two hours on
        ("2026-11-24T22:30:00", "2026-11-25T00:00:00"),
        ("2026-11-24T03:59:59", "2026-11-24T04:00:00"),
        ("2026-11-24T12:00:30", "2026-11-24T12:00:30"),  # closed
        ("2026-03-29T01:30:00", "2026-03-29T04:00:00"),  # an hour and a half of real time
    ],
)
def test_until_when_it_stays_open(local: str, until: str) -> None:
    """On the wall clock, and no longer than one likes to know."""
    hours = _every_day(NIGHT, LATE)
    begin, end = (datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC) for text in (local, until))

    assert hours.open_until(begin, begin + timedelta(hours=2)) == end
