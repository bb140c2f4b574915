"""Who gave up, or wanted to be called back, and is reached afterwards: a figure of the day on which they rang.

It is right at once, whoever writes what changes it, and after the day was made again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert, text, update

from callrouter.core.call import CallerId, Revision, replace
from callrouter.core.service_level import Promise
from callrouter.periods import Moment, Period
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping
from callrouter.store.figures.model import Figures
from callrouter.store.figures.verifying import compare_days
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.stats import read_figures, read_stats
from callrouter.store.tables import callbacks, follow_ups
from tests.api.stories import TUESDAY, abandoned, after, answered
from tests.api.test_calling_back import placed, record, wish
from tests.store.figures.test_rebuilding import rebuild_all

THE_DAY = Period(Moment(TUESDAY.date()), Moment(TUESDAY.date() + timedelta(days=1)))
NOW = TUESDAY + timedelta(days=20)
Reach = Callable[[Database], Awaitable[None]]


async def figures(database: Database) -> Figures:
    """Of the day."""
    (one,) = (await read_stats(database, THE_DAY, now=NOW, client="cabinet-moreau")).clients
    return one.figures


async def rings_again(database: Database) -> None:
    """The day after."""
    await record(database, answered("again", wait=5, start=after(86_400)))


async def rings_again_by_a_correction(database: Database) -> None:
    """Nobody had answered, says the first telling; the second knows better."""
    call = abandoned("again", wait=5, start=after(86_400))
    await record(database, replace(call, caller=CallerId(number="+33612340001")))
    right = answered("again", wait=5, start=after(86_400))
    await record(database, replace(right, revision=Revision(right.revision.epoch, 99)))


async def is_rung(database: Database) -> None:
    """By a call of ours, the day after."""
    await placed(database, "w", placed_at=after(86_400), answered_at=after(86_410), ended_at=after(86_500))


async def is_called_by_hand(database: Database) -> None:
    """Somebody says so."""
    row = {"call_id": "a", "client": "cabinet-moreau", "at": after(90_000), "principal": "anne", "result": "reached"}
    async with database.connection() as connection:
        await connection.execute(insert(follow_ups).values(**row))


async def wish_is_settled(database: Database) -> None:
    """The wish of the other caller."""
    values = {"state": "done", "settled_by": "called_back", "settled_at": after(90_000)}
    async with database.connection() as connection:
        await connection.execute(update(callbacks).values(**values))


@pytest.fixture
async def kept(database: Database) -> Database:
    """A day on which somebody gave up, and somebody else wants to be called back; it is kept."""
    somebody = replace(wish("w"), caller=CallerId(number="+33612340077"))
    await record(database, abandoned("a", wait=9), somebody)
    await rebuild_all(database)
    return database


@pytest.mark.parametrize(
    "reach", [rings_again, rings_again_by_a_correction, is_rung, is_called_by_hand, wish_is_settled]
)
async def test_it_is_in_the_very_next_answer(kept: Database, reach: Reach) -> None:
    """The journey stays what it was."""
    before = await figures(kept)
    assert before.called_back == 0
    await reach(kept)

    at_once = await figures(kept)
    assert at_once.called_back == 1
    assert at_once.by_disposition == before.by_disposition
    await rebuild_all(kept)
    assert await figures(kept) == at_once
    assert [said async for some in compare_days(kept, TUESDAY - timedelta(days=9), NOW) for said in some.wrong] == []
    hours = await read_figures(kept, THE_DAY, by=[Grouping.HOUR], now=NOW)
    assert sum(one.figures.called_back for one in hours.groups) == 1


async def test_a_caller_may_ring_again_under_another_name_of_the_client(kept: Database) -> None:
    """Whoever was renamed meanwhile: its days are made again."""
    call = replace(answered("again", wait=5, start=after(86_400)), client="moreau")
    await record(kept, call)
    await rebuild_all(kept)
    assert (await figures(kept)).called_back == 0

    plan = StoredPlan(
        client="moreau",
        version="v9",
        document="",
        first_live_at=after(90_000),
        promise=Promise(timezone="UTC"),
        formerly=("cabinet-moreau",),
    )
    went = [
        WentLive(client="moreau", version="v9", live_at=after(90_000), why="saved"),
        WentLive(client="cabinet-moreau", version=None, live_at=after(90_000), why="saved"),
    ]
    await remember_live(kept, [plan], went)
    for _ in range(2):
        (one,) = (await read_stats(kept, THE_DAY, now=NOW, client="moreau")).clients
        assert one.figures.called_back == 1
        await rebuild_all(kept)
    async with kept.connection() as connection:
        bases = (await connection.execute(text("SELECT basis FROM figure_zones ORDER BY client"))).scalars().all()
    assert bases == ["/2 UTC moreau", "/2 UTC cabinet-moreau"]


async def test_a_number_that_many_share_marks_few_days(kept: Database) -> None:
    """Whoever gave up before an earlier call was answered was reached by that one: their day stays as it is."""
    await record(kept, answered("again", wait=5, start=after(86_400)))
    await rebuild_all(kept)
    await record(kept, answered("once more", wait=5, start=after(2 * 86_400)))

    async with kept.connection() as connection:
        marks = (await connection.execute(text("SELECT quarter_at FROM figure_marks"))).scalars().all()
    assert [at.date() for at in marks] == [after(2 * 86_400).date()]


async def test_days_are_marked_for_whoever_may_write_calls(kept: Database) -> None:
    """Where another role migrates, nobody has given the engine's a right to the marks."""
    async with kept.connection() as connection:
        for statement in (
            "CREATE ROLE writes_calls",
            "GRANT SELECT, INSERT, UPDATE ON calls TO writes_calls",
            "SET LOCAL ROLE writes_calls",
            "UPDATE calls SET talk_seconds = talk_seconds + 1",
            "RESET ROLE",
        ):
            await connection.execute(text(statement))
        assert (await connection.execute(text("SELECT count(*) FROM figure_marks"))).scalar_one() > 0
        for statement in ("DROP OWNED BY writes_calls", "DROP ROLE writes_calls"):
            await connection.execute(text(statement))
