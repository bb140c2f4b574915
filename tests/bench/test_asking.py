"""What is asked of a history is answered, and DuckDB is asked for the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bench.history import probe
from bench.history.asking import LIMITS, Asked, table
from bench.history.filling import Size, fill
from bench.peers import duckdb_figures
from callrouter.store.database import Database
from callrouter.store.stats import read_stats


@pytest.fixture
async def filled(database: Database) -> Database:
    """A history of two months, of all clients that are asked about."""
    await fill(database, Size(calls=2500, months=2), workers=1)
    return database


async def test_every_question_has_an_answer(filled: Database) -> None:
    """And each that has a limit is asked."""
    found = probe.Found({}, {}, {})
    for name, question in probe.QUESTIONS.items():
        await probe.ask(filled, name, question, 1, found)

    assert found.said == {}
    assert found.warm.keys() == probe.QUESTIONS.keys()
    written = {f"{name}, 50 calls/s written" for name in probe.TRAFFIC}
    assert LIMITS.keys() <= probe.QUESTIONS.keys() | written | {probe.COMMAND}
    shown = table(Asked(warm=found.warm), Asked(warm=found.warm), Asked()).plain()
    assert "month, largest client" in shown


async def test_duckdb_is_asked_for_the_same(filled: Database, tmp_path: Path) -> None:
    """As many calls of each client, and the same median wait."""
    exported = await duckdb_figures.export(filled, tmp_path, ["2026-10"])
    times = duckdb_figures.ask(exported, ["2026-10"], None, 1)
    stats = await read_stats(filled, probe.OCTOBER, now=probe.NOW)

    assert len(times) == 1
    query = f"SELECT client, count(*) FROM '{tmp_path / '2026-10.parquet'}' GROUP BY client"
    counted = dict(duckdb.execute(query).fetchall())
    elsewhere = {one.client for one in stats.clients if str(one.from_at.tzinfo) != "Europe/Paris"}
    here = {one.client: one.figures.received for one in stats.clients if one.client not in elsewhere}
    assert {name: count for name, count in counted.items() if name not in elsewhere} == here
