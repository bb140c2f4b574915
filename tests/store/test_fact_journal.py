"""What grows with a living call is on disk when it happens, and in the tables after the next start."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callrouter.core.call import Call, EndedBy, Hold, Leg, LegPurpose, Offer, OfferOutcome, Recording, Revision, replace
from callrouter.core.facts import HoldNoted, LegEnded, OfferEnded, OfferMade, RecordingNoted
from callrouter.store.calls import find_call
from callrouter.store.database import Database
from callrouter.store.trace import call_from_json, call_json
from callrouter.store.writing import fact_journal
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.writer import Writer
from tests.store.small_disk import enlarge
from tests.store.test_revisions import rows

MakeCall = Callable[..., Call]


def offer(call: Call, number: int, agent: str, outcome: OfferOutcome | None = None) -> Offer:
    """A ring of eight seconds, or one that goes on."""
    began_at = call.clocks.ringing_at + timedelta(seconds=10 * number)
    ended_at = began_at + timedelta(seconds=8) if outcome else None
    return Offer(number=number, queue="medical", agent=agent, began_at=began_at, ended_at=ended_at, outcome=outcome)


def leg(call: Call, number: int, purpose: LegPurpose, ended_by: EndedBy) -> Leg:
    """A minute, of which twelve seconds and a half were on hold."""
    at = call.clocks.ringing_at
    return Leg(
        number=number,
        purpose=purpose,
        party="anne" if purpose is LegPurpose.AGENT else "",
        began_at=at,
        answered_at=at + timedelta(seconds=8),
        ended_at=at + timedelta(seconds=68),
        hold_seconds=12.5,
        ended_by=ended_by,
        cause=16,
        open=False,
    )


def kept(journal: FactJournal, call: Call, count: int, one: Offer) -> None:
    """The offer is told, as it is known at this revision of the call."""
    at = replace(call, revision=Revision(100, count))
    journal.observe([OfferEnded(call=at, offer=one) if one.outcome else OfferMade(call=at, offer=one)])


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("facts-*"))


async def taken_over(database: Database, folder: Path) -> None:
    """The next engine starts."""
    successor = FactJournal(Writer(database), folder)
    async with asyncio.timeout(20):
        await successor.run()
    successor.close()


async def test_an_engine_that_was_killed_leaves_its_offers(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """With what is known of each, the last word; a row that knows less does not change them, nor take any away."""
    call = make_call(1)
    journal = FactJournal(Writer(database), tmp_path)
    kept(journal, call, 3, offer(call, 1, "anne"))
    kept(journal, call, 4, offer(call, 1, "anne", OfferOutcome.RANG_OUT))
    kept(journal, call, 5, offer(call, 2, "zoé"))
    with files(tmp_path)[0].open("ab") as cut:
        cut.write(b'["call-000001", 100')
    journal.close()

    await taken_over(database, tmp_path)
    assert files(tmp_path) == []
    writer = Writer(database)
    left = offer(call, 2, "zoé", OfferOutcome.CALLER_LEFT)
    await writer.write([replace(call, revision=Revision(100, 4), offers=(left,), offers_made=2)])
    assert await rows(database, "SELECT number, agent, outcome FROM offers ORDER BY 1") == [
        (1, "anne", "rang_out"),
        (2, "zoé", None),
    ]
    await writer.write([replace(call, revision=Revision(200, 1), offers=(left,), offers_made=2)])
    writer.close()

    stands = await find_call(database, call.call_id)
    assert stands is not None
    assert [one.outcome for one in stands.offers] == [OfferOutcome.RANG_OUT, OfferOutcome.CALLER_LEFT]


async def test_a_row_carries_its_offers(database: Database, make_call: MakeCall) -> None:
    """And its legs: straight into the tables, and back, but for the agents' channels."""
    call = make_call(1)
    offers = (offer(call, 1, "anne", OfferOutcome.REFUSED), offer(call, 2, "zoé", OfferOutcome.ANSWERED))
    legs = (leg(call, 1, LegPurpose.AGENT, EndedBy.CALLER), leg(call, 2, LegPurpose.CALLER, EndedBy.CALLER))
    call = replace(call, offers=offers, offers_made=2, legs=legs, legs_made=2, held_seconds=12.5)
    writer = Writer(database)
    await writer.write([call, make_call(2)])
    writer.close()

    assert await find_call(database, call.call_id) == call
    assert call_from_json(call_json(call)) == call
    assert await rows(database, "SELECT leg_id, direction, talk_seconds FROM legs ORDER BY 1") == [
        ("call-000001/1", "outgoing", 47.5),
        ("call-000001/2", "incoming", 0),
    ]
    assert await rows(database, "SELECT talk_seconds FROM calls ORDER BY call_id") == [(47.5,), (60.0,)]


