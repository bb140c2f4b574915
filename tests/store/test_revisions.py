"""Of two records of one call the higher revision stands, in whatever order they come; nothing that was told is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callrouter.core.call import Call, Disposition, Hold, Leg, LegPurpose, Offer, OfferOutcome, Revision, replace
from callrouter.core.facts import CallCorrected
from callrouter.store.calls import find_call, recorded_calls, superseded_of
from callrouter.store.database import Database
from callrouter.store.writing.writer import Writer
from tests.store.test_recorder import drained, end, recording

MakeCall = Callable[..., Call]


async def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    """What a query finds, in order."""
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def told_by(call: Call, epoch: int, count: int, **fields: Any) -> Call:
    """The same call as another teller knows it."""
    return replace(call, revision=Revision(epoch, count), **fields)


def tellings(make_call: MakeCall) -> list[Call]:
    """A guess, two revisions of one engine, the next engine's, and one that no engine told."""
    call = make_call(1)
    later = replace(call.messages[0], recording="rec-late", node="later")
    return [
        told_by(call, 100, 0, disposition=Disposition.FAILED, queue_visits=(), messages=()),
        told_by(call, 100, 7, disposition=Disposition.ABANDONED),
        told_by(call, 100, 9, messages=(*call.messages, later)),
        told_by(call, 200, 3, queue_visits=(replace(call.queue_visits[0], agent="zoé"),)),
        told_by(call, 0, 1, disposition=Disposition.LEFT_EARLY, queue_visits=(), messages=()),
    ]


def with_people(call: Call, offers: int) -> Call:
    """With as many offers, a leg, and a hold of it."""
    at = call.clocks.ringing_at
    offer = Offer(number=1, queue="medical", agent="anne", began_at=at, ended_at=at, outcome=OfferOutcome.RANG_OUT)
    return replace(
        call,
        offers=tuple(replace(offer, number=number) for number in range(1, offers + 1)),
        offers_made=offers,
        legs=(Leg(number=1, purpose=LegPurpose.AGENT, party="anne", began_at=at, ended_at=at, open=False),),
        legs_made=1,
        holds=(Hold(leg=1, number=1, began_at=at, ended_at=at),),
    )


async def test_either_way_into_the_tables_writes_the_same_rows(database: Database, make_call: MakeCall) -> None:
    """The usual one, by COPY, and the one by which a batch goes that may be known: with all that grew with calls."""
    found = []
    calls = [with_people(make_call(one), one % 25) if one % 3 else make_call(one) for one in range(1, 40)]
    for known in (False, True):
        writer = Writer(database)
        assert await writer.write(calls, maybe_known=known) == []
        writer.close()
        tables = ("calls", "queue_visits", "offers", "legs", "holds", "messages", "recordings")
        found.append([await rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables])
        async with database.connection() as connection:
            await connection.execute(text(f"TRUNCATE {', '.join(tables)}, message_changes, superseded_calls CASCADE"))

    assert found[0] == found[1]
    people = [call for call in calls if call.legs]
    assert [len(one) for one in found[0][2:5]] == [sum(len(call.offers) for call in people), len(people), len(people)]


@pytest.mark.parametrize("together", [True, False], ids=["one_batch", "one_by_one"])
async def test_the_highest_stands_in_whatever_order(database: Database, make_call: MakeCall, together: bool) -> None:
    """With its own visits, and with every message that anybody told; the others are kept, each whole."""
    told = tellings(make_call)
    for order in itertools.permutations(told):
        writer = Writer(database)
        batches: Sequence[Sequence[Call]] = [order] if together else [[call] for call in order]
        for batch in batches:
            assert await writer.write(batch) == []
        writer.close()

        stands = await find_call(database, told[0].call_id)
        assert stands is not None
        assert stands.revision == Revision(200, 3)
        assert await rows(database, "SELECT agent FROM queue_visits") == [("zoé",)]
        assert await rows(database, "SELECT recording FROM messages ORDER BY position") == [("rec-1",), ("rec-late",)]
        kept = await rows(
            database,
            "SELECT epoch, revision, record->>'disposition', record->>'call_id' FROM superseded_calls ORDER BY 1, 2",
        )
        assert kept == [
            (0, 1, "left_early", "call-000001"),
            (100, 0, "failed", "call-000001"),
            (100, 7, "abandoned", "call-000001"),
            (100, 9, "answered", "call-000001"),
        ]
        async with database.connection() as connection:
            await connection.execute(
                text("TRUNCATE calls, queue_visits, messages, recordings, message_changes, superseded_calls CASCADE")
            )


