"""`callrouter explain CALL`: why a call ended where it did."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from callrouter.app.history import compile_again
from callrouter.cli.record import opened_record, plans_on_disk
from callrouter.core.call import Call
from callrouter.core.explain import explain as explanation
from callrouter.core.explain import nodes_reached
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech
from callrouter.dialplan.folder.catalogue import unknown_plan
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.store.calls import find_call
from callrouter.store.plans import StoredPlan, find_plan


def explain(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="As /api/calls and the log name it.")],
) -> None:
    """Say why a call ended where it did: every node, the exit it took, and the value that decided."""
    settings = load_settings()
    catalogue = plans_on_disk(settings)
    call, stored = asyncio.run(_find(settings, call_id))
    if call is None:
        typer.echo(f"callrouter: there is no call {safe_text(call_id)} in the record", err=True)
        raise typer.Exit(1)
    current = catalogue.plan(call.client, call.plan_version) if catalogue else None
    plan = current or _as_it_was(stored, settings)
    # What callers and files say reaches a terminal: one line each, without control characters.
    for line in (_head(call, plan), " → ".join(nodes_reached(call)), "", *explanation(call, plan)):
        typer.echo(safe_text(line))
    typer.echo(_about_lines(call, stored, plan, current=current is not None))


def _about_lines(call: Call, stored: StoredPlan | None, plan: Plan | None, *, current: bool) -> str:
    """Which version of the file the lines are those of, or why there are none."""
    version = f"version {call.plan_version} of the dialplan"
    if current:
        return f"(lines of {version}, as it is on disk)"
    if plan and stored:
        return f"(lines of {version}, in service since {stored.first_live_at:%Y-%m-%d %H:%M} UTC; on disk is another)"
    if stored:
        return f"(times in UTC, without lines: {version} is in the record, but this release cannot compile it)"
    return f"(times in UTC, without lines: {version} is neither on disk nor in the record)"


def _as_it_was(stored: StoredPlan | None, settings: Settings) -> Plan | None:
    """The plan made again of the documents that were kept when it went live."""
    if stored is None:
        return None
    sounds = PaperSpeech(settings.sounds_dirs)
    nothing = Catalogue(plans={}, unknown=unknown_plan(sounds), loaded_at=stored.first_live_at, region=settings.region)
    return compile_again(stored, sounds, nothing)


async def _find(settings: Settings, call_id: str) -> tuple[Call | None, StoredPlan | None]:
    async with opened_record(settings) as database:
        call = await find_call(database, call_id)
        return call, await find_plan(database, call.client, call.plan_version) if call else None


def _head(call: Call, plan: Plan | None) -> str:
    who = call.caller.number or call.caller.presentation.value
    name = f' "{call.caller.name}"' if call.caller.name else ""
    zone = plan.timezone if plan else "UTC"
    rang = f"{call.clocks.ringing_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"
    return f"{call.call_id}: {who}{name} called {call.did} ({call.client}) at {rang}"
