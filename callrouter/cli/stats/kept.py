"""`callrouter stats rebuild` and `verify`: what is kept of days is made again, or compared with the calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from callrouter.app.storage import open_database
from callrouter.cli.audit import done_here, keep
from callrouter.cli.progress import Say, working
from callrouter.cli.usage import period_of
from callrouter.errors import UsageError
from callrouter.periods import YEARS
from callrouter.settings import load_settings
from callrouter.store.database import Database
from callrouter.store.plans import is_client, names_of
from callrouter.store.promises import instants_of

if TYPE_CHECKING:
    from callrouter.store.figures.verifying import Looked

SHOWN: Final = 20
"""Differences that are named, of each kind."""

T = TypeVar("T")
OfClient = Annotated[str | None, typer.Option(help="Only this client, under all its names.")]
From = Annotated[str | None, typer.Option("--from", help="Day (2026-11-24, yesterday); from the first call on.")]
To = Annotated[str | None, typer.Option("--to", help="Day, not included; up to now by default.")]

_FIRST: Final = datetime(YEARS[0], 1, 2, tzinfo=UTC)


def rebuild(client: OfClient = None, from_: From = None, to: To = None) -> None:
    """Make what is kept of days again, from the calls. The worker does it by itself with days that changed.

    Reports are right meanwhile: of days that wait they read the calls.
    """

    async def work(database: Database, start: datetime, end: datetime, names: list[str] | None) -> int:
        with working() as say:
            days = await (_some(database, start, end, names, say) if from_ or to else _all(database, names, say))
        await keep(database, done_here("stats.rebuild", f"{days} days of clients", client=client))
        return days

    typer.echo(f"{_with_period(client, from_, to, work)} days of clients are made again")


async def _all(database: Database, names: list[str] | None, say: Say) -> int:
    from callrouter.store.figures.rebuilding import known_clients, rebuild_clients

    return await rebuild_clients(database, names or await known_clients(database), said=say)


async def _some(database: Database, start: datetime, end: datetime, names: list[str] | None, say: Say) -> int:
    from callrouter.store.figures.rebuilding import mark_days, read_backlog, rebuild_some

    await mark_days(database, start, end, names)
    marks, days = (await read_backlog(database)).marks, 0
    while not (done := await rebuild_some(database)).did_nothing:
        days += done.days
        left = (await read_backlog(database)).marks
        say(f"{days} days are made, {left} of {max(marks, left)} quarters of an hour are left")
    return days


def verify(client: OfClient = None, from_: From = None, to: To = None) -> None:
    """Compare calls with their traces, and what is kept of days with the calls; fail where something differs."""

    from callrouter.store.figures.verifying import compare_days, compare_traces  # reads traces: `stats` need not

    async def work(database: Database, start: datetime, end: datetime, names: list[str] | None) -> list[str]:
        wrong = await _look("calls", compare_traces(database, start, end, names))
        return wrong + await _look("days of clients", compare_days(database, start, end, names))

    wrong = _with_period(client, from_, to, work)
    if wrong:
        typer.echo("days that differ are made again by: callrouter stats rebuild", err=True)
        raise typer.Exit(1)


async def _look(what: str, found: AsyncIterator[Looked]) -> list[str]:
    looked, wrong = 0, list[str]()
    with working() as say:
        async for some in found:
            looked += some.many
            wrong += some.wrong
            say(f"{looked} {what} are compared, {len(wrong)} differ")
    for one in wrong[:SHOWN]:
        typer.echo(one)
    if len(wrong) > SHOWN:
        typer.echo(f"and {len(wrong) - SHOWN} others")
    typer.echo(f"{looked} {what} compared, {len(wrong)} differ")
    return wrong


Work = Callable[[Database, datetime, datetime, list[str] | None], Awaitable[T]]


def _with_period(client: str | None, from_: str | None, to: str | None, work: Work[T]) -> T:
    """Do something with a period: its instants, and the names of the client."""
    settings = load_settings()
    period = period_of(from_, to)

    async def run() -> T:
        async with open_database(settings, create=False) as database:
            now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
            if client is not None and not await is_client(database, client):
                raise UsageError(f"{client} is no client, and never was: callrouter stats names them")
            start, end = await instants_of(database, period, client, now) if from_ or to else (None, None)
            names = None
            if client is not None:
                async with database.connection() as connection:
                    names = list(await names_of(connection, client))
            return await work(database, (start if from_ else None) or _FIRST, (end if to else None) or now, names)

    return asyncio.run(run())
