"""What is done with a message: corrected, done, reopened, reassigned. Nothing of it is lost: the trail has it all."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.messages.desk import Desk, refusal
from callrouter.api.messages.listed import MessageId, readable
from callrouter.api.messages.schemas import MessageCorrected, MessageDetailOut, MessageReassigned, MessageSettled
from callrouter.api.problems import documented
from callrouter.core.forms import Wrong
from callrouter.core.plan import Plan
from callrouter.permissions import Permission
from callrouter.store.dispatch.reading import was_confidential
from callrouter.store.messages import Change, ChangeResult, StoredMessage, change_message
from callrouter.store.tables import AuditOutcome, MessageChangeKind
from callrouter.store.taken.composing import Correction, cannot_open, corrected, unknown_contact

_ALREADY = {
    MessageChangeKind.CORRECTED: "says that already: nothing was changed",
    MessageChangeKind.DONE: "is done already",
    MessageChangeKind.REOPENED: "is open already",
    MessageChangeKind.REASSIGNED: "is for them already",
}


def add(routes: APIRouter, desk: Desk, gate: Gate) -> None:
    """Add the routes."""
    changer = _Changer(desk)
    needs = gate.needs(Permission.MESSAGE_CHANGE)
    problems = documented(403, 404, 409, 413)

    @routes.post("/messages/{message_id}/correct", response_model=MessageDetailOut, responses=problems, **needs)
    async def correct(
        message_id: MessageId, said: MessageCorrected, visitor: CurrentVisitor
    ) -> MessageDetailOut | Response:
        """Correct what a message says; what it said before stays in its trail. Fields are held to the client's form as
        it is now. 409 where somebody else changed it meanwhile, or it says that already."""
        message, _ = await readable(desk.database, message_id, Permission.MESSAGE_CHANGE, visitor)
        plan = await desk.plans.live(message.client)
        correction = Correction(fields=said.fields, text=said.text, urgent=said.urgent)
        values = corrected(message, correction, plan, region=desk.region)
        if isinstance(values, list):
            return refusal(values)
        change = Change(
            kind=MessageChangeKind.CORRECTED,
            principal=visitor.principal.name,
            at=desk.now(),
            note=said.note,
            values=values,
            revision=message.revision if said.revision is None else said.revision,
        )
        return await changer.change(message_id, change, visitor)

    @routes.post("/messages/{message_id}/done", responses=problems, **needs)
    async def done(message_id: MessageId, said: MessageSettled, visitor: CurrentVisitor) -> MessageDetailOut:
        """Say that a message is settled, and how: "called back". 409 for one that is."""
        return await changer.settle(message_id, MessageChangeKind.DONE, said, visitor)

    @routes.post("/messages/{message_id}/reopen", responses=problems, **needs)
    async def reopen(message_id: MessageId, said: MessageSettled, visitor: CurrentVisitor) -> MessageDetailOut:
        """Say that a message is to be seen to after all. 409 for one that is open."""
        return await changer.settle(message_id, MessageChangeKind.REOPENED, said, visitor)

    @routes.post("/messages/{message_id}/reassign", response_model=MessageDetailOut, responses=problems, **needs)
    async def reassign(
        message_id: MessageId, said: MessageReassigned, visitor: CurrentVisitor
    ) -> MessageDetailOut | Response:
        """Say for whom a message is from now on: a contact of the client's. 409 where it is for them already.
        `warnings` name who is sent a link that they cannot open: one that was confidential stays so."""
        message, _ = await readable(desk.database, message_id, Permission.MESSAGE_CHANGE, visitor)
        plan = await desk.plans.live(message.client)
        wrong = (
            unknown_contact(plan, said.deliver)
            if plan is not None
            else Wrong(field="deliver", reason="the client is not in service, and has no contacts")
        )
        if wrong is not None:
            return refusal([wrong])
        change = Change(
            kind=MessageChangeKind.REASSIGNED,
            principal=visitor.principal.name,
            at=desk.now(),
            note=said.note,
            deliver=said.deliver,
            revision=said.revision,
        )
        assert plan is not None, "without one the name of a contact is wrong"
        return await changer.change(message_id, change, visitor, plan)


class _Changer:
    """Changes a message on somebody's behalf."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def settle(
        self, message_id: str, kind: MessageChangeKind, said: MessageSettled, visitor: Visitor
    ) -> MessageDetailOut:
        """Change where it stands."""
        await readable(self._desk.database, message_id, Permission.MESSAGE_CHANGE, visitor)
        change = Change(
            kind=kind, principal=visitor.principal.name, at=self._desk.now(), note=said.note, revision=said.revision
        )
        return await self.change(message_id, change, visitor)

    async def change(
        self, message_id: str, change: Change, visitor: Visitor, plan: Plan | None = None
    ) -> MessageDetailOut:
        """Change it; how it stands then. `plan` is that of its client, where somebody else is told of it now.

        Raises:
            HTTPException: that cannot be done (404, 409).
        """
        database = self._desk.database
        result = await change_message(database, message_id, change)
        if result is ChangeResult.ALREADY:
            raise HTTPException(HTTPStatus.CONFLICT, f"message {message_id} {_ALREADY[change.kind]}")
        if result is ChangeResult.OUTRUN:
            raise HTTPException(
                HTTPStatus.CONFLICT, f"message {message_id} was changed meanwhile: look at it, and send it again"
            )
        kept = await readable(database, message_id, Permission.MESSAGE_CHANGE, visitor)
        visitor.note(
            Permission.MESSAGE_CHANGE,
            AuditOutcome.DONE,
            object_=f"{message_id} {change.kind}",
            client=kept[0].client,
        )
        return MessageDetailOut.of_kept(kept, await self._warnings(kept[0], plan) if plan is not None else ())

    async def _warnings(self, message: StoredMessage, plan: Plan) -> tuple[str, ...]:
        confidential = await was_confidential(self._desk.database, message.message_id)
        urgent, at = message.urgent, self._desk.now()
        return cannot_open(plan, message.deliver, urgent=urgent, confidential=confidential, at=at)
