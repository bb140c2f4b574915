"""What commands on messages share: the client's plan, and what is wrong with what was typed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer

from callrouter.app.storage import open_database
from callrouter.app.versions import KeptPlans
from callrouter.core.forms import Wrong
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.store.database import Database
from callrouter.store.plans import live_version

T = TypeVar("T")

Fields = Annotated[
    list[str] | None, typer.Option("--field", help="NAME=VALUE, of the form (several times).", metavar="NAME=VALUE")
]
Note = Annotated[str, typer.Option("--note", help='What is said of it: "called back".')]
MessageId = Annotated[str, typer.Argument(help="As `list` shows it.")]


def with_record(work: Callable[[Database, Settings, datetime], Awaitable[T]]) -> T:
    """Do it with PostgreSQL, and the time by the clock that calls are stamped by."""
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)

    async def done() -> T:
        async with open_database(settings, create=False) as database:
            return await work(database, settings, now)

    return asyncio.run(done())


async def found_plan(database: Database, settings: Settings, client: str) -> Plan | None:
    """The client's plan that is in service; None: it has none.

    Raises:
        StoreError: PostgreSQL does not answer.
    """
    version = None if "\x00" in client else await live_version(database, client)
    if version is None:
        return None
    return (await KeptPlans(database, PaperSpeech(), settings.region).find(client, version)).plan


async def live_plan(database: Database, settings: Settings, client: str) -> Plan:
    """The same.

    Raises:
        UsageError: it has none.
        StoreError: PostgreSQL does not answer.
    """
    plan = await found_plan(database, settings, client)
    if plan is None:
        raise UsageError(f"client {safe_text(client, 80)} is not in service")
    return plan


def fields_of(given: Iterable[str] | None) -> dict[str, str]:
    """Of `--field`.

    Raises:
        UsageError: one is not NAME=VALUE, or a name stands there twice.
    """
    found: dict[str, str] = {}
    for one in given or ():
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--field {safe_text(one, 80)}: write NAME=VALUE")
        if name.strip() in found:
            raise UsageError(f"--field {safe_text(name.strip(), 80)} stands here twice")
        found[name.strip()] = value
    return found


def refused(wrong: Iterable[Wrong]) -> UsageError:
    """All that is wrong, in one sentence each."""
    said = [f"{one.field.replace('fields.', '--field ') or 'the message'}: {one.reason}" for one in wrong]
    return UsageError(safe_text("; ".join(said)))
