"""The migrations build what the tables declare; a schema of another release is refused with a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from callrouter.errors import SchemaMismatch
from callrouter.store import schema
from callrouter.store.database import Database
from callrouter.store.tables import metadata


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


_CATALOGUE = text(
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
       UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes
       WHERE schemaname = 'public' AND tablename <> 'alembic_version'
       UNION ALL SELECT table_name, column_name, concat_ws(' ', data_type, is_nullable, collation_name, is_identity)
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
       ORDER BY 1, 2, 3"""
)


async def test_the_migrated_schema_is_the_declared_one(database: Database, server: Any) -> None:
    """By Alembic's comparison, and by PostgreSQL's own catalogue (checks, collations and indexes included)."""
    declared = await Database.open(await server.new_database(), Path("unused"))
    async with declared.connection() as connection:
        await connection.run_sync(metadata.create_all)
        expected = (await connection.execute(_CATALOGUE)).all()
    await declared.close()

    async with database.connection() as connection:
        found = (await connection.execute(_CATALOGUE)).all()
        assert await connection.run_sync(_differences) == []
    assert expected == found
    assert len(found) > 60


async def test_down_and_up_again(database: Database) -> None:
    """Every revision can be left, and leaves nothing behind."""
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "base")
        left = (await connection.execute(_CATALOGUE)).all()
    assert left == []
    assert await database.current() is None

    await database.upgrade()

    await database.check_schema()


async def test_an_empty_database_is_named(server: Any) -> None:
    """Nobody upgrades a server of somebody else's by surprise: the sentence says how."""
    database = await Database.open(await server.new_database(), Path("unused"))

    with pytest.raises(SchemaMismatch, match="empty: run `callrouter db upgrade`"):
        await database.check_schema()
    await database.close()


async def test_a_newer_schema_is_refused_and_left_alone(database: Database) -> None:
    """Neither checked nor upgraded by a release that does not know it."""
    async with database.connection() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaMismatch, match=r"at 9999, which this release does not know: .* newer callrouter"):
        await database.check_schema()
    with pytest.raises(SchemaMismatch, match="newer callrouter"):
        await database.upgrade()
    assert await database.current() == "9999"


async def test_two_processes_may_upgrade_at_once(server: Any) -> None:
    """The engine and the web process start together: one migrates, the other waits for it."""
    url = await server.new_database()
    both = [await Database.open(url, Path("unused")) for _ in range(2)]

    await asyncio.gather(*(database.upgrade() for database in both))

    for database in both:
        await database.check_schema()
        await database.close()
