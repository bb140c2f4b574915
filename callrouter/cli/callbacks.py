"""`callrouter callbacks`: who is to be called back, who gave up, and what came of calling them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from callrouter.app.storage import open_database
from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.usage import Command, Group
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.periods import Moment
from callrouter.permissions import Permission
from callrouter.settings import Settings, load_settings
from callrouter.store.callbacks import CallbackPage, StoredCallback, list_callbacks
from callrouter.store.database import Database
from callrouter.store.outgoing.by_hand import callback_client, caller_of, note_follow_up, settle_by_hand
from callrouter.store.outgoing.worklist import AbandonedCaller, Worklist, list_abandoned
from callrouter.store.tables import FollowUpResult

T = TypeVar("T")

callbacks = typer.Typer(
    cls=Group,
    help="Show who is to be called back and who gave up, and say what came of calling them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

OfClient = Annotated[str | None, typer.Option("--client", help="Only this client's.")]
From = Annotated[str | None, typer.Option("--from", help="Day (2026-11-24, today) or time, UTC.")]
Until = Annotated[str | None, typer.Option("--to", help="Day or time, not included.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: as the API.")]


@callbacks.command("list", cls=Command)
def list_all(
    client: OfClient = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are settled too.")] = False,
    from_: From = None,
    to: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show callers who want to be called back, the newest first, and each call that was placed for them."""
    start, end, state = _instant(from_), _instant(to), None if all_ else "open"

    async def work(database: Database) -> CallbackPage:
        return await list_callbacks(database, client=client, state=state, from_at=start, to_at=end, limit=limit)

    found = asyncio.run(_asked(load_settings(), work))
    if as_json:
        from callrouter.api.schemas import CallbackOut, CallbacksOut

        out = [CallbackOut.model_validate(one) for one in found.callbacks]
        typer.echo(CallbacksOut(callbacks=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.callbacks:
        for line in _callback(one):
            typer.echo(safe_text(line))
    if not found.callbacks:
        typer.echo("Nobody." if all_ else "Nobody is to be called back.")


@callbacks.command(cls=Command)
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


@callbacks.command(cls=Command)
def abandoned(
    client: OfClient = None,
    all_: Annotated[bool, typer.Option("--all", help="Those who were reached since, too.")] = False,
    from_: From = None,
    to: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show callers who gave up and were not reached since, the newest first."""
    start, end, settled = _instant(from_), _instant(to), None if all_ else False

    async def work(database: Database) -> Worklist:
        return await list_abandoned(database, client=client, settled=settled, from_at=start, to_at=end, limit=limit)

    found = asyncio.run(_asked(load_settings(), work))
    if as_json:
        from callrouter.api.schemas import AbandonedCallerOut, WorklistOut

        out = [AbandonedCallerOut.model_validate(one) for one in found.callers]
        typer.echo(WorklistOut(callers=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.callers:
        typer.echo(safe_text(_gave_up(one)))
    if not found.callers:
        typer.echo("Nobody.")


@callbacks.command("follow-up", cls=Command)
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


def _callback(one: StoredCallback) -> list[str]:
    settled = f": {one.settled_by or one.state} {one.settled_at:%Y-%m-%d %H:%M}" if one.settled_at else f": {one.state}"
    lines = [f"{one.asked_at:%Y-%m-%d %H:%M:%S}Z  {one.client}  {one.number}  {one.call_id}/{one.position}{settled}"]
    for call in one.calls:
        by = f" by {call.agent}" if call.agent else ""
        lines.append(f"    {call.placed_at:%Y-%m-%d %H:%M:%S}Z  queue {call.queue}: {call.outcome or 'under way'}{by}")
    return lines


def _gave_up(one: AbandonedCaller) -> str:
    waited = f"waited {one.waiting_seconds:.0f} s" + (f" in {one.queue}" if one.queue else "")
    tries = f", called {len(one.follow_ups)} times" if one.follow_ups else ""
    settled = f": {one.settled_by}" + (f" by {one.reached_by}" if one.reached_by else "") if one.settled_by else ""
    who = one.number or "no number"
    return f"{one.ringing_at:%Y-%m-%d %H:%M:%S}Z  {one.client}  {who}  {one.call_id}  {waited}{tries}{settled}"


def _do(work: Callable[[Database, datetime], Awaitable[None]]) -> None:
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)

    async def done(database: Database) -> None:
        await work(database, now)

    asyncio.run(_asked(settings, done))


async def _asked(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async with open_database(settings, create=False) as database:
        return await work(database)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return Moment.parse(text).within(ZoneInfo("UTC"), datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
