"""Where agents stand, and what may be done for them: the same routes in both applications.

The engine carries out; web passes on, and says on whose behalf. Who does what is in the audit trail once, by the
engine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import AfterValidator

from callrouter.api.agents.schemas import AgentOut, AgentsFiguresOut, AgentsOut, SessionsOut
from callrouter.api.agents.wishes import Behalf, Wish
from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.engine_client import EngineAway
from callrouter.api.filters import TEXT, AskedPeriod, Cursor, Limit, backwards
from callrouter.api.problems import documented
from callrouter.core.agents.sessions import SessionKind
from callrouter.core.agents.standing import Refused
from callrouter.errors import AgentRefused
from callrouter.periods import Period, Step, zone_named
from callrouter.permissions import OPERATOR, Permission, Scope, ScopeKind
from callrouter.store.agents.figures import read_agents
from callrouter.store.agents.rows import WorkBy
from callrouter.store.agents.sessions import list_sessions
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome

T = TypeVar("T")


class Agents(Protocol):
    """Who knows the agents: the engine's own, or the way to it."""

    async def who(self) -> AgentsOut:
        """All of them. Raises EngineAway."""
        ...

    async def do(self, wish: Wish, agent: str, detail: str, behalf: Behalf) -> AgentOut:
        """Do it; `detail` is a telephone or a reason. Raises AgentRefused, EngineAway."""
        ...


_STATUS: Final = {Refused.UNKNOWN: HTTPStatus.NOT_FOUND, Refused.AWAY: HTTPStatus.SERVICE_UNAVAILABLE}

Name = Annotated[
    str, Path(max_length=80, pattern=TEXT, description="As shared/agents.yaml has them", examples=["agent-1"])
]
Phone = Annotated[
    str | None,
    Query(max_length=80, pattern=TEXT, description="At which telephone; by default their own", examples=["agent-2"]),
]
Reason = Annotated[
    str, Query(max_length=40, pattern=TEXT, description="One of `pauses` of shared/agents.yaml", examples=["lunch"])
]

Zone = Annotated[
    str | None,
    AfterValidator(lambda name: name and zone_named(name).key),
    Query(max_length=60, pattern=TEXT, description="Whose days they are: an IANA name", examples=["Europe/Paris"]),
]


def _behalf(
    visitor: CurrentVisitor,
    by: Annotated[str | None, Query(max_length=200, pattern=TEXT, description="For whom the operator acts")] = None,
    address: Annotated[str, Query(max_length=200, pattern=TEXT, description="From where they asked")] = "",
    teams: Annotated[
        str, Query(max_length=8000, pattern=TEXT, description="Over whose agents they have a say; empty: everybody's")
    ] = "",
) -> Behalf:
    """A dependency: whoever asks acts for themselves; who holds the operator's token, as web does, may act for
    somebody.

    Raises:
        HTTPException: nobody else may (403).
    """
    if by is None:
        scope = visitor.principal.scope
        own = scope.names if scope.kind is ScopeKind.TEAMS else None
        return Behalf(principal=visitor.principal.name, address=visitor.address, teams=own)
    if visitor.principal is not OPERATOR:
        raise HTTPException(HTTPStatus.FORBIDDEN, "only the operator acts for somebody else: leave `by` out")
    return Behalf(principal=by, address=address, teams=frozenset(teams.split(",")) if teams else None)


Whose = Annotated[Behalf, Depends(_behalf)]


def router(agents: Agents, gate: Gate) -> APIRouter:
    """GET /agents, and what may be done for one of them."""
    routes = APIRouter(tags=["agents"])
    problems = documented(403, 404, 409, 502, 503)

    @routes.get("/agents", responses=documented(403, 502), **gate.needs(Permission.AGENT_READ))
    async def where(visitor: CurrentVisitor) -> AgentsOut:
        """Who is where, since when, and why. 502 when the engine does not answer."""
        return (await _of_engine(agents.who)).within(visitor.principal.scope)

    @routes.post("/agents/{agent}/log-in", responses=problems, **gate.needs(Wish.LOG_IN.permission))
    async def log_in(agent: Name, visitor: CurrentVisitor, whose: Whose, phone: Phone = None) -> AgentOut:
        """Log an agent in; from another telephone they move. Whoever is logged in there leaves it: 409 if they are of
        no team of yours.
        """
        return await _done(agents, Wish.LOG_IN, agent, phone or "", visitor, whose)

    @routes.post("/agents/{agent}/log-out", responses=problems, **gate.needs(Wish.LOG_OUT.permission))
    async def log_out(agent: Name, visitor: CurrentVisitor, whose: Whose) -> AgentOut:
        """Log an agent out; a conversation goes on."""
        return await _done(agents, Wish.LOG_OUT, agent, "", visitor, whose)

    @routes.post("/agents/{agent}/pause", responses=problems, **gate.needs(Wish.PAUSE.permission))
    async def pause(agent: Name, visitor: CurrentVisitor, whose: Whose, reason: Reason = "") -> AgentOut:
        """Offer an agent no call until they are ready."""
        return await _done(agents, Wish.PAUSE, agent, reason, visitor, whose)

    @routes.post("/agents/{agent}/ready", responses=problems, **gate.needs(Wish.READY.permission))
    async def ready(agent: Name, visitor: CurrentVisitor, whose: Whose) -> AgentOut:
        """End an agent's pause or wrap-up."""
        return await _done(agents, Wish.READY, agent, "", visitor, whose)

    return routes


