"""What Asterisk's events say of the channels of agents who are rung for callers, and whose channels they are.

Event to input, as a table; `core.books.offers` makes of them what became of each ring. AgentCalled, AgentConnect and
AgentRingNoAnswer name the agent's channel (DestUniqueid); from then on whatever comes of that channel is heard, until
it is no more or its caller's call is over. `RingTime` is milliseconds in AgentRingNoAnswer and seconds in AgentConnect
(app_queue.c, rna; ring_entry and ast_queue_connect), so only the former is used. A queue that is derived from a team's
is told by the team's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.notes import SOMEBODY
from callrouter.core.agents.preference import team_of
from callrouter.core.inputs import AgentAnswered, AgentOffered, LegHeard, LegSign

MAX_RINGS: Final = 4096
"""Channels that are remembered; the ends of the oldest were missed while the link was down."""
_DIAL_ENDS: Final[Mapping[str, LegSign | None]] = {"ANSWER": None, "CANCEL": LegSign.CANCELLED}
"""`DialStatus` of DialEnd; any other is a ring without an answer. That of an answer comes before AgentConnect, and also
when the agent hangs up at the whisper."""


def agent_of(message: AmiMessage) -> str:
    """Whose the telephone is, as the queue calls them."""
    return message["MemberName"] or message["Interface"]


def called(message: AmiMessage, at: datetime) -> AgentOffered:
    """AgentCalled."""
    return AgentOffered(agent=agent_of(message), at=at, queue=team_of(message["Queue"]), leg=message["DestUniqueid"])


def connected(message: AmiMessage, at: datetime, *, forwarded: bool) -> AgentAnswered:
    """AgentConnect; of a telephone that sends its calls elsewhere by itself nobody counts as the agent."""
    return AgentAnswered(agent=SOMEBODY if forwarded else agent_of(message), at=at, leg=message["DestUniqueid"])


def unanswered(message: AmiMessage, at: datetime) -> LegHeard:
    """AgentRingNoAnswer."""
    return LegHeard(
        leg=message["DestUniqueid"],
        sign=LegSign.UNANSWERED,
        at=at,
        agent=agent_of(message),
        queue=team_of(message["Queue"]),
        rang_seconds=(whole_number(message["RingTime"]) or 0) / 1000,
    )


def dial_ended(message: AmiMessage, at: datetime) -> LegHeard | None:
    """DialEnd; None when it says nothing of a ring that is over."""
    sign = _DIAL_ENDS.get(message["DialStatus"], LegSign.UNANSWERED)
    return None if sign is None else LegHeard(leg=message["DestUniqueid"], sign=sign, at=at)


class Rings:
    """Which call each agent's channel was rung for, by the channel's Uniqueid."""

    def __init__(self) -> None:
        self._calls: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def note(self, uniqueid: str, call_id: str) -> None:
        """This channel is rung for that call."""
        if not uniqueid:
            return
        if len(self._calls) >= MAX_RINGS and uniqueid not in self._calls:
            del self._calls[next(iter(self._calls))]
        self._calls[uniqueid] = call_id

    def call_of(self, uniqueid: str) -> str | None:
        """The call that this channel was rung for; None when it was for none that we know."""
        return self._calls.get(uniqueid)

    def ended(self, uniqueid: str) -> None:
        """The channel is no more."""
        self._calls.pop(uniqueid, None)

    def call_ended(self, call_id: str) -> None:
        """Nothing more is wanted of this call's channels."""
        for uniqueid in [uniqueid for uniqueid, of in self._calls.items() if of == call_id]:
            del self._calls[uniqueid]
