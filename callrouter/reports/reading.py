"""Reads what a report says from the record: the figures, who was promised what, and when nobody watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from callrouter.errors import UsageError
from callrouter.periods import Comparison, Period
from callrouter.reports.beside import LONGEST_OF_ALL, nothing_beside, read_beside, read_of_agents, read_of_queues
from callrouter.reports.drill import queries
from callrouter.reports.lines import NOTHING, Line, ends, only_beside, together
from callrouter.reports.making import ALL_ROWS, Measured, Order, Subject, check_order, make
from callrouter.reports.model import By, Key, Missing, Report, Span
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping
from callrouter.store.gaps import Gap, gaps_between
from callrouter.store.plans import is_client, present_names
from callrouter.store.promises import operators_zone, zones_in_service
from callrouter.store.sections.leaving import read_leaving
from callrouter.store.stats import read_figures, read_stats

_GROUPINGS: Final[Mapping[By, Sequence[Grouping]]] = {
    By.CLIENT: (Grouping.CLIENT,),
    By.DID: (Grouping.DID, Grouping.CLIENT),
    By.VERSION: (Grouping.VERSION, Grouping.CLIENT),
    By.DAY: (Grouping.DAY,),
    By.WEEKDAY: (Grouping.WEEKDAY,),
    By.HOUR: (Grouping.HOUR,),
    By.MONTH: (Grouping.MONTH,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is asked for."""

    by: By = By.CLIENT
    period: Period
    clients: Sequence[str] | None = None
    """Whose calls; None: everybody's."""
    names: Sequence[str] = ()
    """How these clients are called, where it is known."""
    zone: ZoneInfo | None = None
    """On whose clocks the period, its days and hours are; None: each client's own."""
    comparison: Comparison | None = None
    order: Order = ALL_ROWS


async def read_report(database: Database, asked: Asked, now: datetime) -> Report:
    """What is asked for.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, or there is no such column.
    """
    check_order(asked.by, asked.order)
    zones = await _zones(database)
    if asked.by is By.AGENT and asked.clients is not None:
        raise ValueError("agents work for all clients: ask for their figures without a client")
    spans = _spans(asked, zones, now)
    measured, gaps = await _measured(database, asked, spans, now)
    before = None
    if asked.comparison is not None:
        main = ZoneInfo(spans.main.zone)
        earlier = replace(asked, period=asked.period.before(asked.comparison, main, now))
        before, _ = await _measured(database, earlier, _spans(earlier, zones, now), now)
    return make(
        asked.by,
        measured,
        clients=asked.clients,
        names=asked.names,
        made_at=now,
        before=before,
        comparison=asked.comparison,
        order=asked.order,
        missing=[_missing(gap) for gap in gaps],
        calls=lambda subject: queries(asked.by, subject.key, spans.of_calls(asked.by, subject)),
    )


async def find_client(database: Database, name: str) -> str:
    """A client by its name.

    Raises:
        UsageError: there is none of that name; the sentence has those that are written almost like it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    if await is_client(database, name):
        return name
    async with database.connection() as connection:
        known = await zones_in_service(connection)
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    meant = f" (did you mean {' or '.join(near)}?)" if near else "; `callrouter status` names those that are live"
    raise UsageError(f"there is no client {name}: none of that name was ever live, and no call names it{meant}")


@dataclass(frozen=True, slots=True)
class _Spans:
    """The period on the clocks of everybody whose calls they are."""

    main: Span
    by_client: Mapping[str, Span]
    """Of the clients that are asked for; of all, where all are."""
    asked: Sequence[str] | None

    @property
    def distinct(self) -> list[Span]:
        """Each zone's once, that of most clients first."""
        found = dict.fromkeys([self.main, *self.by_client.values()] if self.asked is None else self.by_client.values())
        return sorted(found or [self.main], key=lambda span: span != self.main)

    def of_calls(self, by: By, subject: Subject) -> Mapping[str | None, Span]:
        """By client: when the calls of a row rang; none where too many clients have clocks of their own."""
        if by is By.AGENT:
            return {None: self.main}
        owner = str(subject.key) if by is By.CLIENT else subject.client
        if owner is not None:
            return {owner: self.by_client.get(owner, self.main)}
        if self.asked is not None:
            return {name: self.by_client[name] for name in self.asked}
        return {None: self.main} if len(self.distinct) == 1 else {}


async def _zones(database: Database) -> dict[str, str]:
    """By client, under its present name."""
    async with database.connection() as connection:
        present = await present_names(connection)
        zones = await zones_in_service(connection)
    return {name: zone for name, zone in zones.items() if name not in present}


def _spans(asked: Asked, zones: Mapping[str, str], now: datetime) -> _Spans:
    operators = asked.zone or operators_zone(zones)
    wanted = zones if asked.clients is None else asked.clients
    own = {name: asked.zone or ZoneInfo(zones.get(name, operators.key)) for name in wanted}
    by_zone = {zone.key: _span(asked.period, zone, now) for zone in {operators, *own.values()}}
    spans = {name: by_zone[zone.key] for name, zone in own.items()}
    main = by_zone[operators.key]
    if asked.clients is not None and spans and main not in spans.values():
        main = next(iter(spans.values()))
    return _Spans(main, spans, asked.clients)


def _span(period: Period, zone: ZoneInfo, now: datetime) -> Span:
    from_at, to_at = period.within(zone, now)
    return Span(zone=zone.key, from_at=from_at, to_at=to_at)


