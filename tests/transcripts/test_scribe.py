"""Which recordings are written down, what becomes of it, and what is never tried twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from callrouter.errors import TranscriptFailed
from callrouter.permissions import By
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.messages import find_message
from callrouter.store.tables import recordings
from callrouter.transcripts.scribe import FILE_SECONDS, MOST_SECONDS, Scribe
from tests.dispatch.rooms import Office, a_plan, reach, rule
from tests.patience import START_SECONDS


@dataclass
class Machine:
    """As a Transcriber; what it is asked."""

    says: str = "bonjour docteur"
    name: str = "machine"
    asked: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens while it writes."""

    async def transcribe(self, path: Path, language: str) -> str:
        self.asked.append((path.name, language))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await (self.meanwhile() if self.meanwhile else asyncio.sleep(0))
        self.at_once -= 1
        if self.says == "fails":
            raise TranscriptFailed("machine had not ended after 1 s")
        return self.says


@dataclass
class Room:
    """A scribe with its folder."""

    office: Office
    machine: Machine
    works: bool = True

    @property
    def scribe(self) -> Scribe:
        office = self.office
        return Scribe(office.database, self.machine, office.folder, office.live, office.clock, lambda: self.works)

    async def spoken(self, message_id: str, *, there: bool = True, seconds: float = 5.0, **more: Any) -> None:
        """A message by voice."""
        if there:
            (self.office.folder / f"rec-{message_id}.wav").write_bytes(b"RIFF")
        await self.office.message(message_id, recording=f"rec-{message_id}", seconds=seconds, text="", **more)

    async def all_done(self) -> None:
        while await self.scribe.one():
            pass

    async def notes(self, message_id: str) -> list[str]:
        """Of its trail."""
        sql = "SELECT detail FROM dispatch_events WHERE message_id = :id AND what = 'transcribed'"
        return [row[0] for row in await self.office.rows(sql, id=message_id)]


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Room]:
    from callrouter.runtime.guarded_http import GuardedHttp

    http = GuardedHttp([], {})
    office = Office(database=database, http=http, folder=tmp_path)
    office.plan = a_plan(reach("anne"), policy=rule())
    yield Room(office=office, machine=Machine())
    await http.close()


async def test_what_a_recording_says_is_kept_with_who_wrote_it(room: Room) -> None:
    """In the language of the client's callers; what is written is no recording."""
    await room.spoken("m1")
    await room.office.message("m2")

    await room.all_done()

    kept = await find_message(room.office.database, "m1")
    assert kept is not None
    assert (kept[0].transcript, kept[0].transcript_by, kept[0].text) == ("bonjour docteur", "machine", "")
    assert await room.notes("m1") == ["by a machine (machine)"]
    assert room.machine.asked == [("rec-m1.wav", room.office.plan.language if room.office.plan else "")]


@pytest.mark.parametrize(
    ("says", "note"),
    [
        ("fails", "there is no transcript: machine had not ended after 1 s"),
        ("", "there is no transcript: machine understood nothing"),
    ],
)
async def test_what_comes_to_nothing_is_noted_once(room: Room, says: str, note: str) -> None:
    room.machine.says = says
    await room.spoken("m1")

    for _ in range(3):
        await room.all_done()

    assert len(room.machine.asked) == 1
    assert await room.notes("m1") == [note]
    assert await room.office.rows("SELECT transcript, transcript_by FROM messages") == [(None, None)]


async def test_what_is_not_there_too_long_or_too_short(room: Room) -> None:
    """A file may come from another machine: it is waited for, and the others are not held up by it."""
    await room.spoken("gone", there=False)
    await room.spoken("long", seconds=MOST_SECONDS + 1)
    await room.spoken("short", seconds=0.1)
    await room.spoken("good")

    await room.all_done()
    early = await room.notes("gone")
    room.office.clock.passes(timedelta(seconds=FILE_SECONDS + 1))
    await room.all_done()

    assert [name for name, _ in room.machine.asked] == ["rec-good.wav"]
    assert early == []
    assert await room.notes("gone") == ["there is no transcript: the recording is gone"]
    assert await room.notes("long") == ["there is no transcript: the recording is longer than 15 minutes"]
    assert await room.notes("short") == ["there is no transcript: the recording is too short to say anything"]


