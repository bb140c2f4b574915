"""The database as processes and commands open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from callrouter.app.folders import keep_private
from callrouter.app.live.live_plans import FOLDER as LIVE
from callrouter.app.live.live_plans import INDEX
from callrouter.errors import DatabaseUnreachable, SettingsError
from callrouter.settings import Settings
from callrouter.store.database import ENGINE_STATEMENT_SECONDS, STATEMENT_SECONDS, Database
from callrouter.store.embedded import FOLDER, PATIENCE_SECONDS

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_database(
    settings: Settings, *, create: bool = True, may_be_away: bool = False, seen_later: bool = False
) -> AsyncIterator[Database]:
    """PostgreSQL, with the schema of this release; `create` makes an embedded one where there is none yet.

    It `may_be_away` for whoever can begin without it: then it is opened when it comes. It is `seen_later` by whoever
    has something else to do first: then nobody has looked at it yet (`first_look`). Where nothing was ever live, a
    PostgreSQL that does not answer is rather a setting that is wrong, and an error all the same.

    Raises:
        SettingsError: none is named, there is no embedded one, and none shall be, or can be, made.
        StoreError: it cannot be reached, or belongs to another release.
    """
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if not create:
        require_database(settings)
    kept = (settings.data_dir / LIVE / INDEX).exists()
    limit = ENGINE_STATEMENT_SECONDS if seen_later else STATEMENT_SECONDS
    if kept and seen_later:
        database = Database.later(url, settings.data_dir, statement_seconds=limit)
    else:
        database = await _opened(url, settings, limit, may_be_away=kept and may_be_away)
    try:
        yield database
    finally:
        await database.close()


def require_database(settings: Settings) -> None:
    """Make sure that there is a database: whoever only asks makes none.

    Raises:
        SettingsError: none is named, and there is no embedded one.
    """
    if settings.database_url is None and not (settings.data_dir / FOLDER).exists():
        raise SettingsError(
            f"there is no record in {settings.data_dir} yet: start `callrouter up` here first, "
            "or name its place by CALLROUTER_DATABASE_URL or CALLROUTER_DATA_DIR"
        )


async def first_look(database: Database, settings: Settings) -> None:
    """At a database that nobody has looked at: one that is away is opened when it comes.

    Raises:
        StoreError: it belongs to another release, or refuses us.
    """
    try:
        await database.ping()
    except DatabaseUnreachable as error:
        _is_away(error)
    else:
        if settings.database_url is None:
            keep_private(settings.data_dir)


async def _opened(url: str | None, settings: Settings, limit: float, *, may_be_away: bool) -> Database:
    try:
        patience = 0.0 if may_be_away else PATIENCE_SECONDS
        database = await Database.open(url, settings.data_dir, statement_seconds=limit, patience_seconds=patience)
    except DatabaseUnreachable as error:
        if not may_be_away:
            raise
        _is_away(error)
        return Database.later(url, settings.data_dir, statement_seconds=limit)
    if url is None:
        keep_private(settings.data_dir)
    try:
        await database.check_schema()
    except BaseException:
        await database.close()
        raise
    return database


def _is_away(error: DatabaseUnreachable) -> None:
    log.error("PostgreSQL is away; the start goes on without it", reason=str(error))
