"""`callrouter audit`: who listened, played or changed what, and who was refused; and how commands get into it."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer

from callrouter.app.storage import open_database
from callrouter.cli.usage import WHEN, period_of
from callrouter.errors import CallrouterError
from callrouter.logs import safe_text
from callrouter.settings import Settings, load_settings
from callrouter.store.access.audit import AuditPage, Deed, list_audit
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.promises import instants_of
from callrouter.store.tables import AuditOutcome

T = TypeVar("T")


def audit(  # noqa: PLR0913, RUF100  # each is an option
    client: Annotated[str | None, typer.Option(help="Only what concerns this client.")] = None,
    principal: Annotated[str | None, typer.Option(help="Only what this one did: operator, token:NAME …")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action: recording.play, dialplan.publish …")] = None,
    outcome: Annotated[AuditOutcome | None, typer.Option(help="Only what ended so.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help=f"{WHEN}.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Day or time, not included.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Of the page before, as --json says it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: as /api/audit.")] = False,
) -> None:
    """Show who listened, played or changed what, and who was refused, the newest first."""
    period = period_of(from_, to)

    async def work(database: Database) -> AuditPage:
        start, end = await instants_of(database, period, client, datetime.now(UTC))
        return await list_audit(
            database,
            client=client,
            principal=principal,
            action=action,
            outcome=outcome,
            from_at=start,
            to_at=end,
            limit=limit,
            cursor=cursor,
        )

    found = asyncio.run(_asked(load_settings(), work))
    if as_json:
        from callrouter.api.schemas.audit import AuditOut, DeedOut

        out = AuditOut(deeds=[DeedOut.of(row) for row in found.rows], next_cursor=found.next_cursor)
        typer.echo(out.model_dump_json(indent=2))
        return
    for row in found.rows:
        deed = row.deed
        times = f" {row.times} times" if row.times > 1 else ""
        of = f" ({deed.client})" if deed.client else ""
        whence = f" from {deed.address}" if deed.address else ""
        what = f"{deed.action} {deed.object}".rstrip()
        typer.echo(
            safe_text(f"{row.at:%Y-%m-%d %H:%M:%S}Z  {deed.outcome:<7}  {deed.principal}{whence}: {what}{of}{times}")
        )
    if not found.rows:
        typer.echo("Nothing of that kind is in the audit trail.")
    if found.next_cursor:
        typer.echo(f"There is more: --limit {min(10 * limit, 10_000)}, or --cursor {found.next_cursor}")


def somebody() -> str:
    """Who is logged in here; empty where nobody knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def at_command_line() -> str:
    """The principal of whoever uses this command line."""
    return f"command:{somebody() or 'unknown'}"


def done_here(
    action: str, object_: str, outcome: AuditOutcome = AuditOutcome.DONE, *, client: str | None = None
) -> Deed:
    """What is done at this command line."""
    return Deed(principal=at_command_line(), action=action, object=object_, client=client, outcome=outcome)


async def keep(database: Database, deed: Deed) -> None:
    """Put what a command does into the audit trail.

    Raises:
        StoreError: PostgreSQL does not take it.
    """
    await AuditTrail(database).record(deed)


def keep_if_there(settings: Settings, deed: Deed) -> None:
    """The same for a command that works without PostgreSQL: where the trail cannot be had, that is said."""

    async def work(database: Database) -> None:
        await keep(database, deed)

    try:
        asyncio.run(_asked(settings, work))
    except CallrouterError as error:
        typer.echo(safe_text(f"callrouter: this is not in the audit trail: {error}"), err=True)


async def _asked(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async with open_database(settings, create=False) as database:
        return await work(database)
