"""What people say who call back themselves; it is in the audit trail before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from callrouter.app.storage import open_database
from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.errors import UsageError
from callrouter.permissions import Permission
from callrouter.settings import load_settings
from callrouter.store.database import Database
from callrouter.store.outgoing.by_hand import callback_client, caller_of, note_follow_up, settle_by_hand
from callrouter.store.tables import FollowUpResult


def settle(
    call_id: Annotated[str, typer.Argument(help="The call in which it was asked for.")],
    position: Annotated[int, typer.Argument(min=1, max=32_767, help="Which wish of that call.")] = 1,
    reached: Annotated[
        bool, typer.Option("--reached/--given-up", help="Whether somebody has talked with the caller.")
    ] = True,
) -> None:
    """Say that nobody need call for a callback any more: what waits for it at the PBX is taken back."""

    async def work(database: Database, now: datetime) -> None:
        client = await callback_client(database, (call_id, position))
        if client is None:
            raise UsageError(f"there is no callback {call_id}/{position}")
        await keep(database, done_here(Permission.CALLBACK_SETTLE, f"{call_id}/{position}", client=client))
        if not await settle_by_hand(database, (call_id, position), reached=reached, at=now):
            raise UsageError(f"callback {call_id}/{position} is settled")

    _do(work)


def follow_up(
    call_id: Annotated[str, typer.Argument(help="The call in which somebody gave up.")],
    result: Annotated[FollowUpResult, typer.Argument(help="What came of calling them.")],
) -> None:
    """Say what came of calling somebody who gave up."""

    async def work(database: Database, now: datetime) -> None:
        found = await caller_of(database, call_id)
        if found is None or not found[1]:
            raise UsageError(f"there is no call {call_id} in which somebody gave up")
        await keep(database, done_here(Permission.CALLBACK_SETTLE, call_id, client=found[0]))
        await note_follow_up(database, call_id, found[0], at_command_line(), result, now)

    _do(work)


def _do(work: Callable[[Database, datetime], Awaitable[None]]) -> None:
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)

    async def done() -> None:
        async with open_database(settings, create=False) as database:
            await work(database, now)

    asyncio.run(done())
