"""What may be done in an agent's conversation that goes on: the same routes in both applications.

The engine carries out; web passes on, and says on whose behalf. Who did what is in the audit trail once, by the engine;
that a call was nothing for somebody's eyes, by whoever was asked.
"""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, Query

from callrouter.api.agents.routes import Whose
from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.control.schemas import ControlledOut
from callrouter.api.conversations.routes import PROBLEMS, CallId, Conversations, done
from callrouter.api.problems import documented
from callrouter.asterisk.transfers.control import MAX_KEYS, Control
from callrouter.core.transfers.targets import MAX_TARGET
from callrouter.permissions import By, Permission

Target = Annotated[
    str,
    Query(
        min_length=2,
        max_length=MAX_TARGET,
        pattern=r"^\+?[0-9A-Za-z][0-9A-Za-z_.\-]*$",
        description="A colleague, a team, a contact, a node or a number; `colleague.anne`, `team.medical`, "
        "`contact.doctor` and `node.welcome` say which",
        examples=["team.medical"],
    ),
]
Keys = Annotated[
    str, Query(min_length=1, max_length=MAX_KEYS, pattern=r"^[0-9*#A-D]+$", description="Keys", examples=["42#"])
]


class Controlled(Conversations, Protocol):
    """Who has the calls: the engine's own, or the way to it."""

    async def do(self, control: Control, call_id: str, detail: str, by: By) -> ControlledOut:
        """Do it; `detail` is a target, or keys. Raises ConversationRefused, EngineAway."""
        ...


def router(controlled: Controlled, gate: Gate) -> APIRouter:
    """What may be done in one call."""
    routes = APIRouter(tags=["call control"])
    rules = {"responses": documented(*PROBLEMS), **gate.needs(Permission.CALL_CONTROL)}

    @routes.post("/calls/{call_id}/hold", **rules)
    async def hold(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """Put the caller on hold, as a telephone does; they hear music, the agent silence."""
        return await _done(controlled, Control.HOLD, call_id, "", visitor, whose)

    @routes.post("/calls/{call_id}/resume", **rules)
    async def resume(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """End a hold that was asked for here; 409 for a telephone's own."""
        return await _done(controlled, Control.RESUME, call_id, "", visitor, whose)

    @routes.post("/calls/{call_id}/transfer", **rules)
    async def transfer(call_id: CallId, to: Target, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """Give the caller away at once (a blind transfer). 409 for a target that may not have them, and
        while they are on hold by `hold`, `consult` or a feature code: the agent keeps them.
        """
        return await _done(controlled, Control.TRANSFER, call_id, to, visitor, whose)

    @routes.post("/calls/{call_id}/consult", **rules)
    async def consult(call_id: CallId, to: Target, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """Ring somebody for the agent, whose caller hears music meanwhile: the first half of an announced transfer."""
        return await _done(controlled, Control.CONSULT, call_id, to, visitor, whose)

    @routes.post("/calls/{call_id}/complete", **rules)
    async def complete(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """Give the caller to whom the agent consults. 409 before they have answered, and for a consultation that
        the agent's telephone made by a second call of its own: it has the caller on hold itself, and only its own
        transfer key (REFER) ends that. Complete it there; or take back, and consult from here.
        """
        return await _done(controlled, Control.COMPLETE, call_id, "", visitor, whose)

    @routes.post("/calls/{call_id}/take-back", **rules)
    async def take_back(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """End the consultation; the agent has the caller again. While a contact outside has the caller: the agent who
        had them last is rung, and has them when they pick up.
        """
        return await _done(controlled, Control.TAKE_BACK, call_id, "", visitor, whose)

    @routes.post("/calls/{call_id}/keypad", **rules)
    async def keypad(call_id: CallId, keys: Keys, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """Press keys for whoever the agent talks to: the caller, or whom they consult."""
        return await _done(controlled, Control.KEYPAD, call_id, keys, visitor, whose)

    @routes.post("/calls/{call_id}/hang-up", **rules)
    async def hang_up(call_id: CallId, visitor: CurrentVisitor, whose: Whose) -> ControlledOut:
        """End the conversation as if the agent, or the contact, who has the caller hung up: the client's tree goes on,
        or the call ends. 409 while the caller is on hold by `hold`, `consult` or a feature code.
        """
        return await _done(controlled, Control.HANG_UP, call_id, "", visitor, whose)

    return routes


async def _done(  # noqa: PLR0913, RUF100  # what, where, and on whose behalf
    controlled: Controlled, control: Control, call_id: str, detail: str, visitor: Visitor, by: By
) -> ControlledOut:
    return await done(
        controlled, Permission.CALL_CONTROL, call_id, visitor, lambda: controlled.do(control, call_id, detail, by)
    )
