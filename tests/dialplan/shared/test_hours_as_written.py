"""Hours against a second reading of the same texts: minute by minute, with nothing clever in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core.schedule import DAYS
from callrouter.dialplan.documents.calendar import HoursBlock
from callrouter.dialplan.shared import hours
from callrouter.dialplan.shared.public_holidays import public_holidays

TODAY = date(2026, 11, 24)
A_DAY = timedelta(days=1)
HOLIDAYS = public_holidays("FR", "fr", 2026)
ZONES = ("Europe/Paris", "America/Martinique", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut", "UTC")

clocks = st.sampled_from(["00:00", "01:30", "02:00", "02:30", "06:00", "09:00", "12:00", "18:00", "22:00", "24:00"])
ranges = st.tuples(clocks.filter(lambda clock: clock != "24:00"), clocks).filter(lambda pair: pair[0] != pair[1])
week = st.dictionaries(st.sampled_from(["mon-fri", "sat", "sun"]), ranges.map("-".join), max_size=3)
# Of each rank some: two that decide the same day with other hours are refused.
dated = st.sampled_from(["2026-12-24", "2026-12-25", "2026-12-27", "2026-12-24..2027-01-02", "2027-03-28..2027-03-28"])
yearly = st.sampled_from(["12-24", "12-25", "03-28", "veille de Noël", "christmas", "10-31"])
seasons = st.sampled_from(["12-20..01-05", "10-15..04-15", "public holidays", "eve of public holidays", "12-24..12-24"])
exceptions = st.tuples(
    *(
        st.dictionaries(texts, st.one_of(ranges.map("-".join), st.just([])), max_size=2)
        for texts in (dated, yearly, seasons)
    )
).map(lambda found: {**found[0], **found[1], **found[2]})
closed = st.lists(st.one_of(dated, yearly, seasons), max_size=2)


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def holds(text: str, day: date) -> bool:
    """Whether a text stands for a day."""
    if text in ("christmas", "veille de Noël"):
        return (day.month, day.day) == (12, 25 if text == "christmas" else 24)
    if text.endswith("public holidays"):
        return (day + A_DAY if text.startswith("eve") else day) in HOLIDAYS
    first, _, last = text.partition("..")
    last = last or first
    if len(first) > 5:
        return first <= day.isoformat() <= last
    today = day.isoformat()[5:]
    return first <= today <= last if first <= last else today >= first or today <= last


def follows_the_week(text: str) -> bool:
    """Whether it changes only days that are open else."""
    return ".." in text or text.endswith("public holidays")


def rank(text: str) -> int:
    """Those with their year first, then single days, then the others."""
    return 0 if text[:4].isdigit() else 2 if follows_the_week(text) else 1


def begun_on(day: date, block: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """The hours of a day in minutes since its midnight; those of a night go beyond 1440."""
    of_week = [
        text
        for days, text in block["open"].items()
        if DAYS[day.weekday()] in (DAYS[:5] if days == "mon-fri" else (days,))
    ]
    opens = bool(of_week) or not block["open"]
    holiday = day in HOLIDAYS
    found = [] if holiday else of_week
    written = [*block["exceptions"].items(), *((text, []) for text in block["closed"])]
    for text, other in sorted(written, key=lambda one: rank(one[0])):
        meant = opens and (not holiday or text == "public holidays")
        if holds(text, day) and (not follows_the_week(text) or not other or meant):
            found = [other] if isinstance(other, str) else other
            break
    for text in found:
        start, stop = map(minutes, text.split("-"))
        yield start, stop if start < stop else stop + 1440


def is_open(local: datetime, block: Mapping[str, Any]) -> bool:
    """Whether hours hold a wall clock: those of its day, or of the night before."""
    minute = local.hour * 60 + local.minute
    today = any(start <= minute < stop for start, stop in begun_on(local.date(), block))
    return today or any(start <= minute + 1440 < stop for start, stop in begun_on(local.date() - A_DAY, block))


@settings(max_examples=60, deadline=None)
@given(week, exceptions, closed, st.sampled_from(ZONES))
def test_hours_are_what_they_say(
    week: dict[str, str], exceptions: dict[str, Any], closed: list[str], zone: str
) -> None:
    """Over the turn of the year, both changes of the clocks, and holidays that nights run into."""
    block = {"open": week, "holidays": ["FR"], "exceptions": exceptions, "closed": closed}
    wrong: list[hours.WrongHours] = []
    schedule = hours.schedule("open", HoursBlock.model_validate(block), zone, "fr", TODAY, country="FR", wrong=wrong)
    if any("overlaps" in one.message or "both claim" in one.message for one in wrong):
        return
    assert wrong == []

    here = ZoneInfo(zone)
    for first, count in (
        (date(2026, 12, 23), 14),
        (date(2026, 10, 24), 10),
        (date(2027, 3, 13), 17),
        (date(2027, 4, 3), 2),
    ):
        start = datetime(first.year, first.month, first.day, tzinfo=here).astimezone(UTC)
        for step in range(0, count * 1440, 30):
            instant = start + timedelta(minutes=step)
            local = instant.astimezone(here)
            assert schedule.at(instant).open == is_open(local, block), (local, schedule.at(instant))
            parts = schedule.open_parts(local.date())
            assert schedule.at(instant).open == any(part.holds(local.time()) for part in parts)
