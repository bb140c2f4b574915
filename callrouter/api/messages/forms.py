"""GET /api/clients/{client}/forms: what is to be asked for a message."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import TEXT
from callrouter.api.messages.desk import Desk
from callrouter.api.messages.schemas import FormsOut
from callrouter.api.problems import documented
from callrouter.permissions import Permission

ClientName = Annotated[
    str, Path(pattern="^[a-z0-9-]+$", max_length=64, description="A client in service", examples=["cabinet-moreau"])
]
OfCall = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=200,
        pattern=TEXT,
        description="The call in which a message is taken",
        examples=["1795427775-42-518203"],
    ),
]


def add(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    """Add the route."""

    @routes.get("/clients/{client}/forms", responses=documented(403, 404), **gate.needs(Permission.MESSAGE_TAKE))
    async def forms(client: ClientName, visitor: CurrentVisitor, call_id: OfCall = None) -> FormsOut:
        """The client's forms as they are live, and which of them is for the call, or without one for now. Any of them
        may be taken. A client without forms takes plain messages."""
        visitor.asked_client(Permission.MESSAGE_TAKE, client)
        plan = await desk.live_plan(client, visitor)
        call = await desk.call(call_id, plan, Permission.MESSAGE_TAKE, visitor)
        caller, kind = (call.caller, call.kind(plan)) if call else (None, "")
        applies = plan.form_for(at=desk.now(), caller=caller, kind=kind)
        return FormsOut.of(plan, applies, caller.number if caller else None)
