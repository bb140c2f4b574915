"""Callers who want to be called back, and those who gave up, as lines or as JSON."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from callrouter.app.storage import open_database
from callrouter.cli.usage import WHEN, period_of
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.store.callbacks import CallbackPage, StoredCallback, list_callbacks
from callrouter.store.outgoing.worklist import AbandonedCaller, Worklist, list_abandoned
from callrouter.store.promises import instants_of

OfClient = Annotated[str | None, typer.Option("--client", help="Only this client's.")]
From = Annotated[str | None, typer.Option("--from", help=f"{WHEN}.")]
Until = Annotated[str | None, typer.Option("--to", help="Day or time, not included.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: as the API.")]


def list_all(
    client: OfClient = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are settled too.")] = False,
    from_: From = None,
    to: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show callers who want to be called back, the newest first, and each call that was placed for them."""
    settings, period, state = load_settings(), period_of(from_, to), None if all_ else "open"

    async def work() -> CallbackPage:
        async with open_database(settings, create=False) as database:
            start, end = await instants_of(database, period, client, _now(settings))
            return await list_callbacks(database, client=client, state=state, from_at=start, to_at=end, limit=limit)

    found = asyncio.run(work())
    if as_json:
        from callrouter.api.schemas.called_back import CallbackOut, CallbacksOut

        out = [CallbackOut.model_validate(one) for one in found.callbacks]
        typer.echo(CallbacksOut(callbacks=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.callbacks:
        for line in _callback(one):
            typer.echo(safe_text(line))
    if not found.callbacks:
        typer.echo("Nobody." if all_ else "Nobody is to be called back.")


def abandoned(
    client: OfClient = None,
    all_: Annotated[bool, typer.Option("--all", help="Those who were reached since, too.")] = False,
    from_: From = None,
    to: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show callers who gave up and were not reached since, the newest first."""
    settings, period, settled = load_settings(), period_of(from_, to), None if all_ else False

    async def work() -> Worklist:
        async with open_database(settings, create=False) as database:
            start, end = await instants_of(database, period, client, _now(settings))
            return await list_abandoned(database, client=client, settled=settled, from_at=start, to_at=end, limit=limit)

    found = asyncio.run(work())
    if as_json:
        from callrouter.api.schemas.called_back import AbandonedCallerOut, WorklistOut

        out = [AbandonedCallerOut.model_validate(one) for one in found.callers]
        typer.echo(WorklistOut(callers=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.callers:
        typer.echo(safe_text(_gave_up(one)))
    if not found.callers:
        typer.echo("Nobody.")


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


def _now(settings: Settings) -> datetime:
    """By the clock that calls are stamped by."""
    return datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
