"""`callrouter status`: whether the engine answers, what it serves and since when, and what is wrong."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.status import DerivedQueueOut, DialplansOut, RefusedCallsOut, StatusOut, WithoutNumberOut
from callrouter.dialplan.issues import how_many
from callrouter.dialplan.shared.derived import MOST_DERIVED
from callrouter.logs import safe_text
from callrouter.settings import load_settings
from callrouter.settings.token import token_to_ask_with

FEW = 20
"""Plans that are listed without being asked for."""
MANY_WITHOUT_NUMBER = 0.25
"""Share of a number's calls without a caller's number from which it is listed: a forwarding may strip it."""
TOO_FEW_CALLS = 10
"""Calls of which a share says nothing."""


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: as the engine's /status.")] = False,
    all_plans: Annotated[bool, typer.Option("--all", help="List every client's plan, however many there are.")] = False,
) -> None:
    """Show the engine's link, calls and plans, and the files that are refused. Exit 1 when something is wrong."""
    settings = load_settings()
    client = EngineClient(settings.engine_base_url, token_to_ask_with(settings))
    try:
        found = asyncio.run(client.status())
    except EngineAway as error:
        typer.echo(f"callrouter: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found, all_plans=all_plans)
    if found.problems:
        raise typer.Exit(1)


def show(found: StatusOut, *, all_plans: bool = False) -> None:
    """The engine's state for a person; what files and callers say is one safe line each."""
    console = Console(width=None if Console().is_terminal else 120, highlight=False, markup=False, soft_wrap=True)
    facts = Table.grid(padding=(0, 2))
    facts.add_row("Engine", f"callrouter {found.version}, up since {_local(found.started_at)}")
    facts.add_row("Asterisk", safe_text(found.asterisk))
    facts.add_row("PostgreSQL", safe_text(found.database))
    waits = f", the oldest for {found.backlog_seconds:.0f} s" if found.backlog else ""
    facts.add_row("Calls", f"{found.live_calls} live; {found.backlog} not written yet{waits}")
    if found.refused_calls.total:
        facts.add_row("Refused", safe_text(_refused(found.refused_calls)))
    for one in _many_without_number(found.without_number):
        facts.add_row(
            "No number", safe_text(f"{one.without_number} of {how_many(one.calls, 'call')} to {one.did} ({one.client})")
        )
    watched = "saved files go live by themselves" if found.dialplans.watching else "loaded when told to"
    dialplans = found.dialplans
    loaded = f"kept from {_local(dialplans.kept_at)}" if dialplans.kept_at else f"loaded {_local(dialplans.loaded_at)}"
    facts.add_row("Dialplans", f"{len(dialplans.plans)} in service, {loaded}; {watched}")
    if derived := dialplans.derived_queues:
        facts.add_row("Derived", f"{len(derived)} of at most {MOST_DERIVED} queues derived from teams'")
    console.print(facts)
    if derived:
        console.print()
        console.print(_derived(derived))
    shown = (
        dialplans.plans
        if all_plans or len(dialplans.plans) <= FEW
        else [plan for plan in dialplans.plans if not plan.as_the_file or plan.live_calls or plan.older_calls]
    )
    if shown:
        console.print()
        console.print(_plans(dialplans, {plan.client for plan in shown}))
    if len(shown) < len(dialplans.plans):
        console.print(f"and {len(dialplans.plans) - len(shown)} more without calls (--all lists them)")
    for refused in dialplans.refused:
        keeps = f"; {refused.keeps_client} keeps version {refused.keeps_version}" if refused.keeps_client else ""
        console.print()
        said = f"Overdue: {refused.file}; it stays in service" if refused.overdue else f"Refused: {refused.file}{keeps}"
        console.print(safe_text(said))
        for issue in refused.issues:
            console.print(safe_text(f"  {issue.sentence}"))
    if found.problems:
        console.print()
    for problem in found.problems:
        console.print(safe_text(f"Wrong: {problem}"))


def _refused(refused: RefusedCallsOut) -> str:
    """Calls that never reached the engine, and by whose limit."""
    most = sorted(refused.by_client.items(), key=lambda one: -one[1])
    limits = [f"{count} by {client or 'the machine'}'s limit" for client, count in most[:FEW]]
    since = f"; the last before {_local(refused.last_at)}" if refused.last_at else ""
    return f"{how_many(refused.total, 'call')}: {', '.join(limits)}{since}"


def _many_without_number(found: list[WithoutNumberOut]) -> list[WithoutNumberOut]:
    """Numbers to which many callers come without one: most others show theirs."""
    many = [
        one for one in found if one.calls >= TOO_FEW_CALLS and one.without_number >= MANY_WITHOUT_NUMBER * one.calls
    ]
    return many[:FEW]


def _plans(dialplans: DialplansOut, clients: set[str]) -> Table:
    table = Table("Client", "Version", "In service since", "Calls", "On older", "File", box=None, pad_edge=False)
    for plan in dialplans.plans:
        if plan.client in clients:
            file = plan.file if plan.as_the_file else f"{plan.file} (refused: last good version)"
            calls = (str(plan.live_calls or "–"), str(plan.older_calls or "–"))
            table.add_row(plan.client, plan.version, _local(plan.since), *calls, safe_text(file))
    return table


def _derived(queues: list[DerivedQueueOut]) -> Table:
    """Who is rung for whose callers, where a client wants its team's agents otherwise."""
    table = Table("Derived queue", "Team", "Rung first, and next", "Clients", box=None, pad_edge=False)
    for one in queues:
        agents = "; ".join(" ".join(agents) for agents in one.levels)
        more = f" and {len(one.clients) - FEW} more" if len(one.clients) > FEW else ""
        table.add_row(one.queue, one.team, safe_text(agents or "nobody"), ", ".join(one.clients[:FEW]) + more)
    return table


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
