"""`stats verify`: what is not as the trace, or as the calls, is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import text

from callrouter.core.call import Call
from callrouter.store.database import Database
from callrouter.store.figures.verifying import Looked, compare_days, compare_traces
from tests.store.figures.test_rebuilding import JUST_OVER, NOW, rebuild_all, some_call, write

FROM = NOW - timedelta(days=90)


async def all_of(found: AsyncIterator[Looked]) -> tuple[int, list[str]]:
    """How many were compared, and what differs."""
    looked = [one async for one in found]
    return sum(one.many for one in looked), [said for one in looked for said in one.wrong]


@pytest.fixture
async def kept(database: Database, make_call: Callable[..., Call]) -> Database:
    """A month of calls."""
    random = Random(3)
    await write(database, [some_call(make_call, random, number) for number in range(1200)])
    await rebuild_all(database, now=JUST_OVER)
    return database


async def test_nothing_differs(kept: Database) -> None:
    """Page by page."""
    assert await all_of(compare_traces(kept, FROM, NOW)) == (1200, [])
    days, wrong = await all_of(compare_days(kept, FROM, NOW))
    assert (days > 100, wrong) == (True, [])
    await rebuild_all(kept)
    days, wrong = await all_of(compare_days(kept, FROM, NOW))
    assert (days > 100, wrong) == (True, [])


async def test_a_row_that_is_not_as_its_trace_is_named(kept: Database) -> None:
    """Its time of waiting, and what became of a visit."""
    async with kept.connection() as connection:
        await connection.execute(text("UPDATE calls SET talk_seconds = 7777 WHERE call_id = 'call-000007'"))
        await connection.execute(text("UPDATE queue_visits SET agent = 'nobody' WHERE call_id = 'call-000009'"))
        await connection.execute(text("DELETE FROM queue_visits WHERE call_id = 'call-000011'"))
        visited = (
            await connection.execute(
                text("SELECT count(*) FROM calls WHERE call_id IN ('call-000009') AND entered_service_at IS NOT NULL")
            )
        ).scalar_one()
    _, wrong = await all_of(compare_traces(kept, FROM, NOW))
    assert any(one.startswith("call-000007 of ") and "talk_seconds is 7777.0" in one for one in wrong)
    assert any("call-000009" in one for one in wrong) == bool(visited)


async def test_a_kept_day_that_is_not_as_its_calls_is_named(kept: Database) -> None:
    """Not one that is marked: it is about to be made again."""
    async with kept.connection() as connection:
        day = (await connection.execute(text("SELECT min(day) FROM figure_days WHERE client = 'paris'"))).scalar_one()
        spoil = "UPDATE figure_days SET offered = offered + 1 WHERE client = 'paris' AND day = :day"
        await connection.execute(text(spoil), {"day": day})
    _, wrong = await all_of(compare_days(kept, FROM, NOW, ["paris", "lyon"]))
    assert wrong == [f"{day} of paris: figure_days is not what the calls say"]

    async with kept.connection() as connection:
        mark = "INSERT INTO figure_marks SELECT client, first_at FROM figure_days WHERE client = 'paris' AND day = :day"
        await connection.execute(text(mark), {"day": day})
    assert (await all_of(compare_days(kept, FROM, NOW)))[1] == []


async def test_a_kept_month_that_is_not_as_its_calls_is_named(kept: Database) -> None:
    """Not one of which a day is marked."""
    await rebuild_all(kept)
    async with kept.connection() as connection:
        spoil = "UPDATE figure_months SET offered = offered + 1 WHERE client = 'paris' AND month = '2026-10-01'"
        await connection.execute(text(spoil))
    _, wrong = await all_of(compare_days(kept, FROM, NOW, ["paris", "lyon"]))
    assert wrong == ["2026-10 of paris: figure_months is not what the calls say"]

    async with kept.connection() as connection:
        mark = "INSERT INTO figure_marks (client, quarter_at) VALUES ('paris', '2026-10-09 12:00+00')"
        await connection.execute(text(mark))
    assert (await all_of(compare_days(kept, FROM, NOW)))[1] == []
