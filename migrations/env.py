"""Alembic's entry: works on the connection it is handed, or on CALLROUTER_DATABASE_URL when called as `alembic`."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from callrouter.store.tables import metadata


def migrate(connection: Connection) -> None:
    """Run the migrations in the connection's transaction."""
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_migrate() -> None:
    """For the `alembic` command: connect first."""
    url = os.environ.get("CALLROUTER_DATABASE_URL")
    if not url:
        raise SystemExit("set CALLROUTER_DATABASE_URL to the database that alembic shall work on")
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(connect_and_migrate())