async def test_an_engine_that_was_killed_leaves_its_legs(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """A conversation that was over when it died; the call went on."""
    call = replace(make_call(1), pbx="paris", revision=Revision(100, 7))
    journal = FactJournal(Writer(database), tmp_path)
    journal.observe([LegEnded(call=call, leg=leg(call, 1, LegPurpose.AGENT, EndedBy.AGENT))])
    journal.close()
    await taken_over(database, tmp_path)

    assert await rows(database, "SELECT leg_id, pbx, party, ended_by, hold_seconds FROM legs") == [
        ("call-000001/1", "paris", "anne", "agent", 12.5)
    ]


async def test_an_engine_that_was_killed_leaves_its_holds_and_recordings(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """Those that go on too: a conversation that is recorded is found, though nobody saw its end."""
    call = replace(make_call(1), revision=Revision(100, 7))
    began = call.clocks.ringing_at + timedelta(seconds=9)
    held = Hold(leg=1, number=1, began_at=began)
    recorded = Recording(number=1, key="9", keep_days=30, leg=1, began_at=began)
    journal = FactJournal(Writer(database), tmp_path)
    journal.observe([HoldNoted(call=call, hold=held), RecordingNoted(call=call, recording=recorded)])
    later = replace(call, revision=Revision(100, 8))
    ended = replace(held, ended_at=began + timedelta(seconds=4))
    journal.observe([HoldNoted(call=later, hold=ended)])
    journal.observe([RecordingNoted(call=later, recording=replace(recorded, began_at=None))])
    journal.close()
    await taken_over(database, tmp_path)

    assert await rows(database, "SELECT leg_id, number, ended_at - began_at, revision FROM holds") == [
        ("call-000001/1", 1, timedelta(seconds=4), 8)
    ]
    query = "SELECT recording_id, kind, leg, client, seconds, delete_after - started_at FROM recordings"
    assert await rows(database, query) == [
        ("call-000001-c1", "conversation", "call-000001/1", call.client, 0.0, timedelta(days=30))
    ]
    over = replace(recorded, ended_at=began + timedelta(seconds=60), objected_at=began + timedelta(seconds=60))
    writer = Writer(database)
    told = replace(later, revision=Revision(100, 9), holds=(ended,), recordings=(over,), recordings_made=1)
    assert await writer.write([told]) == []
    writer.close()
    found = await find_call(database, call.call_id)
    assert found is not None
    assert found.holds == (ended,)
    [one] = found.recordings
    assert (one.number, one.leg, one.seconds(), one.objected_at) == (1, 1, 60, over.objected_at)
    assert call_from_json(call_json(told)).recordings == (over,)
    assert call_from_json(call_json(told)).holds == (ended,)


async def test_what_is_in_the_record_is_not_kept(database: Database, tmp_path: Path, make_call: MakeCall) -> None:
    """The file is emptied when all its calls are safe; one that has grown is deleted."""
    journal = FactJournal(Writer(database), tmp_path)
    for number in (1, 2):
        kept(journal, make_call(number), 1, offer(make_call(number), 1, "anne"))
    (file,) = files(tmp_path)
    size = file.stat().st_size
    journal.safe(["call-000001", "call-unknown"])
    assert file.stat().st_size == size > 0
    journal.safe(["call-000002"])
    assert file.stat().st_size == 0
    kept(journal, make_call(3), 1, offer(make_call(3), 1, "anne"))
    assert file.stat().st_size > 0
    journal.close()


async def test_a_journal_that_has_grown_is_left_for_a_new_one(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that lasts for hours keeps one file, not all of them."""
    monkeypatch.setattr(fact_journal, "MAX_BYTES", 200)
    journal = FactJournal(Writer(database), tmp_path)
    for number in range(1, 20):
        kept(journal, make_call(number), 1, offer(make_call(number), 1, "anne"))
    assert len(files(tmp_path)) > 3
    journal.safe([f"call-{number:06}" for number in range(2, 20)])

    assert len([file for file in files(tmp_path) if file.stat().st_size]) == 1
    journal.close()


async def test_a_living_engines_journal_is_its_own_until_it_ends(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was stopped, or gives its place away, ends after the other one leads."""
    monkeypatch.setattr(fact_journal, "HELD_SECONDS", 0.05)
    journal = FactJournal(Writer(database), tmp_path)
    kept(journal, make_call(1), 1, offer(make_call(1), 1, "anne"))
    follower = asyncio.ensure_future(taken_over(database, tmp_path))  # noqa: TID251 - awaited below
    await asyncio.sleep(0.3)
    before = len(files(tmp_path)), await rows(database, "SELECT count(*) FROM offers")
    journal.close()
    await follower

    assert before == (1, [(0,)])
    assert files(tmp_path) == []
    assert await rows(database, "SELECT count(*) FROM offers") == [(1,)]


async def test_a_disk_that_takes_nothing_harms_no_call(
    database: Database, tmp_path: Path, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once, and tried again."""

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    journal = FactJournal(Writer(database), tmp_path)
    kept(journal, make_call(1), 1, offer(make_call(1), 1, "anne"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        kept(journal, make_call(2), 1, offer(make_call(2), 1, "anne"))
    kept(journal, make_call(3), 1, offer(make_call(3), 1, "anne"))
    journal.close()
    await taken_over(database, tmp_path)

    assert await rows(database, "SELECT call_id FROM offers ORDER BY 1") == [("call-000001",), ("call-000003",)]


async def test_a_line_that_filled_the_disk_spoils_no_other(
    database: Database, tiny_disk: Path, make_call: MakeCall
) -> None:
    """A disk takes half of the line for which it has no room; what is told when it has some again is whole."""
    journal = FactJournal(Writer(database), tiny_disk)
    for number in range(900):
        kept(journal, make_call(number), 1, offer(make_call(number), 1, "anne"))
    enlarge(tiny_disk)
    for number in range(900, 910):
        kept(journal, make_call(number), 1, offer(make_call(number), 1, "anne"))
    journal.close()
    await taken_over(database, tiny_disk)

    stored = [number for (number,) in await rows(database, "SELECT right(call_id, 6)::int FROM offers ORDER BY 1")]
    assert len(stored) < 910
    assert stored[-10:] == [*range(900, 910)]
    assert stored[:-10] == [*range(len(stored) - 10)]
    assert files(tiny_disk) == []


async def test_what_postgresql_cannot_hold_is_set_aside(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """Under another name, and the engine goes on."""
    journal = FactJournal(Writer(database), tmp_path)
    kept(journal, make_call(1), 1, offer(make_call(1), 1, "NUL \x00"))
    journal.close()
    await taken_over(database, tmp_path)

    assert [path.suffix for path in files(tmp_path)] == [".refused"]


async def test_postgresql_that_is_away_is_waited_for(own_server: Any, tmp_path: Path, make_call: MakeCall) -> None:
    """Nothing is deleted before it is in the tables."""
    database = await Database.open(await own_server.new_database(), Path("unused"))
    await database.upgrade()
    journal = FactJournal(Writer(database), tmp_path)
    kept(journal, make_call(1), 1, offer(make_call(1), 1, "anne"))
    journal.close()
    own_server.crash()
    task = asyncio.get_running_loop().create_task(taken_over(database, tmp_path))
    await asyncio.sleep(1)
    assert len(files(tmp_path)) == 1
    await asyncio.to_thread(own_server.start)
    await task

    assert await rows(database, "SELECT count(*) FROM offers") == [(1,)]
    await database.close()
