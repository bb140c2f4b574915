"""POST /api/messages: a message by form, kept on disk before it is answered."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.messages.desk import LOOK_SECONDS, Desk, refusal
from callrouter.api.messages.schemas import KeptOnDiskOut, MessageDetailOut, MessageTaken
from callrouter.api.problems import documented
from callrouter.errors import AnotherMessage, StoreError
from callrouter.permissions import Permission
from callrouter.store.messages import TakenMessage, find_message
from callrouter.store.tables import AuditOutcome
from callrouter.store.taken.composing import Given, composed
from callrouter.store.taken.sameness import Kept, is_same
from callrouter.store.writing.writer import RowsRefused

ON_DISK = "kept on disk: it is in the record as soon as PostgreSQL answers"


def add(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    """Add the route."""

    @routes.post(
        "/messages",
        status_code=HTTPStatus.CREATED,
        response_model=MessageDetailOut,
        responses={
            **documented(403, 404, 409, 413),
            200: {"model": MessageDetailOut, "description": "It was taken before: the same message, as it stands"},
            202: {"model": KeptOnDiskOut, "description": "Kept on disk, and not in the record yet"},
        },
        **gate.needs(Permission.MESSAGE_TAKE),
    )
    async def take(asked: MessageTaken, visitor: CurrentVisitor, response: Response) -> MessageDetailOut | Response:
        """Take a message. It is kept when this answers: in the record (201), or on this machine's own disk while
        PostgreSQL is away (202). Sent again with the same `id` it is the same message (200), and never two; another
        message under an id that is used is refused (409). What is wrong with a field is said for each (422)."""
        visitor.asked_client(Permission.MESSAGE_TAKE, asked.client)
        message_id = str(asked.id)
        plan = await desk.live_plan(asked.client, visitor)
        call = await desk.call(asked.call_id, plan, Permission.MESSAGE_TAKE, visitor)
        before = desk.journal.find(message_id) or await _in_record(desk, message_id)
        # Of one that is sent again, what was filled in then: the call may be known better now.
        number = call.caller.number if call else None
        if before is not None:
            number = before.caller_number if isinstance(before, TakenMessage) else before[0].caller_number
        given = Given(
            message_id=message_id,
            client=plan.client,
            form=asked.form,
            fields=asked.fields,
            text=asked.text,
            urgent=asked.urgent,
            deliver=asked.deliver,
            call_id=asked.call_id,
        )
        taken_by, at = visitor.principal.name, desk.now()
        message = composed(given, plan, region=desk.region, caller_number=number, taken_by=taken_by, at=at)
        if isinstance(message, list):
            return refusal(message)
        if before is not None and not isinstance(before, TakenMessage):
            if not is_same(message, before):
                raise _another(message_id)
            response.status_code = HTTPStatus.OK
            return MessageDetailOut.of_kept(before)
        kept = await _kept(desk, message)
        visitor.note(Permission.MESSAGE_TAKE, AuditOutcome.DONE, object_=message_id, client=plan.client)
        if kept is None:
            out = KeptOnDiskOut(message_id=message_id, detail=ON_DISK)
            return Response(out.model_dump_json(), HTTPStatus.ACCEPTED, media_type="application/json")
        if kept[0].taken_at != message.taken_at:  # another process had it a moment ago
            response.status_code = HTTPStatus.OK
        return MessageDetailOut.of_kept(kept)


async def _in_record(desk: Desk, message_id: str) -> Kept | None:
    """One that is there; None also while nobody can say: then PostgreSQL decides when it has it."""
    if desk.journal.is_away:
        return None
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await find_message(desk.database, message_id)
    except (StoreError, TimeoutError):
        return None


async def _kept(desk: Desk, message: TakenMessage) -> Kept | None:
    try:
        return await desk.journal.take(message)
    except AnotherMessage as error:
        raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
    except RowsRefused as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def _another(message_id: str) -> HTTPException:
    return HTTPException(
        HTTPStatus.CONFLICT, f"message {message_id} is another one: give each message an id of its own"
    )
