"""What web services should have been told of calls, as lines or as JSON; sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import typer

from callrouter.cli.audit import done_here, keep
from callrouter.cli.callbacks.listed import AsJson, Limit, OfClient
from callrouter.cli.messages.screen import at_second
from callrouter.cli.messages.work import with_record
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import Permission
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.dispatch.asked_for import (
    AskedFor,
    AskedForPage,
    Standing,
    client_of,
    list_asked_for,
    send_again,
    send_all_again,
)

_LONGEST: Final = 1_000
"""Characters of a line: other sides' answers may be long."""


def list_all(
    client: OfClient = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Those still to be sent instead.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was given up, the last ones first."""
    standing = Standing.WAITING if waiting else Standing.FAILED

    async def work(database: Database, _settings: Settings, _now: datetime) -> AskedForPage:
        return await list_asked_for(database, standing=standing, client=client, limit=limit)

    found = with_record(work)
    if as_json:
        from callrouter.api.deliveries.schemas import ToldOut, ToldPageOut

        out = [ToldOut.of(one) for one in found.found]
        typer.echo(ToldPageOut(deliveries=out, next_cursor=found.next_cursor).model_dump_json(indent=2))
        return
    for one in found.found:
        typer.echo(safe_text(_line(one), _LONGEST))
    if not found.found:
        typer.echo("Nothing waits to be sent." if waiting else "Nothing was given up.")
    if found.next_cursor:
        typer.echo(f"There are more: --limit {min(10 * limit, 10_000)}")


def again(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="As `list` shows them.")] = None,
    client: Annotated[str | None, typer.Option("--client", help="All of this client's that were given up.")] = None,
) -> None:
    """Send again what was given up, with the id it had."""
    if bool(ids) is bool(client):
        raise UsageError("name deliveries, as `callrouter deliveries list` shows them, or a client with --client")

    async def work(database: Database, _settings: Settings, now: datetime) -> int:
        if client:
            await keep(database, done_here(Permission.DELIVERY_REPEAT, "all", client=client))
            return await send_all_again(database, client, at=now)
        for one in ids or ():
            whose = await client_of(database, one)
            if whose is None:
                raise UsageError(f"there is no delivery {safe_text(one, 80)}: `callrouter deliveries list` shows them")
            await keep(database, done_here(Permission.DELIVERY_REPEAT, one, client=whose[0]))
        return await send_again(database, ids or (), at=now)

    repeated = with_record(work)
    if not repeated:
        raise UsageError("none of it was given up: nothing is sent again")
    typer.echo(f"{repeated} sent again.")


def _line(asked: AskedFor) -> str:
    one = asked.delivery
    coming = f", next {at_second(one.next_attempt_at)}" if one.next_attempt_at else ""
    said = f"  {' '.join(one.answer.split())}" if one.answer else ""
    head = f"{at_second(one.changed_at)}  {one.delivery_id}  {asked.client} {one.contact} {one.address}"
    return f"{head}: {one.state}, {one.attempts} attempt{'' if one.attempts == 1 else 's'}{coming}{said}"
