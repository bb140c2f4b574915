"""Cards and events for tests that need some."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from callrouter.core.agents.standing import AgentState
from callrouter.core.call import CallerId, CallState
from callrouter.stream.events import AgentCard, CallArrived, CallCard, CallOffered, CallWaiting, Event, PhoneState
from callrouter.stream.frames import Frame, FrameReader, frame
from callrouter.stream.ring import EventId

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def card(call_id: str = "1", **changed: Any) -> CallCard:
    """A call that waits in the queue `medical`."""
    made = CallCard(
        call_id=call_id,
        client="cabinet-moreau",
        client_name="Cabinet Moreau",
        did="+33199000010",
        caller=CallerId(number="+33612340001", name="Jeanne Martin"),
        diverted_from=None,
        state=CallState.QUEUED,
        node="secretaries",
        path=["hours", "secretaries"],
        variables={"postcode": "75011"},
        queues=["medical"],
        brief="Cabinet Moreau, bonjour",
        ringing_at=AT,
        waiting_since=AT,
        waiting_seconds=0.0,
        offered_to=[],
        agent=None,
    )
    return msgspec.structs.replace(made, **changed)


def agent(name: str = "agent-1", *queues: str) -> AgentCard:
    """An agent of these queues (`medical` if none is named)."""
    return AgentCard(
        agent=name,
        state=AgentState.READY,
        phone=PhoneState.IDLE,
        queues=[*queues] or ["medical"],
        paused_in=[],
        reason="",
        since=AT,
    )


def arrived(call_id: str = "1", **changed: Any) -> CallArrived:
    return CallArrived(at=AT, call=card(call_id, **{"queues": [], **changed}))


def waiting(call_id: str = "1", queue: str = "medical", **changed: Any) -> CallWaiting:
    return CallWaiting(at=AT, call=card(call_id, **{"queues": [queue], **changed}), queue=queue)


def offered(call_id: str = "1", to: str = "agent-1", **changed: Any) -> CallOffered:
    return CallOffered(at=AT, call=card(call_id, offered_to=[to], **changed), queue="medical", agent=to)


def told(event: Event, epoch: int, number: int) -> Frame:
    """As the engine says it."""
    [read] = FrameReader().feed(frame(event, EventId(epoch, number)))
    return read
