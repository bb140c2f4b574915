"""Who was told of a message, what must be looked at, and what is done about it; at the command line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

import typer

from callrouter.cli.audit import at_command_line, done_here, keep
from callrouter.cli.callbacks.listed import AsJson, Limit, OfClient
from callrouter.cli.messages.screen import at_second, line_of
from callrouter.cli.messages.work import MessageId, with_record
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import Permission
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge as acknowledge_message
from callrouter.store.dispatch.again import AgainResult, put_again
from callrouter.store.dispatch.board import Board, list_board
from callrouter.store.dispatch.reading import DispatchEvent, StoredDelivery, Trail, find_trail
from callrouter.store.messages import StoredMessage, messages_of
from callrouter.store.tables import DispatchState

_LONGEST: Final = 1_000
"""Characters of a line: other sides' answers may be long."""


def trail(message_id: MessageId, as_json: AsJson = False) -> None:
    """Show who was told of a message, by what, when, and what came of it."""

    async def work(database: Database, _settings: Settings, _now: datetime) -> Trail:
        return await _found(database, message_id)

    found = with_record(work)
    if as_json:
        from callrouter.api.messages.delivery_schemas import DeliveryTrailOut

        typer.echo(DeliveryTrailOut.of(found).model_dump_json(indent=2))
        return
    for line in _screen(found):
        typer.echo(safe_text(line, _LONGEST))


def attention(client: OfClient = None, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Show messages that somebody must look at: on the agents' list, told to nobody, or not moving."""

    async def work(database: Database, _settings: Settings, now: datetime) -> tuple[Board, dict[str, StoredMessage]]:
        board = await list_board(database, now=now, client=client, limit=limit)
        return board, await messages_of(database, [one.dispatch.message_id for one in board.entries])

    board, found = with_record(work)
    entries = [(found[one.dispatch.message_id], one) for one in board.entries if one.dispatch.message_id in found]
    if as_json:
        from callrouter.api.messages.delivery_schemas import AttentionOut, WaitingOut

        out = [WaitingOut.of_entry(message, one) for message, one in entries]
        typer.echo(AttentionOut(messages=out, next_cursor=board.next_cursor).model_dump_json(indent=2))
        return
    for message, one in entries:
        typer.echo(line_of(message))
        typer.echo(safe_text(f"    {one.because}", _LONGEST))
    if not entries:
        typer.echo("No message needs attention.")
    if board.next_cursor:
        typer.echo(f"There are more: --limit {min(10 * limit, 10_000)}")


def acknowledge(message_id: MessageId) -> None:
    """Take a message on, so that nobody else is told of it."""

    async def work(database: Database, _settings: Settings, now: datetime) -> None:
        found = await _found(database, message_id)
        await keep(database, done_here(Permission.MESSAGE_ACKNOWLEDGE, message_id, client=found.dispatch.client))
        if not await acknowledge_message(database, message_id, by=at_command_line(), how="cli", at=now):
            raise UsageError(f"message {safe_text(message_id, 80)} is acknowledged already: nothing was changed")

    with_record(work)


def again(
    message_id: MessageId,
    delivery: Annotated[
        str | None, typer.Option("--delivery", help="Only this one of it, as `trail --json` shows it.")
    ] = None,
) -> None:
    """Send again what failed of a message; one of which nothing has begins anew by the client's rule."""

    async def work(database: Database, _settings: Settings, now: datetime) -> str:
        found = await _found(database, message_id)
        if delivery is not None and delivery not in {one.delivery_id for one in found.deliveries}:
            raise UsageError(f"--delivery: message {safe_text(message_id, 80)} has no such delivery")
        deed = done_here(Permission.MESSAGE_CHANGE, f"{message_id} redelivered", client=found.dispatch.client)
        await keep(database, deed)
        done = await put_again(database, delivery or message_id, by=at_command_line(), at=now)
        match done.result:
            case AgainResult.QUEUED:
                return f"{done.repeated} sent again."
            case AgainResult.RESTARTED:
                return "Nothing had failed: it begins anew, by the client's rule."
            case AgainResult.ACKNOWLEDGED:
                raise UsageError(f"message {safe_text(message_id, 80)} is acknowledged: nobody is told any more")
            case AgainResult.NOTHING | AgainResult.UNKNOWN:
                raise UsageError(f"message {safe_text(message_id, 80)}: nothing of it has failed")

    typer.echo(with_record(work))


async def _found(database: Database, message_id: str) -> Trail:
    """Raises UsageError: nobody is owed it."""
    found = await find_trail(database, message_id)
    if found is None:
        raise UsageError(
            f"there is no message {safe_text(message_id, 80)}, or it was taken before messages were delivered: "
            "`callrouter messages list` shows them"
        )
    return found


def _screen(found: Trail) -> Iterator[str]:
    dispatch = found.dispatch
    urgent = ", urgent" if dispatch.urgent else ""
    by = f", by rule {dispatch.rule}" if dispatch.rule else ""
    yield f"{dispatch.message_id}: {dispatch.state}{urgent}"
    yield f"{dispatch.client}{by}, since {at_second(dispatch.began_at)}"
    if dispatch.state is DispatchState.ACKNOWLEDGED and dispatch.ended_at is not None:
        how = f"by {dispatch.acknowledged_how}"
        yield f"acknowledged {at_second(dispatch.ended_at)} by {dispatch.acknowledged_by} ({how})"
    if dispatch.reason:
        yield dispatch.reason
    if dispatch.due_at is not None:
        yield f"next at {at_second(dispatch.due_at)}: step {dispatch.step + 1}, round {dispatch.round + 1}"
    if dispatch.ages_at is not None:
        yield f"urgent from {at_second(dispatch.ages_at)} on"
    addresses = {one.delivery_id: one.address for one in found.deliveries}
    for event in found.events:
        yield _event(event, addresses.get(event.delivery_id or "", ""))
    for one in found.deliveries:
        yield f"    {_standing(one)}"


def _event(event: DispatchEvent, address: str) -> str:
    whom = " ".join(part for part in (event.contact, event.means, address) if part)
    said = [part for part in (whom, event.detail.replace("\n", " "), event.principal) if part]
    return "  ".join([at_second(event.at), f"{event.what:<14}", *said]).rstrip()


def _standing(one: StoredDelivery) -> str:
    tries = "" if not one.attempts else f", {one.attempts} attempt{'s' if one.attempts > 1 else ''}"
    coming = f", next {at_second(one.next_attempt_at)}" if one.next_attempt_at else ""
    kind = "" if one.kind == "message" else f" ({one.kind})"
    where = f"{one.contact} {one.means} {one.address}{kind}"
    return f"{where}: {one.state} since {at_second(one.changed_at)}{tries}{coming}"