def sessions_router(database: Database, agents: Agents, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """GET /agents/sessions and /agents/figures, from the record. `now` is the clock calls are stamped by."""
    routes = APIRouter(tags=["agents"])

    @routes.get("/agents/sessions", responses=documented(403, 502), **gate.needs(Permission.AGENT_READ))
    async def sessions(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        agent: Annotated[str | None, Query(max_length=80, pattern=TEXT, description="Only theirs")] = None,
        kind: Annotated[SessionKind | None, Query(description="Only these", examples=["pause"])] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> SessionsOut:
        """When agents were logged in, paused or in wrap-up, by when it began: `from` included, `to` not. Days are
        UTC's.
        """
        from_at, to_at = _in_utc(period, now())
        theirs = await _theirs(agents, visitor.principal.scope)
        found, next_cursor = await list_sessions(
            database, agents=theirs, agent=agent, kind=kind, from_at=from_at, to_at=to_at, limit=limit, cursor=cursor
        )
        return SessionsOut.of(found, next_cursor)

    @routes.get("/agents/figures", responses=documented(403, 502), **gate.needs(Permission.AGENT_READ))
    async def figures(  # noqa: PLR0913, RUF100  # each is a query parameter
        period: AskedPeriod,
        visitor: CurrentVisitor,
        agent: Annotated[str | None, Query(max_length=80, pattern=TEXT, description="Only theirs")] = None,
        step: Annotated[Step | None, Query(description="Each day, or month, by itself", examples=["day"])] = None,
        by: Annotated[WorkBy | None, Query(description="Work told apart as well", examples=["client"])] = None,
        timezone: Zone = None,
    ) -> AgentsFiguresOut:
        """What agents did: conversations, talk, hold, wrap-up, offers, and what their time went into; the last 24 hours
        unless a period is given. Days are those of `timezone`; by default of the one that most clients have.

        Seconds belong to the day on which they passed, conversations to that on which they were answered. What lasts
        counts until now; a conversation that goes on is in the figures when it is over.
        """
        theirs = await _theirs(agents, visitor.principal.scope)
        if agent is not None:
            theirs = [agent] if theirs is None or agent in theirs else []
        try:
            zone = ZoneInfo(timezone) if timezone else None
            found = await read_agents(database, period, now=now(), agents=theirs, step=step, by=by, zone=zone)
        except ValueError:
            raise backwards() from None
        return AgentsFiguresOut.of(found)

    return routes


async def _theirs(agents: Agents, scope: Scope) -> list[str] | None:
    """Whose rows somebody may see; None: everybody's."""
    if scope.kind is not ScopeKind.TEAMS:
        return None
    # Which team somebody is of is in the files, and not in the record.
    return [one.agent for one in (await _of_engine(agents.who)).within(scope).agents]


def _in_utc(period: Period, now: datetime) -> tuple[datetime | None, datetime | None]:
    """A period's instants: agents have no time zone of a client's.

    Raises:
        HTTPException: it ends before it begins.
    """
    zone = ZoneInfo("UTC")
    start, end = (None if one is None else one.within(zone, now) for one in (period.start, period.end))
    if start is not None and end is not None and start >= end:
        raise backwards()
    return start, end


async def _of_engine(ask: Callable[[], Awaitable[T]]) -> T:
    try:
        return await ask()
    except EngineAway as error:
        raise HTTPException(HTTPStatus.BAD_GATEWAY, str(error)) from error


async def _done(agents: Agents, wish: Wish, agent: str, detail: str, visitor: Visitor, behalf: Behalf) -> AgentOut:
    """Do it for an agent of the visitor's teams; another one's is as if there were none."""
    found = (await _of_engine(agents.who)).find(agent)
    unknown = f"there is no agent {agent!r} in shared/agents.yaml"
    if found is None or not visitor.principal.scope.holds("", found.teams):
        visitor.note(wish.permission, AuditOutcome.REFUSED, object_=agent)
        raise HTTPException(HTTPStatus.NOT_FOUND, unknown)
    try:
        return await _of_engine(lambda: agents.do(wish, agent, detail, behalf))
    except AgentRefused as error:
        raise HTTPException(_STATUS.get(Refused(error.why), HTTPStatus.CONFLICT), str(error)) from error