async def test_told_twice_changes_nothing(database: Database, make_call: MakeCall) -> None:
    """The same revision again is the same record: nothing is superseded by it."""
    call = told_by(make_call(1), 100, 5)
    writer = Writer(database)
    for _ in range(3):
        await writer.write([call, make_call(2)])
    writer.close()

    assert await find_call(database, call.call_id) == call
    assert await rows(database, "SELECT count(*) FROM superseded_calls") == [(0,)]


async def test_a_correction_is_recorded_and_a_guess_is_known_as_one(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """So that Asterisk's journal may correct it, and is not asked about what was seen."""
    seen, guessed = told_by(make_call(1), 100, 5), told_by(make_call(2), 100, 0)
    async with recording(database, tmp_path) as recorder:
        end(recorder, seen, guessed)
        await drained(recorder)
        ids = [seen.call_id, guessed.call_id, "call-nobody"]
        assert await recorded_calls(database, ids) == {seen.call_id: True, guessed.call_id: False}
        recorder.observe([CallCorrected(call=told_by(guessed, 100, 4))])
        await drained(recorder)
        assert await recorded_calls(database, ids) == {seen.call_id: True, guessed.call_id: True}


async def test_rows_of_the_release_before_give_way(database: Database, make_call: MakeCall) -> None:
    """An engine of it copies staged rows without a revision; they read back, and are corrected."""
    writer = Writer(database)
    await writer.write([make_call(1)])
    async with database.connection() as connection:
        await connection.execute(text("UPDATE calls SET pbx = NULL, epoch = NULL, revision = NULL"))
    before = await find_call(database, "call-000001")
    assert before is not None
    assert (before.pbx, before.revision) == ("pbx-1", Revision(0, 1))
    assert await recorded_calls(database, ["call-000001"]) == {"call-000001": True}

    await writer.write([told_by(make_call(1), 100, 2, pbx="paris")])
    writer.close()
    assert await rows(database, "SELECT pbx, epoch, revision FROM calls") == [("paris", 100, 2)]
    assert await rows(database, "SELECT pbx FROM queue_visits") == [("paris",)]


async def test_what_was_superseded_is_listed_and_goes_with_the_call(database: Database, make_call: MakeCall) -> None:
    """The one that knew most first; nobody keeps what is said of a call that is kept no more."""
    call = make_call(1)
    writer = Writer(database)
    for epoch, revision in ((100, 4), (200, 1), (100, 0), (150, 2)):
        await writer.write([told_by(call, epoch, revision)])
    writer.close()
    listed = await superseded_of(database, call.call_id)

    assert [(one.epoch, one.revision) for one in listed] == [(150, 2), (100, 4), (100, 0)]
    assert {one.record["call_id"] for one in listed} == {call.call_id}
    async with database.connection() as connection:
        await connection.execute(text("DELETE FROM calls"))
    assert await superseded_of(database, call.call_id) == []


async def test_two_engines_at_once(database: Database, make_call: MakeCall) -> None:
    """A stale engine and its successor tell the same calls: each stands once, the successor's, and both are kept."""
    calls = [make_call(number) for number in range(200)]
    stale, fresh = Writer(database), Writer(database)
    for first in range(0, 200, 20):
        batch = calls[first : first + 20]
        await asyncio.gather(
            stale.write([told_by(call, 100, 4) for call in batch]),
            fresh.write([told_by(call, 200, 2) for call in reversed(batch)]),
        )
    stale.close()
    fresh.close()

    assert await rows(database, "SELECT epoch, revision, count(*) FROM calls GROUP BY 1, 2") == [(200, 2, 200)]
    assert await rows(database, "SELECT epoch, count(*) FROM superseded_calls GROUP BY 1") == [(100, 200)]
    assert await rows(database, "SELECT count(*) FROM queue_visits") == [(200,)]


async def test_a_guess_in_the_spool_strikes_nothing_off(own_server: Any, tmp_path: Path, make_call: MakeCall) -> None:
    """At the next start Asterisk's journal may still know the end of a call that the last one guessed."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    own_server.crash()
    async with recording(database, tmp_path) as recorder:
        end(recorder, told_by(make_call(1), 100, 0), told_by(make_call(2), 100, 3))
    known: list[str] = []
    async with recording(database, tmp_path, on_durable=known.extend) as recorder:
        await recorder.adopted.wait()
        assert known == ["call-000002"]
    own_server.start()
    await database.close()
