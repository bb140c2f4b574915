"""`callrouter stats`: each client's service figures for a period, and what they were made with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callrouter.app.storage import open_database
from callrouter.cli.usage import Asked, argument, period_asked
from callrouter.core.call import Disposition
from callrouter.errors import UsageError
from callrouter.periods import TODAY, Moment, Period, zone_named
from callrouter.settings import Settings, load_settings
from callrouter.store.dispatch.delays import Delays, Spread, read_delays
from callrouter.store.figures.model import ClientStats, Figures, PromiseStats, Stats, Waits
from callrouter.store.promises import instants_of
from callrouter.store.stats import read_stats

COLUMNS = ("Client", "Received", "Offered", "Answered", "Abandoned", "(short)", "Overflowed", "Messages")
RATES = ("Pickup", "Service level", "Target")
DELAYS = (
    *("Client", "Messages", "Passed on", "Taken on", "Not taken on"),
    *("Passed on after\np50 / p90 / longest", "Taken on after\np50 / p90 / longest"),
)
TIMES = ("Answered after\nmean / p50 / p90 / p95 / longest", "Abandoned after\nmean / p50 / p90 / p95 / longest", "AHT")
LONG = 40
"""More clients than that are cut off, unless they are asked for."""
NAMED = 3
"""So many of those who are promised the same are named."""


def show(  # noqa: PLR0913, RUF100  # each is an option
    context: typer.Context,
    client: Annotated[str | None, typer.Option(help="Only this client.")] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Day (2026-11-24, today, yesterday) or time, in each client's zone; today by default."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or time, not included; now by default.")] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month: 2026-10.")] = None,
    yesterday: Annotated[bool, typer.Option("--yesterday", help="The day that is over.")] = False,
    last: Annotated[
        str | None, typer.Option(help="The last whole days, weeks or months, without the present one: 7d, 4w, 12mo.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="On whose clocks; else each client's own.")] = None,
    everything: Annotated[bool, typer.Option("--all", help=f"All clients, also more than {LONG}.")] = False,
    messages: Annotated[
        bool, typer.Option("--messages", help="How long it took until messages were passed on and taken on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: as /api/stats.")] = False,
) -> None:
    """Show each client's figures for a period, with the formula, threshold and limit they were made with.

    `callrouter report` has them by number, queue, day or hour, compared, and as files.

    A client's days are those of its own time zone: 23 or 25 hours when clocks change.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
    period = _period(Asked(from_, to, month, last, yesterday), now)
    if timezone:
        period = period.fixed(argument(zone_named, timezone), now)
    if messages:
        _of_messages(settings, client, period, now, as_json=as_json)
        return
    found = asyncio.run(_read(settings, client, period, now))
    if as_json:
        from callrouter.api.schemas.stats import StatsOut

        typer.echo(StatsOut.of(found).model_dump_json(indent=2))
        return
    _print(found, everything=everything)


def _period(words: Asked, now: datetime) -> Period:
    asked = period_asked(words) or Period()
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


def _print(found: Stats, *, everything: bool) -> None:
    # Wide enough for the whole table, also where the output is a file.
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    console.print(_when(found))
    if not found.clients:
        console.print("No calls.")
    else:
        shown = found.clients
        if len(shown) > LONG and not everything:
            largest = sorted(shown, key=lambda one: -one.figures.counts.offered)[:LONG]
            shown = sorted(largest, key=lambda one: one.client)
        console.print(_table(shown))
        if len(shown) < len(found.clients):
            typer.echo(f"and {len(found.clients) - len(shown)} others, with fewer calls: --all shows them")
        for basis, clients in _bases(found.clients).items():
            typer.echo(f"Service level by {basis} ({_named(clients)})")
        for one in shown:
            if one.called_back:
                typer.echo(f"Called back: {one.called_back} of {one.client}, after {_waits(one.called_back_after)}")
    for gap in found.gaps:
        until = f"{gap.until_at:%Y-%m-%d %H:%M:%S}" if gap.until_at else "now"
        typer.echo(f"Gap {gap.from_at:%Y-%m-%d %H:%M:%S} to {until} UTC, calls may be missing: {gap.reason}")


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
        table.add_row(Text(one.client), *_cells(one.figures, one.promises[0] if not several else None))
        for number, part in enumerate(one.promises if several else (), start=1):
            table.add_row(f"  promise {number}", *_cells(part.figures, part))
    return table


def _cells(figures: Figures, judged: PromiseStats | None) -> list[Text]:
    """As plain text: looked through for rich's markup, the cells of 800 clients take half a second."""
    counts = figures.counts
    entered = (counts.offered, counts.answered, counts.abandoned, counts.short_abandoned, counts.overflowed)
    numbers = (figures.received, *entered, figures.by_disposition[Disposition.MESSAGE_LEFT])
    waits = (_waits(figures.waiting), _waits(figures.abandoned_waiting))
    levels = ("by promise", "") if judged is None else _level(judged)
    cells = (*map(str, numbers), _share(figures.pickup_rate), *levels, *waits, _time(figures.aht_seconds))
    return [Text(cell) for cell in cells]


def _level(judged: PromiseStats) -> tuple[str, str]:
    """The service level, whether the target was reached, and the target."""
    level, promise = judged.service_level, judged.promise
    if level is None or promise is None:
        return _share(level), _share(promise.target if promise else None)
    return f"{level:.1%} {'✓' if level >= promise.target else '✗'}", _share(promise.target)


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


def _named(clients: list[str]) -> str:
    shown = ", ".join(clients[:NAMED])
    return shown if len(clients) <= NAMED else f"{shown} and {len(clients) - NAMED} others"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _waits(waits: Waits) -> str:
    if waits.max_seconds is None:
        return "–"
    told = (waits.mean_seconds, waits.p50_seconds, waits.p90_seconds, waits.p95_seconds, waits.max_seconds)
    return f"{' / '.join(f'{seconds:.1f}' for seconds in told)} s"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.1f} s"
