"""The database as both processes open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callrouter.settings import Settings
from callrouter.store.database import Database


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """PostgreSQL, with the schema of this release.

    Raises:
        StoreError: it cannot be reached, or belongs to another release.
    """
    url = settings.database_url.get_secret_value() if settings.database_url else None
    database = await Database.open(url, settings.data_dir)
    try:
        await database.check_schema()
        yield database
    finally:
        await database.close()
