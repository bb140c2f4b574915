"""`callrouter messages take`: a message, by the client's form or in plain words, straight into the record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import typer

from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.messages.work import Fields, fields_of, live_plan, refused, with_record
from callrouter.core.plan import Plan
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import Permission
from callrouter.settings import Settings
from callrouter.store.calls import find_call
from callrouter.store.database import Database
from callrouter.store.messages import find_message, keep_taken
from callrouter.store.taken.composing import Given, composed
from callrouter.store.taken.sameness import is_same


def take(  # noqa: PLR0913, RUF100  # each is an option
    client: Annotated[str, typer.Argument(help="Whose caller it is: a client in service.")],
    form: Annotated[str | None, typer.Option("--form", help="As `messages forms` shows it.")] = None,
    field: Fields = None,
    text: Annotated[str, typer.Option("--text", help="Of a client without forms: what the caller says.")] = "",
    urgent: Annotated[bool, typer.Option("--urgent", help="Somebody must hear of it at once.")] = False,
    deliver: Annotated[str | None, typer.Option("--deliver", help="A contact; otherwise whom the form names.")] = None,
    call: Annotated[str | None, typer.Option("--call", help="The call in which it is taken.")] = None,
    message_id: Annotated[
        UUID | None, typer.Option("--id", help="A UUID: typed again with it, it is the same message.")
    ] = None,
) -> None:
    """Take a message, and show its id. A client without forms is taken a --text, and the fields number and name."""
    given = Given(
        message_id=str(message_id or uuid4()),
        client=client,
        form=form,
        fields=fields_of(field),
        text=text,
        urgent=urgent,
        deliver=deliver,
        call_id=call,
    )

    async def work(database: Database, settings: Settings, now: datetime) -> None:
        plan = await live_plan(database, settings, client)
        number = await _number(database, call, plan)
        before = await find_message(database, given.message_id)
        if before is not None:
            number = before[0].caller_number
        by = at_command_line()
        message = composed(given, plan, region=settings.region, caller_number=number, taken_by=by, at=now)
        if isinstance(message, list):
            raise refused(message)
        await keep(database, done_here(Permission.MESSAGE_TAKE, given.message_id, client=client))
        await keep_taken(database, [message])
        kept = await find_message(database, given.message_id)
        if kept is None or not is_same(message, kept):
            raise UsageError(f"message {given.message_id} is another one: give each message an id of its own")

    with_record(work)
    typer.echo(given.message_id)


async def _number(database: Database, call_id: str | None, plan: Plan) -> str | None:
    """Of the caller; None: no call is named, or it is not in the record (yet), or shows none."""
    if call_id is None:
        return None
    if "\x00" in call_id or not call_id.strip():
        raise UsageError("--call: write the id of a call")
    call = await find_call(database, call_id)
    if call is None:
        return None
    if call.client not in (plan.client, *plan.formerly):
        raise UsageError(f"--call: {safe_text(call_id, 80)} is none of client {plan.client}'s")
    return call.caller.number
