"""Pages of calls by every filter: the same calls as a look at all of them finds, each once, the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.history.filling import Size, fill
from callrouter.core.call import Call, Disposition
from callrouter.core.explain import nodes_reached
from callrouter.store import indexing, schema
from callrouter.store.calls import TooWide, list_calls
from callrouter.store.database import Database
from tests.postgres import Server

OCTOBER = {"from_at": datetime(2026, 10, 1, tzinfo=UTC), "to_at": datetime(2026, 11, 1, tzinfo=UTC)}
A_WEEK = {"from_at": datetime(2026, 11, 9, tzinfo=UTC), "to_at": datetime(2026, 11, 16, tzinfo=UTC)}


@pytest.fixture(scope="module")
def history(server: Server, migrated: str) -> Iterator[str]:
    """The URL of a database with a history of two months."""

    async def make(url: str) -> None:
        database = Database(make_url(url))
        await fill(database, Size(calls=2000, clients=70, months=2), workers=1)
        await database.close()

    with asyncio.Runner() as runner:
        place = server.database(migrated)
        url = runner.run(place.__aenter__())
        runner.run(make(url))
        yield url
        runner.run(place.__aexit__(None, None, None))


@pytest.fixture
async def filled(history: str) -> AsyncIterator[tuple[Database, list[Call]]]:
    """It, and all its calls, the newest first."""
    database = Database(make_url(history))
    yield database, (await list_calls(database, limit=5000)).calls
    await database.close()


def _spoke(agent: str) -> Callable[[Call], bool]:
    def spoke(call: Call) -> bool:
        of_queues = (visit.agent for visit in call.queue_visits if visit.answered_at)
        return agent in of_queues or any(dial.agent == agent and dial.answered_at for dial in call.dials)

    return spoke


def _answered_there(agent: str, queue: str) -> Callable[[Call], bool]:
    return lambda call: any(
        (visit.agent, visit.queue) == (agent, queue) and visit.answered_at for visit in call.queue_visits
    )


async def _all_pages(database: Database, limit: int, **filters: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = await list_calls(database, limit=limit, cursor=cursor, **filters)
        found += [call.call_id for call in page.calls]
        if (cursor := page.next_cursor) is None:
            return found
        assert len(page.calls) == limit


@pytest.mark.parametrize("limit", [7, 500])
@pytest.mark.parametrize("period", [{}, OCTOBER, A_WEEK])
async def test_each_filter_finds_what_a_look_at_all_calls_finds(
    filled: tuple[Database, list[Call]], period: dict[str, datetime], limit: int
) -> None:
    """Alone, with a period, and some of them together."""
    database, every = filled
    within = [call for call in every if not period or period["from_at"] <= call.clocks.ringing_at < period["to_at"]]
    transferred = next(call for call in every if call.dials and call.dials[0].agent)
    first, second = transferred.queue_visits[0].agent or "", transferred.dials[0].agent
    caller = transferred.caller.number or every[0].caller.number
    wanted: list[tuple[dict[str, Any], Callable[[Call], bool]]] = [
        ({}, lambda call: True),
        ({"client": "client-001"}, lambda call: call.client == "client-001"),
        ({"client": "client-060"}, lambda call: call.client in ("client-060", "before-060")),
        ({"disposition": Disposition.FAILED}, lambda call: call.disposition is Disposition.FAILED),
        ({"did": transferred.did}, lambda call: call.did == transferred.did),
        ({"caller": caller}, lambda call: call.caller.number == caller),
        ({"agent": first}, _spoke(first)),
        ({"agent": second}, _spoke(second)),
        ({"agent": second, "caller": caller}, lambda call: _spoke(second)(call) and call.caller.number == caller),
        (
            {"agent": second, "client": transferred.client},
            lambda call: _spoke(second)(call) and call.client == transferred.client,
        ),
        ({"agent": "nobody"}, lambda call: False),
        (
            {"client": "client-001", "disposition": Disposition.ABANDONED},
            lambda call: call.client == "client-001" and call.disposition is Disposition.ABANDONED,
        ),
    ]
    if period:
        queue = transferred.queue_visits[0].queue
        wanted += [
            (
                {"client": transferred.client, "queue": queue},
                lambda call: call.client == transferred.client and queue in {v.queue for v in call.queue_visits},
            ),
            (
                {"client": transferred.client, "queue": queue, "agent": first},
                lambda call: call.client == transferred.client and _answered_there(first, queue)(call),
            ),
            (
                {"client": "client-001", "node": "take"},
                lambda call: call.client == "client-001" and "take" in nodes_reached(call),
            ),
        ]
    for filters, is_wanted in wanted:
        expected = [call.call_id for call in within if is_wanted(call)]

        assert await _all_pages(database, limit, **filters, **period) == expected, filters


async def test_whoever_was_rung_and_did_not_answer_took_no_part(filled: tuple[Database, list[Call]]) -> None:
    """They are named in the visit, and have a leg."""
    database, every = filled
    missed = next(
        call
        for call in every
        if call.queue_visits and call.queue_visits[0].agent and call.clocks.bridged_at is None and call.legs_made
    )
    agent = missed.queue_visits[0].agent

    assert missed.call_id not in await _all_pages(database, 500, agent=agent)


@pytest.mark.parametrize(
    "asked",
    [
        {"queue": "medical"},
        {"node": "take", "client": "client-001"},
        {"queue": "medical", **OCTOBER},
        {"queue": "medical", "client": "client-001", "from_at": OCTOBER["from_at"]},
        {"node": "take", "client": "client-001", "from_at": OCTOBER["from_at"], "to_at": A_WEEK["to_at"]},
    ],
)
async def test_queues_and_nodes_are_asked_of_a_client_and_a_month(database: Database, asked: dict[str, Any]) -> None:
    """Anything else would read the record from its beginning: the sentence says how to ask."""
    with pytest.raises(TooWide, match="name a client, and a period"):
        await list_calls(database, **asked)


async def test_no_page_reads_more_than_it_shows(filled: tuple[Database, list[Call]]) -> None:
    """Each filter has an index whose rows come in order, also when PostgreSQL has settled for a plan for any value."""
    database, every = filled
    asked = {
        "calls_client_ringing_at_disposition_idx": ("client = $1 AND disposition = 'failed'", "client-001"),
        "calls_disposition_ringing_at_idx": ("disposition = 'failed'",),
        "calls_did_ringing_at_idx": ("did = $1", every[0].did),
        "calls_caller_number_ringing_at_idx": ("caller_number = $1", "+33600100000"),
    }
    async with database.connection() as connection:
        # So few rows are read faster one after the other: what is asked is which index can give them in order.
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        await connection.execute(text("SET LOCAL enable_sort = off"))
        await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        for index, (condition, *values) in asked.items():
            kinds = f"({', '.join('text' for _ in values)})" if values else ""
            query = f"SELECT * FROM calls WHERE {condition} ORDER BY ringing_at DESC, call_id DESC LIMIT 101"
            await connection.execute(text(f"PREPARE {index} {kinds} AS {query}"))
            given = f"({', '.join(repr(value) for value in values)})" if values else ""
            plan = "\n".join((await connection.execute(text(f"EXPLAIN EXECUTE {index} {given}"))).scalars())

            assert f"using {index}" in plan
            assert "Incremental Sort" in plan
            assert "Filter:" not in plan


async def test_a_large_record_is_indexed_before_it_is_migrated(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """Without a lock on who writes; an index that was interrupted is made again."""

    database = Database(make_url(database_url))
    async with database.connection() as connection:
        await connection.run_sync(schema.downgrade, "0023")
    monkeypatch.setattr(indexing, "LARGE", -1)
    async with database.connection() as connection:
        await connection.execute(text("CREATE INDEX calls_did_ringing_at_idx ON calls (did, ringing_at)"))
        await connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'calls_did_ringing_at_idx'::regclass")
        )

    made: list[str] = []
    async with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await indexing.make_beforehand(connection, "0023")
        query = (
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indexrelid::regclass::text = ANY(:n)"
        )
        made = list((await connection.execute(text(query), {"n": list(indexing.BEFOREHAND)})).scalars())
    await database.upgrade()

    assert sorted(made) == sorted(indexing.BEFOREHAND)
    await database.check_schema()
    await database.close()
