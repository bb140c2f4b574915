"""`callrouter explain CALL`: why a call ended where it did."""

from __future__ import annotations

import asyncio
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from callrouter.app.storage import open_database
from callrouter.app.versions import KeptPlan, KeptPlans
from callrouter.core.call import Call
from callrouter.core.explain import explain as explanation
from callrouter.core.explain import nodes_reached
from callrouter.dialplan import PaperSpeech
from callrouter.logs import safe_text
from callrouter.questions.delivered import of_call
from callrouter.settings import Settings, load_settings
from callrouter.store.calls import find_call, superseded_records


def explain(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="As /api/calls and the log name it.")],
) -> None:
    """Say why a call ended where it did: every node, the exit it took, and the value that decided."""
    call, kept, others = asyncio.run(_find(load_settings(), call_id))
    if call is None or kept is None:
        typer.echo(f"callrouter: there is no call {safe_text(call_id)} in the record", err=True)
        raise typer.Exit(1)
    # What callers and files say reaches a terminal: one line each, without control characters.
    story = explanation(call, kept.plan, kept.timezone)
    planned = of_call(kept.plan, call) if kept.plan is not None else ()
    for line in (_head(call, kept.timezone), " → ".join(nodes_reached(call)), "", *story, *planned):
        typer.echo(safe_text(line))
    if others:
        kept_too = "1 other record of this call is" if others == 1 else f"{others} other records of this call are"
        typer.echo(f"({kept_too} kept, by whoever knew less or was corrected: /api/calls/{call.call_id}/superseded)")
    typer.echo(_about_lines(call, kept))


def _about_lines(call: Call, kept: KeptPlan) -> str:
    """Which version of the file the lines are those of, or why there are none."""
    version = f"version {call.plan_version} of the dialplan"
    if kept.stored is None:
        return f"(times in {kept.timezone}, without lines: {version} is not in the record)"
    if kept.plan is None:
        return f"(without lines: {version} is in the record, but this release cannot compile it)"
    return f"(lines of {version}, in service since {kept.stored.first_live_at:%Y-%m-%d %H:%M} UTC)"


async def _find(settings: Settings, call_id: str) -> tuple[Call | None, KeptPlan | None, int]:
    """The call, the plan it walked, and how many other records of it are kept."""
    async with open_database(settings, create=False) as database:
        call = await find_call(database, call_id)
        if call is None:
            return None, None, 0
        plans = KeptPlans(database, PaperSpeech(), settings.region)
        others = await superseded_records(database, call_id)
        return call, await plans.find(call.client, call.plan_version), others


def _head(call: Call, zone: str) -> str:
    who = call.caller.number or call.caller.presentation.value
    name = f' "{call.caller.name}"' if call.caller.name else ""
    rang = f"{call.clocks.ringing_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} ({zone})"
    return f"{call.call_id}: {who}{name} called {call.did} ({call.client}) at {rang}"
