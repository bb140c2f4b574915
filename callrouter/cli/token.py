"""`callrouter token`: make a token that may do some things for some clients or teams, list them, revoke one."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from callrouter.app.storage import open_database
from callrouter.cli.audit import at_command_line
from callrouter.cli.usage import Command, Group
from callrouter.errors import UsageError
from callrouter.logs import safe_text
from callrouter.permissions import ABOUT, Permission, Scope, ScopeKind
from callrouter.settings import load_settings
from callrouter.store.access.tokens import (
    FRESH_SECONDS,
    StoredToken,
    create_token,
    list_tokens,
    revoke_token,
    scope_of,
)
from callrouter.store.database import Database
from callrouter.store.plans import is_client

token = typer.Typer(
    cls=Group,
    help="Make, list and revoke the API's tokens.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@token.command(cls=Command)
def create(  # noqa: PLR0913, RUF100  # each is an option
    name: Annotated[str, typer.Argument(help="What it is for: the audit trail shows it.")],
    may: Annotated[list[Permission], typer.Option("--may", help="What its holder may do (several times).")],
    client: Annotated[list[str] | None, typer.Option("--client", help="For this client (several times).")] = None,
    team: Annotated[
        list[str] | None, typer.Option("--team", help="For calls that waited in this queue (several times).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="For all clients.")] = False,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=3650, help="Good for so many days; otherwise until it is revoked."),
    ] = None,
) -> None:
    """Make a token, and show it this once: only a hash of it is kept."""
    scope = scope_of(client or [], team or [], everything=everything)
    _must_be_holdable(may, scope)
    now = datetime.now(UTC)
    expires_at = None if days is None else now + timedelta(days=days)

    async def work() -> str:
        async with open_database(load_settings(), create=False) as database:
            await _must_be_clients(database, scope)
            return await create_token(
                database, name, permissions=may, scope=scope, by=at_command_line(), expires_at=expires_at, now=now
            )

    typer.echo(asyncio.run(work()))
    until = f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
    typer.echo(safe_text(f"Token {name} is good for {scope}{until}. It is shown this once: keep it safe."), err=True)


@token.command("list", cls=Command)
def list_all(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show every token: what it may, for whom, and until when. None of them can be read again."""

    async def work() -> list[StoredToken]:
        async with open_database(load_settings(), create=False) as database:
            return await list_tokens(database)

    found, now = asyncio.run(work()), datetime.now(UTC)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        typer.echo("There is no token but the operator's (CALLROUTER_API_TOKEN).")
    for one in found:
        used = f"last used {one.last_used_at:%Y-%m-%d %H}h UTC" if one.last_used_at else "never used"
        ends = one.ended(now) or (f"expires {one.expires_at:%Y-%m-%d}" if one.expires_at else "does not expire")
        may = ", ".join(one.permissions)
        typer.echo(safe_text(f"{one.name}: {may} on {one.scope}; {ends}; {used}; made by {one.created_by or 'nobody'}"))


@token.command(cls=Command)
def revoke(name: Annotated[str, typer.Argument(help="As `list` shows it.")]) -> None:
    """End a token for good. Whoever holds it is refused within seconds."""

    async def work() -> StoredToken:
        async with open_database(load_settings(), create=False) as database:
            return await revoke_token(database, name, by=at_command_line())

    ended = asyncio.run(work()).ended(datetime.now(UTC))
    typer.echo(safe_text(f"Token {name} {ended}; it is refused within {FRESH_SECONDS:g} s."))


_OPTIONS: Final = {ScopeKind.ALL: "--all", ScopeKind.CLIENTS: "--client", ScopeKind.TEAMS: "--team"}


def _must_be_holdable(may: list[Permission], scope: Scope) -> None:
    for one in may:
        if scope.kind not in ABOUT[one].scopes:
            options = " or ".join(_OPTIONS[kind] for kind in _OPTIONS if kind in ABOUT[one].scopes)
            raise UsageError(f"{one} cannot be limited to {scope.kind}: give it with {options}")


async def _must_be_clients(database: Database, scope: Scope) -> None:
    for name in sorted(scope.names) if scope.kind is ScopeKind.CLIENTS else []:
        if "\x00" in name or not await is_client(database, name):
            raise UsageError(f"there is no client {safe_text(name, 80)}: none of that name was ever live")


def _as_json(one: StoredToken) -> dict[str, object]:
    def text(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "id": one.token_id,
        "name": one.name,
        "may": list(one.permissions),
        "scope": one.scope.kind.value,
        "names": sorted(one.scope.names),
        "created_at": text(one.created_at),
        "created_by": one.created_by,
        "expires_at": text(one.expires_at),
        "revoked_at": text(one.revoked_at),
        "last_used_at": text(one.last_used_at),
    }
