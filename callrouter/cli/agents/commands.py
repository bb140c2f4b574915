"""`callrouter agents`: who is where, since when and why; log in or out, pause, take calls again; PINs, sessions and
figures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from callrouter.api.agents.schemas import AgentOut, AgentsFiguresOut, AgentsOut, SessionsOut
from callrouter.api.agents.there import AgentsThere
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.app.storage import open_database
from callrouter.cli.agents.figures import show_figures
from callrouter.cli.audit import at_command_line
from callrouter.cli.usage import Command, Group, argument, period_of
from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.agents.standing import AgentState
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.periods import TODAY, Moment, Period, Step, zone_named
from callrouter.settings import load_settings
from callrouter.settings.token import token_to_ask_with
from callrouter.store.agents.figures import AgentsFigures, read_agents
from callrouter.store.agents.pins import remove_pin, set_pin
from callrouter.store.agents.rows import WorkBy
from callrouter.store.agents.sessions import list_sessions

T = TypeVar("T")
Agent = Annotated[str, typer.Argument(help="As shared/agents.yaml has them.")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: as the API.")]

agents = typer.Typer(
    cls=Group,
    help="See where agents stand, and log them in or out, pause them, or give them a PIN.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@agents.command("list", cls=Command)
def list_all(as_json: AsJson = False) -> None:
    """Show every agent: where they are, since when, and why."""
    found = _asked(lambda there: there.who())
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        show(found)


@agents.command("log-in", cls=Command)
def log_in(
    agent: Agent, phone: Annotated[str, typer.Option(help="At this telephone; by default their own.")] = ""
) -> None:
    """Log an agent in; from another telephone they move."""
    _do(Wish.LOG_IN, agent, phone)


@agents.command("log-out", cls=Command)
def log_out(agent: Agent) -> None:
    """Log an agent out; a conversation goes on."""
    _do(Wish.LOG_OUT, agent)


@agents.command(cls=Command)
def pause(
    agent: Agent, reason: Annotated[str, typer.Option(help="One of `pauses` of shared/agents.yaml.")] = ""
) -> None:
    """Offer an agent no call until they are ready."""
    _do(Wish.PAUSE, agent, reason)


@agents.command(cls=Command)
def ready(agent: Agent) -> None:
    """End an agent's pause or wrap-up."""
    _do(Wish.READY, agent)


@agents.command(cls=Command)
def pin(
    agent: Agent,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away: they log in by telephone no more.")] = False,
) -> None:
    """Give an agent a PIN, which is asked for and kept as a hash only; a lock after wrong ones ends."""
    now = datetime.now(UTC)
    if not remove:
        _must_be_known(agent)
    new = "" if remove else typer.prompt("PIN", hide_input=True, confirmation_prompt=True)

    async def work() -> None:
        async with open_database(load_settings(), create=False) as database:
            if remove:
                await remove_pin(database, agent, by=at_command_line(), now=now)
            else:
                await set_pin(database, agent, new, by=at_command_line(), now=now)

    asyncio.run(work())
    typer.echo(safe_text(f"Agent {agent} has {'no PIN any more' if remove else 'a new PIN'}."))


