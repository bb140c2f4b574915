"""What is done with a message at the command line; it is in the audit trail before it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.messages.work import Fields, MessageId, Note, fields_of, found_plan, refused, with_record
from callrouter.core.forms import Wrong
from callrouter.core.plan import Plan
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import Permission
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.dispatch.reading import was_confidential
from callrouter.store.messages import Change, ChangeResult, StoredMessage, change_message, find_message
from callrouter.store.tables import MessageChangeKind
from callrouter.store.taken.composing import Correction, cannot_open, corrected, unknown_contact

_SO_ALREADY = {
    MessageChangeKind.CORRECTED: "says that already",
    MessageChangeKind.DONE: "is done",
    MessageChangeKind.REOPENED: "is open",
    MessageChangeKind.REASSIGNED: "is for them already",
}
Values = Callable[[StoredMessage, Plan | None, Settings], dict[str, Any]]
"""What a change is made of, beside its kind: arguments of `Change`. Raises UsageError."""


def done(message_id: MessageId, note: Note = "") -> None:
    """Say that a message is settled, and how."""
    _change(message_id, MessageChangeKind.DONE, note)


def reopen(message_id: MessageId, note: Note = "") -> None:
    """Say that a message is to be seen to after all."""
    _change(message_id, MessageChangeKind.REOPENED, note)


def correct(  # noqa: PLR0913, RUF100  # each is an option
    message_id: MessageId,
    field: Fields = None,
    text: Annotated[str | None, typer.Option("--text", help="Of a message without a form: what it says.")] = None,
    urgent: Annotated[
        bool | None, typer.Option("--urgent/--not-urgent", help="Whether somebody must hear of it at once.")
    ] = None,
    note: Note = "",
) -> None:
    """Correct what a message says; what it said before stays in its trail."""
    correction = Correction(fields=fields_of(field), text=text, urgent=urgent)

    def values(message: StoredMessage, plan: Plan | None, settings: Settings) -> dict[str, Any]:
        found = corrected(message, correction, plan, region=settings.region)
        if isinstance(found, list):
            raise refused(found)
        return {"values": found, "revision": message.revision}

    _change(message_id, MessageChangeKind.CORRECTED, note, values)


def reassign(
    message_id: MessageId,
    deliver: Annotated[str, typer.Argument(help="For whom it is from now on: a contact of the client.")],
    note: Note = "",
) -> None:
    """Give a message to somebody else of the client's; who cannot open the link that they are sent is named."""

    def values(_message: StoredMessage, plan: Plan | None, _settings: Settings) -> dict[str, Any]:
        wrong = unknown_contact(plan, deliver) if plan else Wrong(field="deliver", reason="the client is not live")
        if wrong is not None:
            raise refused([wrong])
        return {"deliver": deliver}

    _change(message_id, MessageChangeKind.REASSIGNED, note, values)


def _change(
    message_id: str, kind: MessageChangeKind, note: str, values: Values = lambda _message, _plan, _settings: {}
) -> None:
    if "\x00" in note:
        raise UsageError("--note: no text holds a NUL")

    async def work(database: Database, settings: Settings, now: datetime) -> None:
        found = await find_message(database, message_id)
        if found is None:
            raise UsageError(f"there is no message {safe_text(message_id, 80)}: `callrouter messages list` shows them")
        message = found[0]
        plan = await found_plan(database, settings, message.client)
        made = values(message, plan, settings)
        change = Change(kind=kind, principal=at_command_line(), at=now, note=note, **made)
        await keep(database, done_here(Permission.MESSAGE_CHANGE, f"{message_id} {kind}", client=message.client))
        match await change_message(database, message_id, change):
            case ChangeResult.ALREADY:
                raise UsageError(f"message {message_id} {_SO_ALREADY[kind]}: nothing was changed")
            case ChangeResult.OUTRUN:
                raise UsageError(f"message {message_id} was changed meanwhile: look at it, and try again")
        if plan is not None and change.deliver:
            confidential = await was_confidential(database, message_id)
            whom, urgent = change.deliver, message.urgent
            for warning in cannot_open(plan, whom, urgent=urgent, confidential=confidential, at=now):
                typer.echo(f"callrouter: {safe_text(warning, 400)}", err=True)

    with_record(work)
