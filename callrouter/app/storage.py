"""The database as processes and commands open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callrouter.app.folders import keep_private
from callrouter.errors import SettingsError
from callrouter.settings import Settings
from callrouter.store.database import Database
from callrouter.store.embedded import FOLDER


@asynccontextmanager
async def open_database(settings: Settings, *, create: bool = True) -> AsyncIterator[Database]:
    """PostgreSQL, with the schema of this release; `create` makes an embedded one where there is none yet.

    Raises:
        SettingsError: none is named, there is no embedded one, and none shall be made.
        StoreError: it cannot be reached, or belongs to another release.
    """
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if url is None and not create and not (settings.data_dir / FOLDER).exists():
        raise SettingsError(
            f"there is no record in {settings.data_dir} yet: start `callrouter up` here first, "
            "or name its place by CALLROUTER_DATABASE_URL or CALLROUTER_DATA_DIR"
        )
    database = await Database.open(url, settings.data_dir)
    if url is None:
        keep_private(settings.data_dir)
    try:
        await database.check_schema()
        yield database
    finally:
        await database.close()
