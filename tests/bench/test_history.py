"""The seeded history of calls: rows that the recorder would have written, the same whoever makes them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bench.history.clients import FIRST_DAY, MOVED, client, shares
from bench.history.days import COLUMNS, rows_of
from bench.history.filling import Size, fill
from callrouter.core.call import Call, Disposition
from callrouter.periods import Period
from callrouter.store.calls import find_call, list_calls
from callrouter.store.database import Database
from callrouter.store.stats import read_stats
from callrouter.store.trace import call_from_fields
from callrouter.store.writing.rows import CALL_COLUMNS, POSTGRES_EPOCH, QUEUE_VISIT_COLUMNS, Row, Rows

SMALL = Size(calls=3000, clients=60, months=2)
TUESDAY = date(2026, 10, 6)


def test_a_day_is_the_same_whoever_makes_it() -> None:
    """The generator is seeded by the day."""
    one, other = (rows_of(TUESDAY, 300, clients=60, seed=13) for _ in range(2))

    assert one.tables == other.tables
    assert rows_of(TUESDAY, 300, clients=60, seed=14).tables != one.tables


def test_every_call_wanted_is_on_some_day() -> None:
    """However few they are, and whatever months are asked for."""
    for size in (SMALL, Size(calls=7), Size(calls=10_000_000)):
        days = size.days()

        assert sum(calls for _, calls in days) == size.calls
        assert all(calls >= 0 for _, calls in days)
        assert days[-1][0] == date(2026, 11, 30)
    assert Size().days()[0][0] == FIRST_DAY


def test_sizes_of_clients_are_those_of_a_real_house() -> None:
    """The largest has a seventh of all, the one in the middle a third of a thousandth."""
    part = shares(800)

    assert part[0] == pytest.approx(0.138, abs=0.005)
    assert part[399] == pytest.approx(0.000322, abs=0.00003)


def test_a_client_that_moved_has_another_zone_from_then_on() -> None:
    """And one that was renamed is in the record under the name of the day."""
    assert client(MOVED).as_of(FIRST_DAY)[2] == "Europe/Paris"
    assert client(MOVED).as_of(TUESDAY)[2] == "Indian/Reunion"
    assert client(60).as_of(FIRST_DAY)[0] == "before-060"
    assert client(60).as_of(TUESDAY)[0] == "client-060"


def test_rows_are_those_that_the_recorder_writes() -> None:
    """Each call, read from its row and written again, is the same row, with the same visits."""
    made = rows_of(TUESDAY, 1500, clients=60, seed=13).tables
    visits: dict[str, list[Row]] = {}
    for visit in made["queue_visits"]:
        visits.setdefault(visit[0], []).append(visit)

    dispositions = set()
    for row in made["calls"]:
        fields = dict(zip(COLUMNS["calls"], row, strict=True))
        written = Rows()
        again = dict(zip(CALL_COLUMNS, written.take(_call(fields)), strict=True))

        expected = fields | {"trace": json.loads(fields["trace"])}
        assert {name: again[name] for name in expected} | {"trace": json.loads(again["trace"])} == expected
        named = [dict(zip(QUEUE_VISIT_COLUMNS, one, strict=True)) for one in written.queue_visits]
        wanted = [dict(zip(COLUMNS["queue_visits"], one, strict=True)) for one in visits.get(row[0], [])]
        assert [{name: one[name] for name in COLUMNS["queue_visits"]} for one in named] == wanted
        dispositions.add(fields["disposition"])
    assert dispositions == set(Disposition)


def _call(fields: dict[str, Any]) -> Call:
    """The call of a row whose instants are integers."""
    instants = {
        name: None if value is None else POSTGRES_EPOCH + timedelta(microseconds=value)
        for name, value in fields.items()
        if name.endswith("_at")
    }
    return call_from_fields(fields | instants | {"variables": {}, "trace": json.loads(fields["trace"])})


async def test_a_database_that_is_filled_is_read_like_any_other(database: Database) -> None:
    """Figures, pages and one call with its people."""
    await fill(database, SMALL, workers=1)

    async with database.connection() as connection:
        counts = {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in COLUMNS
        }
        waiting = (await connection.execute(text("SELECT count(*) FROM dispatches"))).scalar_one()
    assert counts["calls"] == SMALL.calls
    assert all(counts.values())
    assert waiting == 0
    end = POSTGRES_EPOCH.replace(year=2026, month=12)
    stats = await read_stats(database, Period.between(end - timedelta(days=70), end), now=end)
    assert sum(one.figures.received for one in stats.clients) == SMALL.calls
    assert all(part.promise is not None for one in stats.clients for part in one.promises)
    page = await list_calls(database, client="client-001", disposition=Disposition.ANSWERED, limit=1)
    call = await find_call(database, page.calls[0].call_id)
    assert call is not None
    assert call.offers_made == len(call.offers) > 0
    assert call.legs_made == len(call.legs) > 1
