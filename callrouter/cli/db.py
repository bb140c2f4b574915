"""`callrouter db`: the schema's state, and the way to this release's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from callrouter.app.storage import require_database
from callrouter.cli.audit import done_here, keep
from callrouter.cli.usage import Command, Group
from callrouter.settings import Settings, load_settings
from callrouter.store.database import Database

T = TypeVar("T")

db = typer.Typer(
    cls=Group,
    help="Upgrade the database's schema, or show it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@db.command(cls=Command)
def upgrade() -> None:
    """Bring the schema to this release's. The embedded PostgreSQL does so by itself at every start."""

    async def work(database: Database) -> tuple[str | None, str | None]:
        before = await database.current()
        await database.upgrade()
        after = await database.current()
        if after != before:
            await keep(database, done_here("db.upgrade", f"{before or 'nothing'} to {after}"))
        return before, after

    before, after = _with_database(work)
    if before == after:
        typer.echo(f"the schema is at {after} already")
    else:
        typer.echo(f"the schema went from {before or 'nothing'} to {after}")


@db.command(cls=Command)
def current() -> None:
    """Show the schema's revision, and fail when it is not this release's."""

    async def work(database: Database) -> str | None:
        revision = await database.current()
        typer.echo(revision or "empty")
        await database.check_schema()
        return revision

    _with_database(work, create=False)


@db.command(cls=Command)
def url() -> None:
    """Show which database is used, without its password."""

    async def work(database: Database) -> str:
        return database.masked_url

    typer.echo(_with_database(work, create=False))


def _with_database(work: Callable[[Database], Awaitable[T]], *, create: bool = True) -> T:
    async def run(settings: Settings) -> T:
        secret = settings.database_url
        if not create:
            require_database(settings)
        database = await Database.open(secret.get_secret_value() if secret else None, settings.data_dir)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run(load_settings()))
