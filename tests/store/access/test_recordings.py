"""Recordings: rows that come with their messages exactly once, files that are measured, played and deleted."""

from __future__ import annotations

import hashlib
import math
import os
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from callrouter.core.books.recordings import MOST_KEEP_DAYS
from callrouter.core.call import Call, Recording, replace
from callrouter.permissions import OURSELVES, By, Permission
from callrouter.store import schema
from callrouter.store.access.audit import AuditRow, list_audit
from callrouter.store.access.keeping import Keeper
from callrouter.store.access.recordings import EXPIRE, OBJECT, Recordings, StoredRecording
from callrouter.store.access.sound_file import QUIETEST, file_of, measure, path_of
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome, RecordingKind
from callrouter.store.writing.writer import Writer

from ..conftest import MONDAY  # noqa: TID252  # tests are no installed package
from ..test_recorder import drained, end, recording  # noqa: TID252  # tests are no installed package

MakeCall = Callable[..., Call]
BY = By(principal="token:a", address="192.0.2.1")
HEADER = bytes(44)


def tone(amplitude: int, seconds: float = 1.0) -> bytes:
    """A sine of 400 Hz, as Asterisk writes .wav: 8 kHz, 16 bit."""
    samples = [round(amplitude * math.sin(2 * math.pi * 400 * n / 8000)) for n in range(int(8000 * seconds))]
    return HEADER + struct.pack(f"<{len(samples)}h", *samples)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


@pytest.fixture
def recordings(database: Database, folder: Path) -> Recordings:
    return Recordings(database, folder, AuditTrail(database))


async def written(database: Database, *calls: Call) -> None:
    writer = Writer(database)
    assert await writer.write(list(calls)) == []
    writer.close()


async def one(recordings: Recordings, recording_id: str = "rec-1") -> StoredRecording:
    found = await recordings.find(recording_id)
    assert found is not None
    return found


async def trail(database: Database) -> list[AuditRow]:
    return (await list_audit(database)).rows


async def test_a_message_is_a_recording(database: Database, recordings: Recordings, make_call: MakeCall) -> None:
    await written(database, make_call(1), make_call(2, messages=()))

    (listed,) = (await recordings.page()).recordings

    found = listed.recording
    assert (found.recording_id, found.kind, found.call_id, found.client) == (
        "rec-1",
        "message",
        "call-000001",
        "cabinet-moreau",
    )
    assert (found.started_at, found.seconds, found.leg) == (MONDAY + timedelta(seconds=71.5), 7.5, None)
    assert (found.loudness, found.checksum, found.delete_after, found.deleted_at) == (None, None, None, None)
    assert listed.on_disk is False


async def test_each_once_however_often_it_is_told(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    tmp_path: Path,
) -> None:
    """By COPY, by the journal again, and from the spool."""
    calls = [make_call(number) for number in range(20)]
    await written(database, *calls[:10])
    async with recording(database, tmp_path / "spool") as recorder:
        end(recorder, *calls)
        end(recorder, *calls)
        await drained(recorder)

    assert len((await recordings.page(limit=500)).recordings) == 20


async def test_a_name_that_is_there_already_costs_no_call(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
) -> None:
    await written(database, make_call(1))
    await written(database, replace(make_call(1), call_id="another"))

    assert len((await recordings.page()).recordings) == 1
    async with database.connection() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM calls"))).scalar_one() == 2


async def test_the_migration_fills_in_what_is_there(
    database: Database, recordings: Recordings, make_call: MakeCall
) -> None:
    await written(database, *(make_call(number) for number in range(5)))

    def again(connection: Connection) -> None:
        schema.downgrade(connection, "0007")
        schema.upgrade(connection)

    async with database.connection() as connection:
        before = (await connection.execute(text("SELECT * FROM recordings ORDER BY 1"))).all()
        await connection.run_sync(again)
        after = (await connection.execute(text("SELECT * FROM recordings ORDER BY 1"))).all()
    assert len(before) == 5
    assert before == after