async def test_urgent_ones_first_and_none_of_long_ago(room: Room) -> None:
    """Whoever turns it on does not have the whole record read."""
    await room.spoken("old", urgent=False, taken_at=room.office.clock.now() - timedelta(days=2))
    await room.spoken("first", urgent=False)
    await room.spoken("urgent", urgent=True)

    await room.all_done()

    assert [name for name, _ in room.machine.asked] == ["rec-urgent.wav", "rec-first.wav"]


async def test_what_nobody_may_hear_nobody_writes_down(room: Room) -> None:
    """A caller who objected, or a recording that was deleted."""
    await room.spoken("m1")
    now = room.office.clock.now()
    row = {"recording_id": "rec-m1", "kind": "message", "call_id": "c", "client": "acme", "started_at": now}
    async with room.office.database.connection() as connection:
        await connection.execute(insert(recordings).values(**row, seconds=5.0, objected_at=now))

    await room.all_done()

    assert room.machine.asked == []


async def test_what_is_deleted_while_a_machine_writes_it_down_stays_deleted(room: Room) -> None:
    """A recogniser takes minutes; nothing of a recording comes after it has gone, nor from a second try."""
    database, now = room.office.database, room.office.clock.now()
    await room.spoken("m1", call_id="c", position=1)
    row = {"recording_id": "rec-m1", "kind": "message", "call_id": "c", "client": "acme", "started_at": now}
    async with database.connection() as connection:
        await connection.execute(insert(recordings).values(**row, seconds=5.0))
    kept = Recordings(database, room.office.folder, AuditTrail(database))

    async def deleted() -> None:
        found = await kept.find("rec-m1")
        assert found is not None
        assert await kept.delete(found, By(principal="token:a", address="192.0.2.1"))

    room.machine.meanwhile = deleted
    await room.all_done()

    sql = "SELECT transcript, transcript_by, transcribed_at IS NOT NULL FROM messages"
    assert await room.office.rows(sql) == [(None, None, True)]
    assert await room.notes("m1") == []
    assert len(room.machine.asked) == 1


async def test_what_is_objected_to_while_a_machine_writes_it_down_is_not_kept(room: Room) -> None:
    """The file itself may be there for a while yet."""
    database, now = room.office.database, room.office.clock.now()
    await room.spoken("m1", call_id="c", position=1)
    row = {"recording_id": "rec-m1", "kind": "message", "call_id": "c", "client": "acme", "started_at": now}
    async with database.connection() as connection:
        await connection.execute(insert(recordings).values(**row, seconds=5.0))

    async def objected() -> None:
        async with database.connection() as connection:
            await connection.execute(update(recordings).values(objected_at=now))

    room.machine.meanwhile = objected
    await room.all_done()

    assert await room.office.rows("SELECT transcript, transcript_by FROM messages") == [(None, None)]
    assert len(room.machine.asked) == 1


@asynccontextmanager
async def running(*rooms: Room) -> AsyncIterator[None]:
    tasks = Tasks()
    for one in rooms:
        tasks.start(one.scribe.run(), "transcripts")
    try:
        yield
    finally:
        await tasks.stop()


async def test_of_two_workers_the_one_that_works_writes_one_at_a_time(room: Room) -> None:
    other = Room(office=room.office, machine=room.machine, works=False)
    for number in range(5):
        await room.spoken(f"m{number}")

    async with running(room, other), asyncio.timeout(START_SECONDS * 5):
        while len(room.machine.asked) < 5:
            await asyncio.sleep(0.01)

    assert (len(room.machine.asked), room.machine.most_at_once) == (5, 1)
