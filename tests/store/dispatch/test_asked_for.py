"""What systems are told of calls, where there is a great deal of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, text

from callrouter.store.database import Database
from callrouter.store.dispatch.asked_for import Standing, list_asked_for
from tests.store.dispatch.rows import AT, MOREAU

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