async def test_a_release_of_before_that_runs_beside_is_caught_up_with(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    """It gives a row to a message that has no recording, too: that one is taken away."""
    form = replace(make_call(2).messages[0], recording="", form="order")
    await written(database, make_call(1), make_call(2), make_call(3, messages=(form,)))
    keeper = Keeper(database, folder, recordings, keep_days=0)
    await keeper.adopt()
    assert len((await recordings.page()).recordings) == 2
    async with database.connection() as connection:
        await connection.execute(text("UPDATE recordings SET recording_id = '' WHERE recording_id = 'rec-1'"))

    await keeper.adopt()
    await keeper.adopt()

    assert {found.recording.recording_id for found in (await recordings.page()).recordings} == {"rec-1", "rec-2"}


async def test_what_a_file_holds_is_written_down(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    (folder / "rec-1.wav").write_bytes(tone(16384))
    await written(database, make_call(1), make_call(2))
    keeper = Keeper(database, folder, recordings, keep_days=0, now=lambda: MONDAY + timedelta(hours=1))

    assert await keeper.measure() == 1
    assert await keeper.measure() == 0

    found = await one(recordings)
    assert found.loudness == pytest.approx(-9.0, abs=0.2)  # half of full scale is -6 dB, a sine 3 dB below its peak
    assert found.checksum == hashlib.sha256((folder / "rec-1.wav").read_bytes()).hexdigest()
    assert [listed.on_disk for listed in (await recordings.page()).recordings] == [False, True]


@pytest.mark.parametrize(
    ("content", "loudness"),
    [(b"", QUIETEST), (HEADER, QUIETEST), (HEADER + bytes(16000), QUIETEST), (tone(32767), -3.0), (tone(1), -91.3)],
)
def test_loudness(tmp_path: Path, content: bytes, loudness: float) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)

    measured = measure(path)

    assert measured.loudness == pytest.approx(loudness, abs=0.2)
    assert measured.checksum == hashlib.sha256(content).hexdigest()


@given(content=st.binary(max_size=2000))
def test_any_file_can_be_measured(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "a.wav"
    path.write_bytes(content)

    assert QUIETEST <= measure(path).loudness <= 0.1


async def test_who_listens_is_in_the_trail(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    (folder / "rec-1.wav").write_bytes(tone(1000))
    await written(database, make_call(1), make_call(2))

    assert await recordings.open(await one(recordings), BY) == folder / "rec-1.wav"
    assert await recordings.open(await one(recordings, "rec-2"), BY) is None

    (row,) = await trail(database)
    assert (row.deed.principal, row.deed.action, row.deed.object) == ("token:a", Permission.RECORDING_PLAY, "rec-1")
    assert (row.deed.client, row.deed.address, row.deed.outcome) == ("cabinet-moreau", "192.0.2.1", AuditOutcome.DONE)


async def test_nothing_is_played_that_the_trail_cannot_hold(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    (folder / "rec-1.wav").write_bytes(tone(1000))
    await written(database, make_call(1))
    found = await one(recordings)
    async with database.connection() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))

    with pytest.raises(Exception, match="audit"):
        await recordings.open(found, BY)
    with pytest.raises(Exception, match="audit"):
        await recordings.delete(found, BY)
    assert (folder / "rec-1.wav").exists()


async def test_the_file_goes_and_the_row_stays(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    (folder / "rec-1.wav").write_bytes(tone(1000))
    await written(database, make_call(1))
    found = await one(recordings)

    assert await recordings.delete(found, BY) is True
    assert await recordings.delete(found, BY) is False  # somebody else was quicker
    assert await recordings.delete(await one(recordings), BY) is False

    assert not (folder / "rec-1.wav").exists()
    after = await one(recordings)
    assert after.deleted_at is not None
    assert await recordings.open(after, BY) is None
    assert {row.deed.action for row in await trail(database)} == {Permission.RECORDING_DELETE}


async def test_a_file_that_cannot_be_removed_is_not_called_deleted(
    database: Database,
    recordings: Recordings,
    make_call: MakeCall,
    folder: Path,
) -> None:
    (folder / "rec-1.wav").mkdir()
    await written(database, make_call(1))

    with pytest.raises(OSError, match="rec-1"):
        await recordings.delete(await one(recordings), BY)

    assert (await one(recordings)).deleted_at is None
    await recordings._trail.flush()
    assert {row.deed.outcome for row in await trail(database)} == {AuditOutcome.DONE, AuditOutcome.FAILED}


async def test_their_time_is_over(
    database: Database, recordings: Recordings, make_call: MakeCall, folder: Path
) -> None:
    """By the setting, which acts on the old ones too; one that resists keeps nobody else."""
    for number in range(1, 5):
        (folder / f"rec-{number}.wav").write_bytes(tone(100, 0.1))
    (folder / "rec-3.wav").unlink()
    (folder / "rec-3.wav").mkdir()
    await written(database, *(make_call(number, ringing_at=MONDAY + timedelta(days=number)) for number in range(1, 5)))
    now = MONDAY + timedelta(days=33, hours=1)

    def keeper(days: int) -> Keeper:
        return Keeper(database, folder, recordings, keep_days=days, now=lambda: now)

    assert await keeper(0).expire() == 0
    assert await keeper(3000).expire() == 0
    assert (await one(recordings, "rec-4")).delete_after is not None
    assert await keeper(30).expire() == 2  # 1 and 2, not 3, and 4 has a day left
    assert await keeper(30).expire() == 0

    assert names_in(folder) == ["rec-3.wav", "rec-4.wav"]
    rows = [row for row in await trail(database) if row.deed.outcome is AuditOutcome.DONE]
    assert {(row.deed.principal, row.deed.action) for row in rows} == {("callrouter", EXPIRE)}
    assert await keeper(0).expire() == 0
    assert (await one(recordings, "rec-4")).delete_after is None


async def test_one_looks_after_them_at_a_time(database: Database, recordings: Recordings, folder: Path) -> None:
    one_, other = (Keeper(database, folder, recordings, keep_days=0) for _ in range(2))

    async with one_.alone() as first, other.alone() as second:
        assert (first, second) == (True, False)
    async with other.alone() as third:
        assert third is True


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "a\x00", "a\n", "/etc/x", ".hidden", "é", "a" * 201, "..%2fa"]
)
def test_no_other_name_is_a_file(tmp_path: Path, name: str) -> None:
    assert path_of(tmp_path, name) is None
    assert file_of(tmp_path, name) is None


@given(st.text(max_size=250))
def test_every_file_is_in_the_folder(name: str) -> None:
    folder = Path("/srv/recordings")
    path = path_of(folder, name)

    assert path is None or (path.parent == folder and os.path.normpath(path) == str(path))


async def test_a_link_is_no_recording(
    database: Database, recordings: Recordings, make_call: MakeCall, folder: Path
) -> None:
    (folder.parent / "elsewhere.wav").write_bytes(tone(1000))
    (folder / "rec-1.wav").symlink_to(folder.parent / "elsewhere.wav")
    await written(database, make_call(1))

    assert await recordings.open(await one(recordings), BY) is None


def conversation(call: Call, **known: Any) -> Call:
    """The call, of which a conversation of a minute was recorded."""
    began_at = call.clocks.ringing_at + timedelta(seconds=10)
    ended_at = began_at + timedelta(seconds=60)
    one = Recording(number=1, key="9", keep_days=30, leg=1, began_at=began_at, ended_at=ended_at, **known)
    return replace(call, messages=(), recordings=(one,), recordings_made=1)


async def test_a_conversation_is_kept_as_long_as_its_client_says(
    database: Database, recordings: Recordings, folder: Path, make_call: MakeCall
) -> None:
    """Whatever the setting for messages; its length is that of its file, once it was looked at."""
    await written(database, conversation(make_call(1), paused_seconds=7.0))
    (folder / "call-000001-c1.wav").write_bytes(tone(3000, 2.5))
    keeper = Keeper(database, folder, recordings, keep_days=3, now=lambda: MONDAY + timedelta(days=20))
    before = await one(recordings, "call-000001-c1")
    await Keeper(database, folder, recordings, keep_days=3, now=lambda: MONDAY).measure()
    await keeper.expire()
    kept = await one(recordings, "call-000001-c1")
    later = Keeper(database, folder, recordings, keep_days=0, now=lambda: MONDAY + timedelta(days=31))
    await later.expire()

    assert (before.kind, before.leg, before.seconds, before.paused_seconds) == (
        RecordingKind.CONVERSATION,
        "call-000001/1",
        60,
        7,
    )
    assert (kept.seconds, kept.deleted_at) == (2.5, None)
    assert kept.delete_after == before.started_at + timedelta(days=30)
    assert (await one(recordings, "call-000001-c1")).deleted_at is not None
    assert names_in(folder) == []


async def test_what_a_caller_objected_to_is_never_played_and_deleted(
    database: Database, recordings: Recordings, folder: Path, make_call: MakeCall
) -> None:
    """By whoever looks after recordings, where no engine was there to do it; the trail says why."""
    call = make_call(1)
    await written(database, conversation(call, objected_at=call.clocks.ringing_at + timedelta(seconds=70)))
    (folder / "call-000001-c1.wav").write_bytes(tone(3000))
    found = await one(recordings, "call-000001-c1")
    played = await recordings.open(found, BY)
    keeper = Keeper(database, folder, recordings, keep_days=0)
    deleted = await keeper.delete_objected(), await keeper.delete_objected()

    assert played is None
    assert deleted == (1, 0)
    assert names_in(folder) == []
    assert [row.deed.action for row in await trail(database)] == [OBJECT]


@pytest.mark.parametrize("keep_days", [30, 0, 3000])
async def test_a_conversation_that_is_in_no_record_is_deleted(
    database: Database, recordings: Recordings, folder: Path, make_call: MakeCall, keep_days: int
) -> None:
    """Six months after it was last written to, whatever messages' time is; by us, in the trail."""
    await written(database, conversation(make_call(1)))
    over, not_yet = (MONDAY - timedelta(days=MOST_KEEP_DAYS, hours=hours) for hours in (1, -1))
    for name, at in [
        ("call-000001-c1", over),  # has a row
        ("call-000002-c1", over),
        ("call-000003-c12", not_yet),
        ("call-000004-1", over),  # a message's
        ("other-c", over),
    ]:
        (folder / f"{name}.wav").write_bytes(tone(100, 0.1))
        os.utime(folder / f"{name}.wav", (at.timestamp(), at.timestamp()))
    keeper = Keeper(database, folder, recordings, keep_days=keep_days, now=lambda: MONDAY)
    swept = await keeper.sweep(), await keeper.sweep()

    assert swept == (1, 0)
    assert names_in(folder) == ["call-000001-c1.wav", "call-000003-c12.wav", "call-000004-1.wav", "other-c.wav"]
    assert [(row.deed.principal, row.deed.action, row.deed.object) for row in await trail(database)] == [
        (OURSELVES, EXPIRE, "call-000002-c1")
    ]


async def test_one_that_cannot_be_deleted_keeps_no_other(
    database: Database, recordings: Recordings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once, and again when it is over; the trail says that the deletion failed."""
    over = (MONDAY - timedelta(days=MOST_KEEP_DAYS, hours=1)).timestamp()
    for name in ("call-000001-c1.wav", "call-000002-c1.wav"):
        (folder / name).write_bytes(tone(100, 0.1))
        os.utime(folder / name, (over, over))
    unlink = Path.unlink

    def stuck(path: Path, missing_ok: bool = False) -> None:
        if path.name == "call-000001-c1.wav":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    keeper = Keeper(database, folder, recordings, keep_days=0, now=lambda: MONDAY)
    with capture_logs() as logs:
        monkeypatch.setattr(Path, "unlink", stuck)
        first = await keeper.expire(), await keeper.sweep()
        second = await keeper.expire(), await keeper.sweep()
        monkeypatch.undo()
        third = await keeper.expire(), await keeper.sweep()
    await recordings._trail.flush()

    assert (first, second, third) == ((0, 1), (0, 0), (0, 1))
    assert [entry["event"] for entry in logs if "no record" in entry["event"] and "deleted" in entry["event"]] == [
        "recordings in no record cannot be deleted",
        "recordings of conversations that are in no record were deleted",
        "those in no record are deleted again",
        "recordings of conversations that are in no record were deleted",
    ]
    failed = [row.deed.object for row in await trail(database) if row.deed.outcome is AuditOutcome.FAILED]
    assert failed == ["call-000001-c1"]


async def test_a_folder_that_cannot_be_read_stops_nothing(database: Database, folder: Path) -> None:
    """It is not taken for an empty one, and it is said."""
    (folder / "no-folder").write_bytes(b"a file where the folder should be")
    keeper = Keeper(database, folder, Recordings(database, folder / "no-folder", AuditTrail(database)), keep_days=0)
    with capture_logs() as logs:
        assert await keeper.sweep() == 0

    assert [entry["event"] for entry in logs] == ["recordings in no record cannot be deleted"]
