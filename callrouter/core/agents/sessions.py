"""Agents' sessions: times in which somebody was logged in, paused or in wrap-up, as their standings tell them. Plain
data.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from callrouter.core.agents.standing import AgentState, Standing
from callrouter.core.call import replace


class SessionKind(StrEnum):
    """What a session is one of."""

    LOGIN = "login"
    PAUSE = "pause"
    WRAP_UP = "wrap_up"


class Session(Struct, frozen=True, kw_only=True):
    """A time in which an agent was logged in, paused or in wrap-up; told when it begins and again when it ends."""

    agent: str
    kind: SessionKind
    phone: str
    started_at: datetime
    reason: str = ""
    """Of a pause."""
    call_id: str = ""
    """Of the conversation before a wrap-up."""
    ended_at: datetime | None = None
    """None: it lasts."""
    ended_by: str = ""
    """`agent`, `time`, a principal, `moved`, `phone gone`, `files`, or the next session's kind."""

    @property
    def session_id(self) -> str:
        """The same for whoever tells of it: when it began, what it is, whose."""
        milliseconds = round(self.started_at.timestamp() * 1000)
        return f"{milliseconds // 1000:010d}-{milliseconds % 1000:03d}-{self.kind}-{self.agent}"


def sessions_of(agent: str, standing: Standing) -> Iterator[Session]:
    """The sessions somebody is in while they stand there."""
    if standing.logged_in_at is not None:
        yield Session(agent=agent, kind=SessionKind.LOGIN, phone=standing.phone, started_at=standing.logged_in_at)
    kinds = {AgentState.PAUSED: SessionKind.PAUSE, AgentState.WRAP_UP: SessionKind.WRAP_UP}
    if (kind := kinds.get(standing.state)) is not None:
        yield Session(
            agent=agent,
            kind=kind,
            phone=standing.phone,
            started_at=standing.since_at,
            reason=standing.reason,
            call_id=standing.call_id,
        )


def ended(agent: str, before: Standing, now: Standing, by: str) -> Iterator[Session]:
    """The sessions that are over once somebody stands otherwise."""
    lasting = {session.session_id for session in sessions_of(agent, now)}
    for session in sessions_of(agent, before):
        if session.session_id not in lasting:
            ended_at = max(now.since_at, session.started_at)
            yield replace(session, ended_at=ended_at, ended_by=by)
