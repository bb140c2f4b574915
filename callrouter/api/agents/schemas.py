"""What the API says of agents: where they stand, and the sessions they were in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import Field

from callrouter.api.schemas.base import Instant, Out
from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.agents.standing import Agent, AgentState, Standing
from callrouter.permissions import Scope


class AgentOut(Out):
    """An agent, and where they stand."""

    agent: str = Field(examples=["agent-1"])
    name: str = Field(examples=["Anne Martin"])
    teams: list[str] = Field(examples=[["medical"]])
    state: AgentState
    since: Instant
    phone: str | None = Field(examples=["agent-1"], description="Where calls ring; null: logged out")
    logged_in_at: Instant | None = Field(description="null: logged out, or of teams that ask for no log-in")
    reason: str = Field(examples=["lunch"], description="Of a pause; empty otherwise")
    until: Instant | None = Field(description="When a wrap-up ends by itself")
    call_id: str | None = Field(description="What a wrap-up follows: a call, or, after a callback, the outgoing call")
    phone_gone_since: Instant | None = Field(description="Since when the telephone does not answer; null: it does")

    @classmethod
    def of(cls, agent: Agent, standing: Standing, phone_gone_since: datetime | None) -> AgentOut:
        """As the roster has them."""
        return cls(
            agent=agent.name,
            name=agent.title,
            teams=[place.queue for place in agent.places],
            state=standing.state,
            since=standing.since_at,
            phone=standing.phone or None,
            logged_in_at=standing.logged_in_at,
            reason=standing.reason,
            until=standing.until_at,
            call_id=standing.call_id or None,
            phone_gone_since=phone_gone_since,
        )


class AgentsOut(Out):
    """All agents, by name."""

    agents: list[AgentOut]

    def within(self, scope: Scope) -> AgentsOut:
        """Those of a scope's teams."""
        return AgentsOut(agents=[one for one in self.agents if scope.holds("", one.teams)])

    def find(self, agent: str) -> AgentOut | None:
        """Somebody by name."""
        return next((one for one in self.agents if one.agent == agent), None)


class SessionOut(Out):
    """A time in which an agent was logged in, paused or in wrap-up."""

    session_id: str = Field(examples=["1795427775-250-pause-agent-1"])
    agent: str = Field(examples=["agent-1"])
    kind: SessionKind
    phone: str = Field(examples=["agent-1"])
    reason: str = Field(examples=["lunch"], description="Of a pause; empty otherwise")
    call_id: str | None = Field(description="What a wrap-up follows: a call, or, after a callback, the outgoing call")
    started_at: Instant
    ended_at: Instant | None = Field(description="null while it lasts")
    ended_by: str = Field(
        examples=["agent"],
        description="`agent`, `time`, `moved`, `phone gone`, `files`, `asterisk`, `unseen`, `clock`, or a principal",
    )

    @classmethod
    def of(cls, session: Session) -> SessionOut:
        """As it is kept."""
        return cls(
            session_id=session.session_id,
            agent=session.agent,
            kind=session.kind,
            phone=session.phone,
            reason=session.reason,
            call_id=session.call_id or None,
            started_at=session.started_at,
            ended_at=session.ended_at,
            ended_by=session.ended_by,
        )


class SessionsOut(Out):
    """A page of them, the newest first."""

    sessions: list[SessionOut]
    next_cursor: str | None = Field(description="Ask with it for the next page; null: there is none")

    @classmethod
    def of(cls, sessions: Collection[Session], next_cursor: str | None) -> SessionsOut:
        """As they were read."""
        return cls(sessions=[SessionOut.of(one) for one in sessions], next_cursor=next_cursor)
