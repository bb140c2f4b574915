"""The migrations build what the tables declare; a schema of another release is refused with a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from callrouter.errors import SchemaMismatch
from callrouter.store import schema
from callrouter.store.database import Database
from callrouter.store.tables import metadata
from tests.postgres import of_tomorrow


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


_COLUMNS = text(
    """SELECT table_name, column_name, column_default IS NOT NULL OR is_nullable = 'YES', data_type, is_nullable
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""
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
    """Neither checked nor upgraded by a release that does not know it, where it says that only later ones run on it."""
    async with database.connection() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        said = schema._RUNS_FROM.format(revision="9998")
        await connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{said}'"))

    with pytest.raises(SchemaMismatch, match=r"at 9999, which this release does not know: .* newer callrouter"):
        await database.check_schema()
    with pytest.raises(SchemaMismatch, match="newer callrouter"):
        await database.upgrade()
    assert await database.current() == "9999"


async def test_a_newer_schema_that_only_adds_is_run_on(database: Database) -> None:
    """It says so itself; and it is not upgraded, nor taken back, by a release that does not know it."""
    async with database.connection() as connection:
        for statement in of_tomorrow():
            await connection.execute(text(statement))

    await database.check_schema()

    with pytest.raises(SchemaMismatch, match="newer callrouter"):
        await database.upgrade()


@pytest.mark.parametrize("said", ["''", "NULL", "'callrouter: releases whose schema is at  or later'"])
async def test_a_newer_schema_that_says_nothing_is_refused(database: Database, said: str) -> None:
    async with database.connection() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(text(f"COMMENT ON TABLE alembic_version IS {said}"))

    with pytest.raises(SchemaMismatch, match="newer callrouter"):
        await database.check_schema()


async def test_migrations_only_add_since_the_oldest_release_that_runs_on_them(server: Any) -> None:
    """No column, nor what it holds, changes or goes; what is new has a default, or may be empty."""
    before, after = [Database(make_url(await server.new_database())) for _ in range(2)]
    async with before.connection() as connection:
        await connection.run_sync(schema.upgrade, schema.OLDEST)
        old = {(row[0], row[1]): tuple(row[2:]) for row in await connection.execute(_COLUMNS)}
    await after.upgrade()
    async with after.connection() as connection:
        new = {(row[0], row[1]): tuple(row[2:]) for row in await connection.execute(_COLUMNS)}
    await before.close()
    await after.close()
    tables = {table for table, _ in old}

    assert {key: new.get(key) for key in old} == old
    assert [key for key in new.keys() - old.keys() if key[0] in tables and not new[key][0]] == []


async def test_two_processes_may_upgrade_at_once(server: Any) -> None:
    """The engine and the web process start together: one migrates, the other waits for it."""
    url = await server.new_database()
    both = [await Database.open(url, Path("unused")) for _ in range(2)]

    await asyncio.gather(*(database.upgrade() for database in both))

    for database in both:
        await database.check_schema()
        await database.close()


async def test_what_tables_do_by_themselves_they_do_as_their_owner(database: Database) -> None:
    """Else whoever may write calls, and not what triggers write beside them, would be refused their rows."""
    query = (
        "SELECT proname FROM pg_proc WHERE prorettype = 'trigger'::regtype AND pronamespace = 'public'::regnamespace"
    )
    async with database.connection() as connection:
        all_of_them = (await connection.execute(text(query))).scalars().all()
        as_caller = (await connection.execute(text(f"{query} AND NOT prosecdef"))).scalars().all()

    assert len(all_of_them) > 10
    assert as_caller == []
