"""Where a transcript is shown it is marked as a machine's; and it goes with its sound."""

from __future__ import annotations

from pathlib import Path

from callrouter.cli.messages.screen import screen_of
from callrouter.permissions import By
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.messages import StoredMessage, find_message
from callrouter.store.messages.transcripts import keep_transcript
from callrouter.store.writing.writer import Writer
from tests.api.stories import message_left
from tests.store.dispatch.rows import after


async def a_message(database: Database) -> StoredMessage:
    """By voice, written down."""
    writer = Writer(database)
    assert await writer.write([message_left("7")]) == []
    writer.close()
    assert await keep_transcript(database, "7.m1", "rappelez\nmoi", by="stt", at=after(0))
    kept = await find_message(database, "7.m1")
    assert kept is not None
    return kept[0]


async def test_a_person_reads_which_machine_wrote_it(database: Database) -> None:
    shown = "\n".join(screen_of(await a_message(database), []))

    assert "transcript, by a machine (stt):\n    rappelez\n    moi" in shown


async def test_it_is_kept_once(database: Database) -> None:
    await a_message(database)

    assert not await keep_transcript(database, "7.m1", "another", by="other", at=after(1))


async def test_it_goes_with_its_sound(database: Database, tmp_path: Path) -> None:
    """A caller who objects, or a time that is over, has nothing of what was said kept."""
    message = await a_message(database)
    recorded = Recordings(database, tmp_path, AuditTrail(database))
    assert message.recording is not None
    found = await recorded.find(message.recording)
    assert found is not None
    (tmp_path / f"{message.recording}.wav").write_bytes(b"RIFF")

    assert await recorded.delete(found, By(principal="operator"))

    kept = await find_message(database, message.message_id)
    assert kept is not None
    assert (kept[0].transcript, kept[0].transcript_by) == ("", "")
