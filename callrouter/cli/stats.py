"""`callrouter stats`: each client's service figures for a period, and what they were made with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callrouter.app.storage import open_database
from callrouter.cli.usage import argument, period_of
from callrouter.core.call import Disposition
from callrouter.errors import UsageError
from callrouter.periods import TODAY, Moment, Period
from callrouter.settings import Settings, load_settings
from callrouter.store.dispatch.delays import Delays, Spread, read_delays
from callrouter.store.figures.model import ClientStats, Figures, Stats, Waits
from callrouter.store.promises import instants_of
from callrouter.store.stats import read_stats

COLUMNS = ("Client", "Received", "Offered", "Answered", "Abandoned", "(short)", "Overflowed", "Messages")
RATES = ("Pickup", "Service level")
DELAYS = (
    *("Client", "Messages", "Passed on", "Taken on", "Not taken on"),
    *("Passed on after\np50 / p90 / longest", "Taken on after\np50 / p90 / longest"),
)
TIMES = ("Answered after\nmean / p90 / longest", "Abandoned after\nmean / p90 / longest", "AHT")


def stats(  # noqa: PLR0913, RUF100  # each is an option
    client: Annotated[str | None, typer.Option(help="Only this client.")] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Day (2026-11-24, today, yesterday) or time, in each client's zone; today by default."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or time, not included; now by default.")] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month: 2026-10.")] = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="How long it took until messages were passed on and taken on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: as /api/stats.")] = False,
) -> None:
    """Show each client's figures for a period, with the formula, threshold and limit they were made with.

    A client's days are those of its own time zone: 23 or 25 hours when clocks change.
    """
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
    period = _period(from_, to, month, now)
    if messages:
        _of_messages(settings, client, period, now, as_json=as_json)
        return
    found = asyncio.run(_read(settings, client, period, now))
    if as_json:
        from callrouter.api.schemas.stats import StatsOut

        typer.echo(StatsOut.of(found).model_dump_json(indent=2))
        return
    _show(found)


def _period(from_: str | None, to: str | None, month: str | None, now: datetime) -> Period:
    if month is not None:
        if from_ or to:
            raise typer.BadParameter("--month is a whole period: leave out --from and --to")
        return argument(Period.month, month)
    asked = period_of(from_, to)
    return asked if asked.end is not None else Period(asked.start or TODAY, Moment(now))


async def _read(settings: Settings, client: str | None, period: Period, now: datetime) -> Stats:
    async with open_database(settings, create=False) as database:
        try:
            return await read_stats(database, period, now=now, client=client)
        except ValueError as error:
            raise UsageError(f"{error}: --from must be before --to") from None


def _of_messages(settings: Settings, client: str | None, period: Period, now: datetime, *, as_json: bool) -> None:
    async def read() -> tuple[datetime, datetime, list[Delays]]:
        async with open_database(settings, create=False) as database:
            start, end = await instants_of(database, period, client, now)
            from_at, to_at = start or now, end or now
            if from_at >= to_at:
                raise UsageError("the period ends before it begins: --from must be before --to")
            return from_at, to_at, await read_delays(database, from_at=from_at, to_at=to_at, client=client)

    from_at, to_at, found = asyncio.run(read())
    if as_json:
        from callrouter.api.schemas.stats import MessageStatsOut

        typer.echo(MessageStatsOut.of(from_at, to_at, found).model_dump_json(indent=2))
        return
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(f"{from_at:%Y-%m-%d %H:%M %Z} to {to_at:%Y-%m-%d %H:%M %Z}")
    table = Table(*DELAYS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in found:
        counts = (one.messages, one.accepted.count, one.acknowledged.count, one.unacknowledged)
        table.add_row(one.client, *map(str, counts), _spread(one.accepted), _spread(one.acknowledged))
    console.print(table if found else "No messages.")


def _spread(spread: Spread) -> str:
    if spread.max_seconds is None:
        return "–"
    return f"{spread.p50_seconds:.0f} / {spread.p90_seconds:.0f} / {spread.max_seconds:.0f} s"


def _show(found: Stats) -> None:
    # Wide enough for the whole table, also where the output is a file.
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(_when(found))
    if not found.clients:
        console.print("No calls.")
    else:
        console.print(_table(found.clients))
        for basis, clients in _bases(found.clients).items():
            console.print(f"Service level by {basis} ({', '.join(clients)})")
        for one in found.clients:
            if one.called_back:
                console.print(f"Called back: {one.called_back} of {one.client}, after {_waits(one.called_back_after)}")
    for gap in found.gaps:
        until = f"{gap.until_at:%Y-%m-%d %H:%M:%S}" if gap.until_at else "now"
        console.print(f"Gap {gap.from_at:%Y-%m-%d %H:%M:%S} to {until} UTC, calls may be missing: {gap.reason}")


def _when(found: Stats) -> str:
    """The period; where the clients' days begin at different instants, as every one's own clocks show it."""
    bounds = [tuple(f"{at:%Y-%m-%d %H:%M}" for at in (one.from_at, one.to_at)) for one in found.clients]
    instants = {(one.from_at.astimezone(UTC), one.to_at.astimezone(UTC)) for one in found.clients}
    if len(instants) > 1 and len(set(bounds)) == 1:
        return "{} to {}, in each client's time zone".format(*bounds[0])
    return f"{found.from_at:%Y-%m-%d %H:%M %Z} to {found.to_at:%Y-%m-%d %H:%M %Z}"


def _table(clients: list[ClientStats]) -> Table:
    """A line a client; where several promises were made in the period, another for each, numbered."""
    table = Table(*COLUMNS, *RATES, *TIMES, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in clients:
        several = len(one.promises) > 1
        table.add_row(one.client, *_cells(one.figures, "by promise" if several else _share(one.service_level)))
        for number, part in enumerate(one.promises if several else (), start=1):
            table.add_row(f"  promise {number}", *_cells(part.figures, _share(part.service_level)))
    return table


def _cells(figures: Figures, level: str) -> list[str]:
    counts = figures.counts
    entered = (counts.offered, counts.answered, counts.abandoned, counts.short_abandoned, counts.overflowed)
    numbers = (figures.received, *entered, figures.by_disposition[Disposition.MESSAGE_LEFT])
    waits = (_waits(figures.waiting), _waits(figures.abandoned_waiting))
    return [*map(str, numbers), _share(figures.pickup_rate), level, *waits, _time(figures.aht_seconds)]


def _bases(clients: list[ClientStats]) -> dict[str, list[str]]:
    """What service levels were made with, and whose."""
    bases = dict[str, list[str]]()
    for one in clients:
        if len(one.promises) == 1:
            bases.setdefault(one.basis, []).append(one.client)
            continue
        for number, part in enumerate(one.promises, start=1):
            promised = f"; {part.promise.target:.1%} promised, {part.promise.timezone}" if part.promise else ""
            bases.setdefault(part.basis + promised, []).append(f"{one.client} promise {number}")
    return dict(sorted(bases.items()))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _waits(waits: Waits) -> str:
    if waits.max_seconds is None:
        return "–"
    return f"{waits.mean_seconds:.1f} / {waits.p90_seconds:.1f} / {waits.max_seconds:.1f} s"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"
