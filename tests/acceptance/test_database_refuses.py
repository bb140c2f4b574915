"""A PostgreSQL that is there and does not do what it is asked: calls go on, their rows come later."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

from callrouter.store.embedded import DATABASE_NAME, start_server, stop_server
from deploy.demo.caller import HangUp, Wait

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

REFUSED_SECONDS = 6.0
"""Longer than the notifier, the watcher over gaps and the recorder need to notice."""


@contextmanager
def administrator(town: Town) -> Iterator[str]:
    """The URL of callrouter's own database."""
    server, url = start_server(town.stack.root / "data")
    try:
        yield make_url(url).set(database=DATABASE_NAME).render_as_string(hide_password=False)
    finally:
        stop_server(server)


def execute(town: Town, url: str, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    town.run(work())


def test_the_engine_outlives_what_postgresql_refuses(own_town: Town) -> None:
    """Read-only and without a table: callers are served, and their rows follow when it has come to its senses."""
    town, caller = own_town, own_town.somebody("Paul Mercier")
    with administrator(town) as url:
        execute(
            town,
            url,
            "ALTER TABLE deliveries RENAME TO elsewhere",
            f"ALTER DATABASE {DATABASE_NAME} SET default_transaction_read_only = on",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'callrouter%'",
        )
        town.call("0199000020", Wait(2.0), HangUp(), caller=caller)
        town.run(asyncio.sleep(REFUSED_SECONDS))

        execute(
            town,
            url,
            "SET default_transaction_read_only = off",
            f"ALTER DATABASE {DATABASE_NAME} RESET default_transaction_read_only",
            "ALTER TABLE elsewhere RENAME TO deliveries",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'callrouter%'",
        )
    assert town.row_of(caller)["did"] == "+33199000020"
    said = town.stack.engine.log_path.read_text()
    assert "read-only transaction" in said
    assert "a background task died" not in said
    assert "a part died" not in said
