"""`callrouter staffing`: how many agents a line needs, half hour by half hour."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from callrouter.app.storage import open_database
from callrouter.cli.progress import Say, working
from callrouter.cli.staffing.table import show
from callrouter.cli.usage import argument, period_of
from callrouter.core.service_level import Formula
from callrouter.errors import UsageError
from callrouter.periods import Moment, Period, zone_named
from callrouter.settings import Settings, load_settings
from callrouter.staffing.line import Plan, plan_of
from callrouter.staffing.model import Target
from callrouter.staffing.simulation import Rules, Strategy
from callrouter.store.agents.line import read_line
from callrouter.store.database import Database
from callrouter.store.promises import operators_zone, promise_in_service, zones_in_service

DAYS = 28
"""Looked at unless a period is given."""


class Weekday(StrEnum):
    """As people write them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Of which line, and by which days."""

    queue: str | None
    client: str | None
    period: Period | None
    weekday: Weekday | None
    zone: ZoneInfo | None
    one_day: bool
    """The day on which the period begins, and no other."""


def staffing(  # noqa: PLR0913, RUF100  # each is an option
    queue: Annotated[str | None, typer.Option(help="The team's line.")] = None,
    client: Annotated[
        str | None, typer.Option(help="One client's callers, as if they had agents of their own.")
    ] = None,
    day: Annotated[str | None, typer.Option(help="By this day alone (2026-11-24, yesterday).")] = None,
    weekday: Annotated[Weekday | None, typer.Option(help="By these days of the period.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day; by default four weeks ago.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day, not included; by default today.")] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month: 2026-10.")] = None,
    within: Annotated[
        float | None, typer.Option(min=0, help="Seconds; by default what the client is promised, or 20.")
    ] = None,
    target: Annotated[
        float | None, typer.Option(min=1, max=99.9, help="Percent; by default what is promised, or 80.")
    ] = None,
    strategy: Annotated[Strategy, typer.Option(help="Of the team (shared/queues.yaml).")] = Strategy.RRMEMORY,
    ring: Annotated[float, typer.Option(min=1, help="For how many seconds the team rings an agent.")] = 15.0,
    max_wait: Annotated[float | None, typer.Option(min=1, help="Seconds; by default as measured.")] = None,
    times: Annotated[int, typer.Option(min=2, max=1000, help="How often each number of agents is played.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the plays: the same one plays the same.")] = 1,
    timezone: Annotated[str | None, typer.Option(help="Whose half hours they are (Europe/Paris).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how many agents a line needs for what is promised: by Erlang C, by Erlang A, and by playing it.

    From the calls, the patience and the handle times of the days that it is asked by; half hours are those of the
    client, or of the zone that most clients have.
    """
    if queue is None and client is None:
        raise typer.BadParameter("name the team's line by --queue, or a client by --client")
    if day is not None and (weekday or from_ or to or month):
        raise typer.BadParameter("--day is all that is looked at: leave out --weekday, --from, --to and --month")
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
    asked = Asked(
        queue=queue,
        client=client,
        period=_period(day, from_, to, month),
        weekday=weekday,
        zone=argument(zone_named, timezone) if timezone else None,
        one_day=day is not None,
    )
    rules = Rules(strategy=strategy, ring_seconds=ring, max_wait_seconds=max_wait)
    with working() as say:
        promised, plan, days = asyncio.run(_read(settings, asked, now, rules, (within, target), (times, seed), say))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"target": promised, "days": days, "plan": plan})).decode())
    else:
        show(plan, promised, days)


def _period(day: str | None, from_: str | None, to: str | None, month: str | None) -> Period | None:
    if month is not None:
        if from_ or to:
            raise typer.BadParameter("--month is a whole period: leave out --from and --to")
        return argument(Period.month, month)
    return period_of(day or from_, to) if day or from_ or to else None


async def _read(
    settings: Settings,
    asked: Asked,
    now: datetime,
    rules: Rules,
    wanted: tuple[float | None, float | None],
    plays: tuple[int, int],
    say: Say,
) -> tuple[Target, Plan, Sequence[date]]:
    async with open_database(settings, create=False) as database:
        zone, promised = await _promised(database, asked, wanted)
        days = _days(asked, zone, now)
        say(f"reading {len(days)} days")
        line = await read_line(database, days, zone, now=now, queue=asked.queue, client=asked.client)
    times, seed = plays
    return promised, plan_of(line, promised, rules, times=times, seed=seed, say=say), days


async def _promised(
    database: Database, asked: Asked, wanted: tuple[float | None, float | None]
) -> tuple[ZoneInfo, Target]:
    async with database.connection() as connection:
        zones = await zones_in_service(connection)
        promise = await promise_in_service(connection, asked.client) if asked.client else None
    own = ZoneInfo(zones[asked.client]) if asked.client in zones else operators_zone(zones)
    within, percent = wanted
    known = Target(
        within_seconds=promise.within_seconds if promise else 20.0,
        share=promise.target if promise else 0.8,
        short_abandon_seconds=promise.short_abandon_seconds if promise else 5.0,
        formula=promise.formula if promise else Formula.SHORT_ABANDON_EXCLUDED,
    )
    target = msgspec.structs.replace(
        known,
        within_seconds=known.within_seconds if within is None else within,
        share=known.share if percent is None else percent / 100,
    )
    return asked.zone or own, target


def _days(asked: Asked, zone: ZoneInfo, now: datetime) -> list[date]:
    """Whole days that are over.

    Raises:
        UsageError: there is none.
    """
    today = now.astimezone(zone).date()
    first, end = today - timedelta(days=DAYS), today
    if asked.period is not None:
        start, stop = asked.period.start, asked.period.end
        if start is None:  # up to a day: as many before it as usual
            start = stop.days_later(-DAYS, zone) if stop else Moment(first)
        first, end = start.within(zone, now).date(), today
        if stop is not None:
            end = stop.within(zone, now).date()
        elif asked.one_day:
            end = first + timedelta(days=1)
    found = [first + timedelta(days=number) for number in range((min(end, today) - first).days)]
    if asked.weekday is not None:
        found = [one for one in found if one.weekday() == list(Weekday).index(asked.weekday)]
    if not found:
        raise UsageError("no whole day that is over is in the period: what a line needs is read from days that are")
    return found