@agents.command(cls=Command)
def sessions(
    agent: Annotated[str | None, typer.Argument(help="Only theirs.")] = None,
    kind: Annotated[SessionKind | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show when agents were logged in, paused or in wrap-up, the newest first."""

    async def work() -> tuple[list[Session], str | None]:
        async with open_database(load_settings(), create=False) as database:
            return await list_sessions(database, agent=agent, kind=kind, limit=limit)

    found, next_cursor = asyncio.run(work())
    if as_json:
        typer.echo(SessionsOut.of(found, next_cursor).model_dump_json(indent=2))
        return
    for one in found:
        until = f"{_local(one.ended_at)} ({one.ended_by})" if one.ended_at else "lasts"
        reason = f" {one.reason}" if one.reason else ""
        typer.echo(safe_text(f"{_local(one.started_at)} – {until}  {one.agent} at {one.phone}: {one.kind}{reason}"))
    if not found:
        typer.echo("There is no session of that kind.")


@agents.command(cls=Command)
def figures(  # noqa: PLR0913, RUF100  # each is an option
    agent: Annotated[str | None, typer.Argument(help="Only theirs.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="Day (2026-11-24, today, yesterday) or time; today by default.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or time, not included; now by default.")] = None,
    month: Annotated[str | None, typer.Option(help="A calendar month: 2026-10.")] = None,
    step: Annotated[Step | None, typer.Option(help="Each day, or month, by itself.")] = None,
    by: Annotated[WorkBy | None, typer.Option(help="Work told apart as well, by client or by queue.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Whose days they are (Europe/Paris); by default the zone that most clients have.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what agents did: conversations, talk, hold, wrap-up, offers, and what their time went into.

    Seconds belong to the day on which they passed. A conversation that goes on is in the figures when it is over.
    """
    settings = load_settings()
    now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
    period = _period(from_, to, month, now)
    zone = argument(zone_named, timezone) if timezone else None

    async def work() -> AgentsFigures:
        async with open_database(settings, create=False) as database:
            try:
                return await read_agents(
                    database, period, now=now, agents=[agent] if agent else None, step=step, by=by, zone=zone
                )
            except ValueError as error:
                raise UsageError(f"{error}: --from must be before --to") from None

    found = asyncio.run(work())
    if as_json:
        typer.echo(AgentsFiguresOut.of(found).model_dump_json(indent=2))
    else:
        show_figures(found, step)


def _period(from_: str | None, to: str | None, month: str | None, now: datetime) -> Period:
    if month is not None:
        if from_ or to:
            raise typer.BadParameter("--month is a whole period: leave out --from and --to")
        return argument(Period.month, month)
    asked = period_of(from_, to)
    return asked if asked.end is not None else Period(asked.start or TODAY, Moment(now))


def show(found: AgentsOut) -> None:
    """For a person."""
    if not found.agents:
        typer.echo("There is no agent in shared/agents.yaml or shared/queues.yaml.")
        return
    table = Table("Agent", "Name", "State", "Since", "Telephone", "Teams", box=None, pad_edge=False)
    for one in found.agents:
        phone = one.phone or "–"
        phone += f" (gone since {_local(one.phone_gone_since)})" if one.phone_gone_since else ""
        row = (one.agent, one.name, _state(one), _local(one.since), phone, ", ".join(one.teams))
        table.add_row(*map(safe_text, row))
    Console().print(table)


def _state(one: AgentOut) -> str:
    if one.state is AgentState.PAUSED:
        return f"paused: {one.reason}" if one.reason else "paused"
    if one.state is AgentState.WRAP_UP and one.until:
        return f"wrap-up until {one.until.astimezone():%H:%M:%S}"
    return one.state.replace("_", " ")


def _do(wish: Wish, agent: str, detail: str = "") -> None:
    behalf = Behalf(principal=at_command_line())
    one = _asked(lambda there: there.do(wish, agent, detail, behalf))
    typer.echo(safe_text(f"Agent {one.agent} is {_state(one)}{f' at {one.phone}' if one.phone else ''}."))


def _asked(question: Callable[[AgentsThere], Awaitable[T]]) -> T:
    settings = load_settings()
    there = AgentsThere(EngineClient(settings.engine_base_url, token_to_ask_with(settings)))

    async def work() -> T:
        return await question(there)

    try:
        return asyncio.run(work())
    except EngineAway as error:
        typer.echo(f"callrouter: {error}", err=True)
        raise typer.Exit(1) from None


def _must_be_known(agent: str) -> None:
    """Where the engine answers: a PIN for a name that nobody has helps nobody."""
    settings = load_settings()
    there = AgentsThere(EngineClient(settings.engine_base_url, token_to_ask_with(settings)))
    try:
        found = asyncio.run(there.who())
    except EngineAway:
        return
    if found.find(agent) is None:
        raise UsageError(f"there is no agent {safe_text(agent, 80)} in shared/agents.yaml")


def _local(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "–"
