"""What the API says of agents: where they stand, the sessions they were in, and their figures."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import Field

from callrouter.api.schemas.base import Instant, Out, Seconds
from callrouter.api.schemas.stats import GapOut
from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.agents.standing import Agent, AgentState, Standing
from callrouter.core.call import OfferOutcome
from callrouter.permissions import Scope
from callrouter.store.agents.figures import AgentFigures, AgentsFigures
from callrouter.store.agents.work import Work


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


class OffersOut(Out):
    """Offers that began in the period, by how they ended."""

    offered: int = Field(description="All of them")
    answered: int
    missed: int = Field(description="Let ring, or refused")
    refused: int = Field(description="Of those missed: rejected, busy, sent elsewhere, or put down at the whisper")
    phone_failed: int = Field(description="Their telephone never rang")
    caller_left: int
    elsewhere: int = Field(description="Another agent was quicker")
    unknown: int = Field(description="Nobody saw how it ended")

    @classmethod
    def of(cls, work: Work) -> OffersOut:
        """As they were counted."""
        names = (OfferOutcome.ANSWERED, OfferOutcome.REFUSED, OfferOutcome.PHONE_FAILED, OfferOutcome.CALLER_LEFT)
        counts = {str(one): work.offers.get(one, 0) for one in (*names, OfferOutcome.ELSEWHERE)}
        return cls(offered=work.offered, missed=work.missed, unknown=work.offers.get(None, 0), **counts)


class WorkOut(Out):
    """What an agent did for callers."""

    conversations: int = Field(description="That were answered in the period; callbacks are some")
    talk_seconds: Seconds = Field(description="Without what was on hold, and without consultations")
    hold_seconds: Seconds
    wrap_up_seconds: Seconds
    aht_seconds: float | None = Field(description="(talk + hold + wrap-up) ÷ conversations (DMT); null without any")
    offers: OffersOut

    @classmethod
    def of(cls, work: Work) -> WorkOut:
        """As it was computed."""
        return cls(
            conversations=work.conversations,
            talk_seconds=work.talk_seconds,
            hold_seconds=work.hold_seconds,
            wrap_up_seconds=work.wrap_up_seconds,
            aht_seconds=work.aht_seconds,
            offers=OffersOut.of(work),
        )


class PartialWorkOut(WorkOut):
    """What an agent did for one client's callers, or one queue's."""

    name: str | None = Field(examples=["cabinet-moreau"], description="null: it is not known, or there was none")


class AgentFiguresOut(Out):
    """One agent's figures of a period, or of a day or month of it."""

    agent: str = Field(examples=["agent-1"])
    from_at: Instant
    to_at: Instant = Field(description="Not included")
    work: WorkOut
    logged_in_seconds: Seconds = Field(description="0 of agents whose teams ask for no log-in")
    available_seconds: Seconds = Field(description="Logged in, and neither at work nor paused")
    paused_seconds: dict[str, float] = Field(description="By reason", examples=[{"lunch": 1800}])
    other_seconds: Seconds = Field(description="Asked by a colleague, or until whoever is called back picked up")
    occupancy: float | None = Field(
        description="(talk + hold + wrap-up) ÷ (those + available); null of agents who log in nowhere, or did nothing"
    )
    by: list[PartialWorkOut] = Field(description="Work by client or by queue, if it was asked for")

    @classmethod
    def of(cls, one: AgentFigures) -> AgentFiguresOut:
        """As they were computed."""
        return cls(
            agent=one.agent,
            from_at=one.from_at,
            to_at=one.to_at,
            work=WorkOut.of(one.work),
            logged_in_seconds=one.time.logged_in_seconds,
            available_seconds=one.time.available_seconds,
            paused_seconds=dict(one.time.paused_seconds),
            other_seconds=one.time.other_seconds,
            occupancy=one.occupancy,
            by=[PartialWorkOut(name=name, **dict(WorkOut.of(work))) for name, work in one.by.items()],
        )


class AgentsFiguresOut(Out):
    """Agents' figures of a period."""

    from_at: Instant
    to_at: Instant = Field(description="Not included")
    timezone: str = Field(examples=["Europe/Paris"], description="Whose days they are")
    agents: list[AgentFiguresOut] = Field(description="By agent and time, without days on which somebody was not there")
    totals: list[AgentFiguresOut] = Field(description="Of each agent, over the whole period")
    gaps: list[GapOut] = Field(description="Times of which something may be missing")

    @classmethod
    def of(cls, found: AgentsFigures) -> AgentsFiguresOut:
        """As they were read."""
        return cls(
            from_at=found.from_at,
            to_at=found.to_at,
            timezone=found.zone.key,
            agents=[AgentFiguresOut.of(one) for one in found.agents],
            totals=[AgentFiguresOut.of(one) for one in found.totals],
            gaps=[GapOut.model_validate(gap) for gap in found.gaps],
        )
