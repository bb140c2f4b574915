"""Messages as lines or as JSON, one with its whole trail, and what is to be asked for one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from callrouter.app.storage import open_database
from callrouter.cli.callbacks.listed import AsJson, From, Limit, OfClient, Until
from callrouter.cli.messages.screen import line_of, screen_of
from callrouter.cli.messages.work import live_plan
from callrouter.cli.usage import period_of
from callrouter.core.plan import Plan
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.settings import load_settings
from callrouter.store.messages import MessageChange, MessagePage, StoredMessage, find_message, list_messages
from callrouter.store.promises import instants_of
from callrouter.store.tables import MessageState


def list_all(  # noqa: PLR0913, RUF100  # each is an option
    client: OfClient = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that are done too.")] = False,
    urgent: Annotated[bool, typer.Option("--urgent", help="Only those that are urgent.")] = False,
    from_: From = None,
    to: Until = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show messages that are open, the newest first."""
    settings, period = load_settings(), period_of(from_, to)

    async def work() -> MessagePage:
        async with open_database(settings, create=False) as database:
            now = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)
            start, end = await instants_of(database, period, client, now)
            return await list_messages(
                database,
                client=client,
                state=None if all_ else MessageState.OPEN,
                urgent=True if urgent else None,
                from_at=start,
                to_at=end,
                limit=limit,
            )

    found = asyncio.run(work())
    if as_json:
        from callrouter.api.messages.schemas import MessageOut, MessagesOut

        out = [MessageOut.of(one) for one in found.messages]
        typer.echo(MessagesOut(messages=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.messages:
        typer.echo(line_of(one))
    if not found.messages:
        typer.echo("No message." if all_ else "No message is open.")


def show(
    message_id: Annotated[str, typer.Argument(help="As `list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show a message with its whole trail: who took it, and each change with what it replaced."""

    async def work() -> tuple[StoredMessage, list[MessageChange]] | None:
        async with open_database(load_settings(), create=False) as database:
            return await find_message(database, message_id)

    found = asyncio.run(work())
    if found is None:
        raise UsageError(f"there is no message {safe_text(message_id, 80)}: `callrouter messages list` shows them")
    if as_json:
        from callrouter.api.messages.schemas import MessageDetailOut

        typer.echo(MessageDetailOut.of_kept(found).model_dump_json(indent=2))
        return
    for line in screen_of(*found):
        typer.echo(line)


def forms(
    client: Annotated[str, typer.Argument(help="A client in service.")],
    as_json: AsJson = False,
) -> None:
    """Show what is to be asked for a client's messages, and which form is for now."""
    settings = load_settings()
    at = datetime.now(UTC) + timedelta(seconds=settings.clock_shift_seconds)

    async def work() -> Plan:
        async with open_database(settings, create=False) as database:
            return await live_plan(database, settings, client)

    plan = asyncio.run(work())
    applies = plan.form_for(at=at)
    if as_json:
        from callrouter.api.messages.schemas import FormsOut

        typer.echo(FormsOut.of(plan, applies, None).model_dump_json(indent=2))
        return
    for form in plan.forms:
        now = ", which is for now" if form is applies else ""
        typer.echo(safe_text(f"{form.name}: {form.title}, for {form.deliver}{now}"))
        for field in form.fields:
            choices = f" ({', '.join(value for value, _ in field.choices)})" if field.choices else ""
            required = ", required" if field.required else ""
            typer.echo(safe_text(f"    {field.name}: {field.label}, {field.type}{choices}{required}"))
    if not plan.forms:
        typer.echo("No form: a message is a --text, with the fields number and name.")
    typer.echo(safe_text(f"Contacts: {', '.join(plan.contacts) or 'none'}"))
