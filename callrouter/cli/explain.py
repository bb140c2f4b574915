"""`callrouter explain CALL`: why a call ended where it did."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from callrouter.cli.record import opened_record, plans_on_disk
from callrouter.core.call import Call
from callrouter.core.explain import explain as explanation
from callrouter.core.explain import nodes_reached
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.store.calls import find_call


def explain(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="As /api/calls and the log name it.")],
) -> None:
    """Say why a call ended where it did: every node, the exit it took, and the value that decided."""
    settings = load_settings()
    call = asyncio.run(_find(settings, call_id))
    if call is None:
        typer.echo(f"callrouter: there is no call {safe_text(call_id)} in the record", err=True)
        raise typer.Exit(1)
    catalogue = plans_on_disk(settings)
    plan = catalogue.plan(call.client, call.plan_version) if catalogue else None
    # What callers and files say reaches a terminal: one line each, without control characters.
    for line in (_head(call), " → ".join(nodes_reached(call)), "", *explanation(call, plan)):
        typer.echo(safe_text(line))
    if plan is None:
        typer.echo(f"(times in UTC, without lines: version {call.plan_version} of the dialplan is not on disk)")


async def _find(settings: Settings, call_id: str) -> Call | None:
    async with opened_record(settings) as database:
        return await find_call(database, call_id)


def _head(call: Call) -> str:
    who = call.caller.number or call.caller.presentation.value
    name = f' "{call.caller.name}"' if call.caller.name else ""
    rang = f"{call.clocks.ringing_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{call.call_id}: {who}{name} called {call.did} ({call.client}) at {rang}"
