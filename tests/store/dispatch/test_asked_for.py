"""What systems are told of calls, where there is a great deal of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, text

from callrouter.store.database import Database
from callrouter.store.dispatch.asked_for import Standing, list_asked_for, send_again, send_all_again
from tests.store.dispatch.rows import AT, MOREAU, after

MANY = text(
    """INSERT INTO deliveries (delivery_id, call_id, client, kind, contact, means, address, body, state, queued_at,
                               next_attempt_at, changed_at)
       SELECT :state || number, 'call', :client, 'event', 'crm', 'webhook', 'https://crm.example/', '{}', :state, :at,
           CASE WHEN :state = 'queued' THEN CAST(:at AS timestamptz) END, :at
       FROM generate_series(1, :many) number"""
)


async def put(database: Database, many: int, state: str, client: str = MOREAU) -> None:
    async with database.connection() as connection:
        await connection.execute(MANY, {"many": many, "state": state, "client": client, "at": AT})


async def test_all_of_a_client_is_sent_again_however_much_it_is(database: Database) -> None:
    """More than a statement of PostgreSQL's may have parameters."""
    await put(database, 40_000, "failed")
    await put(database, 3, "accepted")

    assert await send_all_again(database, MOREAU, at=after(60)) == 40_000
    assert await send_all_again(database, MOREAU, at=after(60)) == 0
    async with database.connection() as connection:
        found = (await connection.execute(text("SELECT state, count(*) FROM deliveries GROUP BY 1 ORDER BY 1"))).all()
    assert [tuple(row) for row in found] == [("accepted", 3), ("queued", 40_000)]


async def test_what_did_not_fail_is_not_sent_again(database: Database) -> None:
    await put(database, 2, "failed")
    await put(database, 2, "accepted")

    assert await send_again(database, ["failed1", "accepted1", "nobodys"], at=after(60)) == 1


@pytest.mark.parametrize(("standing", "state"), [(Standing.WAITING, "queued"), (Standing.FAILED, "failed")])
async def test_a_page_of_them_reads_what_it_shows(database: Database, standing: Standing, state: str) -> None:
    """However much was sent before."""
    await put(database, 20_000, "accepted")
    await put(database, 500, state)
    async with database.connection() as connection:
        await connection.execute(text("ANALYZE deliveries"))
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        if statement.startswith("SELECT deliveries."):
            asked.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    page = await list_asked_for(database, standing=standing, limit=100)
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)

    assert len(page.found) == 100
    ((statement, parameters),) = asked
    async with database.connection() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        said = "\n".join(plan.scalars())
    index = {Standing.WAITING: "deliveries_waiting_idx", Standing.FAILED: "deliveries_failed_idx"}[standing]
    assert re.search(rf"Index Scan Backward using {index}", said), said
    assert "Sort" not in said
