"""From a figure to its calls: for each row the queries of /api/calls that list exactly the calls it counts.

A row of hours or weekdays has calls of many stretches of time, and so a query for each. Instants are UTC in them: the
same calls whoever asks, wherever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from callrouter.periods import Moment
from callrouter.reports.model import By, Key, Span

FILTERS: Final = {
    By.CLIENT: "client",
    By.DID: "did",
    By.VERSION: "version",
    By.QUEUE: "queue",
    By.AGENT: "agent",
    By.NODE: "left",
}
"""Rows whose calls a filter of /api/calls finds."""

_MONTH: Final = timedelta(days=31)
_QUARTER: Final = timedelta(minutes=15)
"""Clocks differ from each other, and change, by quarters of an hour."""
_UNUSED: Final = datetime(2000, 1, 1, tzinfo=UTC)


def queries(by: By, key: Key, spans: Mapping[str | None, Span]) -> tuple[str, ...]:
    """The queries of one row, each what follows `/api/calls?`.

    Args:
        by: what the report has rows for.
        key: of the row.
        spans: the period of each client whose calls they are; of everybody under None.
    """
    if by is By.NODE and not key:
        return ()  # no filter finds those that never came to a node
    if by is By.QUEUE:
        # Found by a queue within one client and a month: no index knows more.
        spans = {name: span for name, span in spans.items() if name is not None}
    whole = {FILTERS[by]: str(key)} if by in FILTERS else {}
    return tuple(
        urlencode({**({"client": name} if name else {}), **whole, "from": _utc(start), "to": _utc(end)})
        for name, span in spans.items()
        for start, end in _stretches(by, key, span)
    )


def _stretches(by: By, key: Key, span: Span) -> Iterator[tuple[datetime, datetime]]:
    """The times of the period that belong to a row, in UTC, one after the other."""
    found = [(span.from_at, span.to_at)]
    if by.is_time:
        zone = ZoneInfo(span.zone)
        days = _days(by, key, span)
        found = [
            one for day in days for one in (_hours(day, int(str(key)), zone) if by is By.HOUR else [_day(day, zone)])
        ]
    start: datetime | None = None
    end = span.from_at
    for from_at, to_at in found:
        from_at, to_at = max(from_at, span.from_at), min(to_at, span.to_at)
        if from_at >= to_at:
            continue
        if start is not None and from_at != end:
            yield start, end
            start = None
        start, end = start or from_at, to_at
    if start is not None:
        yield from _months(start, end) if by in (By.QUEUE, By.NODE) else [(start, end)]


def _months(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """In parts of 31 days at most."""
    while end - start > _MONTH:
        yield start, start + _MONTH
        start += _MONTH
    yield start, end


def _days(by: By, key: Key, span: Span) -> Iterator[date]:
    day = span.from_at.date()
    while day <= span.to_at.date():
        match by:
            case By.DAY:
                wanted = day == key
            case By.MONTH:
                wanted = day.replace(day=1) == key
            case By.WEEKDAY:
                wanted = day.isoweekday() == key
            case _:
                wanted = True
        if wanted:
            yield day
        day += timedelta(days=1)


def _day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = (Moment(one).within(zone, _UNUSED).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return start, end


def _hours(day: date, hour: int, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """When clocks show an hour: once, and on a day on which they change perhaps twice, or never."""
    start, end = _day(day, zone)
    if end - start == timedelta(days=1) and start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        begins = start + timedelta(hours=hour)
        return [(begins, begins + timedelta(hours=1))]
    quarters = [start + number * _QUARTER for number in range((end - start) // _QUARTER)]
    return [(at, at + _QUARTER) for at in quarters if at.astimezone(zone).hour == hour]


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
