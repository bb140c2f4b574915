"""What may be done in a conversation that goes on: the same routes in both applications.

The engine carries out; web passes on, and says on whose behalf. Who did what is in the audit trail once, by the engine;
that a call was nothing for somebody's eyes, by whoever was asked.
"""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, Query

from callrouter.api.agents.routes import Whose
from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.conversations.routes import PROBLEMS, CallId, Conversations, done
from callrouter.api.filters import TEXT
from callrouter.api.problems import documented
from callrouter.api.supervision.schemas import Act, OverseenOut
from callrouter.permissions import By

Phone = Annotated[
    str,
    Query(max_length=80, pattern=TEXT, description="Whose telephone, as the PBX calls it", examples=["agent-2"]),
]


class Overseen(Conversations, Protocol):
    """Who has the calls: the engine's own, or the way to it."""

    async def do(self, act: Act, call_id: str, phone: str, by: By) -> OverseenOut:
        """Do it. Raises ConversationRefused, EngineAway."""
        ...


def router(overseen: Overseen, gate: Gate) -> APIRouter:
    """What may be done in one call."""
    routes = APIRouter(tags=["supervision"])
    problems = documented(*PROBLEMS)

    @routes.post("/calls/{call_id}/listen", responses=problems, **gate.needs(Act.LISTEN.permission))
    async def listen(call_id: CallId, visitor: CurrentVisitor, whose: Whose, phone: Phone) -> OverseenOut:
        """Ring a telephone, and let it hear the conversation; nobody hears who is there. One that is in the
        conversation already changes to this."""
        return await _done(overseen, Act.LISTEN, call_id, phone, visitor, whose)

    @routes.post("/calls/{call_id}/whisper", responses=problems, **gate.needs(Act.WHISPER.permission))
    async def whisper(call_id: CallId, visitor: CurrentVisitor, whose: Whose, phone: Phone) -> OverseenOut:
        """The same, and the agent hears them; the caller does not."""
        return await _done(overseen, Act.WHISPER, call_id, phone, visitor, whose)

    @routes.post("/calls/{call_id}/barge", responses=problems, **gate.needs(Act.BARGE.permission))
    async def barge(call_id: CallId, visitor: CurrentVisitor, whose: Whose, phone: Phone) -> OverseenOut:
        """The same, and both hear them."""
        return await _done(overseen, Act.BARGE, call_id, phone, visitor, whose)

    @routes.post("/calls/{call_id}/take-over", responses=problems, **gate.needs(Act.TAKE_OVER.permission))
    async def take_over(call_id: CallId, visitor: CurrentVisitor, whose: Whose, phone: Phone) -> OverseenOut:
        """Give the caller to this telephone; the agent's conversation ends."""
        return await _done(overseen, Act.TAKE_OVER, call_id, phone, visitor, whose)

    @routes.post("/calls/{call_id}/leave", responses=problems, **gate.needs(Act.LEAVE.permission))
    async def leave(call_id: CallId, visitor: CurrentVisitor, whose: Whose, phone: Phone) -> OverseenOut:
        """End what a telephone does there; caller and agent talk on. 409 once it has taken over."""
        return await _done(overseen, Act.LEAVE, call_id, phone, visitor, whose)

    @routes.post("/calls/{call_id}/pause-recording", responses=problems, **gate.needs(Act.PAUSE_RECORDING.permission))
    async def pause(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> OverseenOut:
        """Record silence from now on, a payment card's number, say. 409 where nothing is recorded."""
        return await _done(overseen, Act.PAUSE_RECORDING, call_id, "", visitor, whose)

    @routes.post("/calls/{call_id}/resume-recording", responses=problems, **gate.needs(Act.RESUME_RECORDING.permission))
    async def resume(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> OverseenOut:
        """Record what is said again."""
        return await _done(overseen, Act.RESUME_RECORDING, call_id, "", visitor, whose)

    return routes


async def _done(  # noqa: PLR0913, RUF100  # what, where, and on whose behalf
    overseen: Overseen, act: Act, call_id: str, phone: str, visitor: Visitor, by: By
) -> OverseenOut:
    return await done(overseen, act.permission, call_id, visitor, lambda: overseen.do(act, call_id, phone, by))