async def _measured(database: Database, asked: Asked, spans: _Spans, now: datetime) -> tuple[Measured, Sequence[Gap]]:
    gaps: Sequence[Gap]
    total = NOTHING
    if asked.by is By.AGENT:
        return await _of_agents(database, asked, now)
    if asked.by is By.QUEUE:
        return await _of_queues(database, asked, spans, now)
    if asked.by is By.NODE:
        left = await read_leaving(database, asked.period, now=now, clients=asked.clients, zone=asked.zone)
        found = {Subject(one.node, one.client): ends(one.by_disposition) for one in left}
        gaps = await gaps_between(database, *_edges(spans))
    elif asked.by is By.CLIENT and asked.clients is not None and len(asked.clients) == 1:
        found, gaps = await _of_one(database, asked, asked.clients[0], now)
        (total,) = found.values()
    else:
        grouped = await read_figures(
            database, asked.period, by=_GROUPINGS[asked.by], now=now, clients=asked.clients, zone=asked.zone
        )
        found = {Subject(*group.keys): Line(figures=group.figures, promises=group.promises) for group in grouped.groups}
        gaps = grouped.gaps
        if grouped.groups:
            total = Line(figures=grouped.total.figures, promises=grouped.total.promises)
    if asked.by is By.CLIENT and _is_short(asked, spans):
        told = await read_beside(database, asked.period, now=now, clients=asked.clients, zone=asked.zone)
        found = {
            subject: replace(line, beside=told.get(str(subject.key), nothing_beside()))
            for subject, line in found.items()
        }
    if asked.by.is_time:
        found = _with_empty(asked.by, found, spans.main, now, gaps)
    if asked.by is By.NODE:
        return Measured(lines=found, total=together(list(found.values())), spans=spans.distinct), gaps
    total = replace(total, beside=together(list(found.values())).beside)
    return Measured(lines=found, total=total, spans=spans.distinct), gaps


def _edges(spans: _Spans) -> tuple[datetime, datetime]:
    """When the period begins for the first client, and ends for the last."""
    return min(span.from_at for span in spans.distinct), max(span.to_at for span in spans.distinct)


def _is_short(asked: Asked, spans: _Spans) -> bool:
    """What is told beside the calls is made of rows: of everybody, it is read of some weeks only."""
    from_at, to_at = _edges(spans)
    return asked.clients is not None or to_at - from_at <= LONGEST_OF_ALL


async def _of_agents(database: Database, asked: Asked, now: datetime) -> tuple[Measured, Sequence[Gap]]:
    """By the clocks of the operator, unless a zone is named: an agent works for clients in several."""
    told, gaps, zone = await read_of_agents(database, asked.period, now=now, zone=asked.zone)
    lines = {Subject(agent): only_beside(beside) for agent, beside in told.items()}
    span = _span(asked.period, zone, now)
    return Measured(lines=lines, total=together(list(lines.values())), spans=[span]), gaps


async def _of_queues(database: Database, asked: Asked, spans: _Spans, now: datetime) -> tuple[Measured, Sequence[Gap]]:
    """Visits: those of one call to several queues are several."""
    told, whole, gaps = await read_of_queues(
        database,
        asked.period,
        by=(Grouping.QUEUE,),
        now=now,
        clients=asked.clients,
        zone=asked.zone,
    )
    lines = {Subject(*keys): only_beside(beside) for keys, beside in told.items()}
    return Measured(lines=lines, total=only_beside(whole), spans=spans.distinct), gaps


async def _of_one(
    database: Database, asked: Asked, client: str, now: datetime
) -> tuple[dict[Subject, Line], Sequence[Gap]]:
    """A row also where nobody called: what was promised is shown."""
    period = asked.period if asked.zone is None else asked.period.fixed(asked.zone, now)
    stats = await read_stats(database, period, now=now, client=client)
    lines = {Subject(one.client): Line(figures=one.figures, promises=one.promises) for one in stats.clients}
    return lines, stats.gaps


def _with_empty(
    by: By, lines: Mapping[Subject, Line], span: Span, now: datetime, gaps: Sequence[Gap]
) -> dict[Subject, Line]:
    """With the days, hours and months of the period in which nobody called, but those of which nothing is known."""
    wanted: list[Key] = [key for key in _keys(by, lines, span, now) if not _unknown(by, key, span, gaps)]
    found = {**{Subject(key): NOTHING for key in wanted}, **lines}
    return {subject: found[subject] for subject in sorted(found, key=lambda one: str(one.key).rjust(10, "0"))}


def _keys(by: By, lines: Mapping[Subject, Line], span: Span, now: datetime) -> Iterator[Key]:
    last = min(span.to_at - timedelta(microseconds=1), now).astimezone(span.to_at.tzinfo).date()
    match by:
        case By.HOUR:
            hours = [int(str(subject.key)) for subject in lines]
            yield from range(min(hours, default=0), max(hours, default=-1) + 1)
        case By.WEEKDAY:
            yield from sorted({day.isoweekday() for day in _days(span.from_at.date(), last)})
        case By.MONTH:
            yield from sorted({day.replace(day=1) for day in _days(span.from_at.date(), last)})
        case _:
            yield from _days(span.from_at.date(), last)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _unknown(by: By, key: Key, span: Span, gaps: Sequence[Gap]) -> bool:
    """Whether nobody watched on a whole day."""
    if by is not By.DAY or not isinstance(key, date):
        return False
    zone = span.from_at.tzinfo
    start, end = (datetime.combine(day, datetime.min.time(), zone) for day in (key, key + timedelta(days=1)))
    return any(gap.from_at <= start and (gap.until_at is None or gap.until_at >= end) for gap in gaps)


def _missing(gap: Gap) -> Missing:
    return Missing(from_at=gap.from_at, until_at=gap.until_at, reason=gap.reason, pbx=gap.pbx)
