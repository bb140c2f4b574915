"""What had a queue of its own moves into that of messages, and an engine of the release before goes on beside it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from callrouter.store import schema
from callrouter.store.database import Database
from callrouter.store.dispatch.events import CHANNEL
from tests.patience import ANSWER_SECONDS

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ADD = text(
    """INSERT INTO notifications (notification_id, call_id, client, contact, url, body, asked_at, state, attempts,
                                  next_attempt_at, delivered_at, last_error)
       VALUES (:id, 'c', 'acme', 'crm', 'https://crm.example/', '{"a": 1}', :asked, :state, :attempts, :next, :done,
               :error) ON CONFLICT DO NOTHING"""
)
"""As the release before adds them."""


def row(id_: str, state: str = "waiting", **more: Any) -> dict[str, Any]:
    nothing = {"attempts": 0, "next": None, "done": None, "error": None}
    return {"id": id_, "state": state, "asked": NINE, **nothing, **more}


async def of_before(database: Database, *rows: dict[str, Any]) -> None:
    """A database of the release before, with these."""
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "0016")
        for one in rows:
            await connection.execute(ADD, one)


async def found(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(one) for one in await connection.execute(text(query))]


WAITS_FOR_THE_TABLE = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'notifications'::regclass AND locktype = 'relation'"
)
QUEUED = """SELECT delivery_id, kind, client, contact, means, address, body, call_id, message_id, state, attempts,
                   queued_at, next_attempt_at, changed_at, answer FROM deliveries ORDER BY number"""


async def test_each_row_moves_with_all_that_is_known_of_it(database: Database) -> None:
    """In the order in which it was asked for; and back, for the release before."""
    later = NINE + timedelta(minutes=2)
    rows = (
        row("c-n2", next=later, attempts=3, error="crm.example answered 500", asked=NINE + timedelta(seconds=1)),
        row("c-n0", "delivered", attempts=1, done=later),
        row("c-n1", "failed", attempts=8, error="crm.example answered 404", asked=NINE),
        row("c-n3", next=NINE + timedelta(seconds=2), asked=NINE + timedelta(seconds=2)),
    )
    await of_before(database, *rows)
    before = await found(database, "SELECT * FROM notifications ORDER BY notification_id")
    await database.upgrade()

    moved = await found(database, QUEUED)
    assert {one[1:9] for one in moved} == {
        ("notification", "acme", "crm", "webhook", "https://crm.example/", '{"a": 1}', "c", None)
    }
    assert [(one[0], *one[9:]) for one in moved] == [
        ("c-n0", "accepted", 1, NINE, None, later, ""),
        ("c-n1", "failed", 8, NINE, None, NINE, "crm.example answered 404"),
        ("c-n2", "queued", 3, rows[0]["asked"], later, rows[0]["asked"], "crm.example answered 500"),
        ("c-n3", "queued", 0, rows[3]["asked"], rows[3]["asked"], rows[3]["asked"], ""),
    ]
    assert await found(database, "SELECT count(*) FROM notifications") == [(0,)]

    async with database.connection() as connection:
        await connection.execute(
            text(
                "UPDATE deliveries SET state = 'sending', next_attempt_at = NULL, sending_until = now()"
                " WHERE delivery_id = 'c-n3'"
            )
        )
        await connection.run_sync(schema.downgrade, "0016")
    assert await found(database, "SELECT * FROM notifications ORDER BY notification_id") == before
    assert await found(database, "SELECT count(*) FROM deliveries") == [(0,)]
    await database.upgrade()


async def test_what_an_engine_of_the_release_before_adds_is_queued_once_and_the_worker_hears_of_it(
    database: Database,
) -> None:
    """It finds nothing to send itself; what it was sending in that instant it cannot settle, and does not mind."""
    await of_before(database, row("c-n0"))
    await database.upgrade()
    heard = asyncio.Event()
    raw = await database.connect_raw()
    await raw.add_listener(CHANNEL, lambda *_: heard.set())
    async with database.connection() as connection:
        for id_ in ("c-n1", "c-n1", "c-n0"):
            await connection.execute(ADD, row(id_, next=NINE))
        settled = await connection.execute(
            text("UPDATE notifications SET state = 'delivered' WHERE notification_id = 'c-n0'")
        )
    async with asyncio.timeout(ANSWER_SECONDS):
        await heard.wait()
    await raw.close()

    assert settled.rowcount == 0
    assert await found(database, "SELECT count(*) FROM notifications") == [(0,)]
    assert [one[0] for one in await found(database, QUEUED)] == ["c-n0", "c-n1"]
    assert {(one[1], one[9], one[10], one[12]) for one in await found(database, QUEUED)} == {
        ("notification", "queued", 0, NINE)
    }


async def test_one_that_is_added_while_the_schema_changes_is_not_lost(database: Database) -> None:
    """The transaction of an engine of the release before lasts while the other one upgrades."""
    await of_before(database)
    async with asyncio.TaskGroup() as both, database.connection() as connection:
        await connection.execute(ADD, row("c-n0", next=NINE))
        both.create_task(database.upgrade())
        async with asyncio.timeout(ANSWER_SECONDS):
            while await found(database, WAITS_FOR_THE_TABLE) != [(1,)]:
                await asyncio.sleep(0.02)

    assert [(one[0], one[9]) for one in await found(database, QUEUED)] == [("c-n0", "queued")]
    assert await found(database, "SELECT count(*) FROM notifications") == [(0,)]
