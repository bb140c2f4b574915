"""A message that was taken is on disk, then in PostgreSQL, once; when one of them fails, nobody is told a lie."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from callrouter.errors import AnotherMessage, NotKept
from callrouter.store.database import Database
from callrouter.store.messages import Change, StoredMessage, change_message, find_message, keep_taken
from callrouter.store.tables import MessageChangeKind
from callrouter.store.taken import files, journal
from callrouter.store.taken.files import REFUSED, line_of
from callrouter.store.taken.journal import MessageJournal
from callrouter.store.writing.files import write_whole
from callrouter.store.writing.writer import RowsRefused
from tests.store.taken.messages import AT, taken


@asynccontextmanager
async def journaling(database: Database, folder: Path) -> AsyncIterator[MessageJournal]:
    """A journal that writes."""
    made = MessageJournal(database, folder)
    task = asyncio.get_running_loop().create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await made.close()


@pytest.fixture
async def nowhere(database: Database) -> AsyncIterator[Database]:
    """A PostgreSQL that is away."""
    away = Database(database.url.set(database="nowhere"))
    yield away
    await away.close()


def sizes(folder: Path) -> list[int]:
    """Of the journal's files."""
    found = []
    for path in sorted(folder.glob("messages-*")):
        with suppress(FileNotFoundError):  # it has just been deleted
            found.append(path.stat().st_size)
    return found


def modes(folder: Path) -> dict[str, int]:
    """Of what is in it, by the beginning of each name."""
    return {path.name[:8]: path.stat().st_mode & 0o777 for path in folder.rglob("*")}


async def settled(kept: MessageJournal, folder: Path) -> None:
    """Nothing waits, and nothing is on disk."""
    async with asyncio.timeout(10):
        while len(kept) or any(sizes(folder)):
            await asyncio.sleep(0.01)


def cut_in_mid_line(folder: Path) -> None:
    """Whoever wrote there died in the middle of a line."""
    with min(folder.glob("messages-*")).open("ab") as file:
        file.write(line_of(taken())[:40])


async def stored(database: Database, message_id: str) -> StoredMessage:
    found = await find_message(database, message_id)
    assert found is not None
    return found[0]


async def count(database: Database) -> int:
    async with database.connection() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM messages"))).scalar_one())


async def test_it_is_on_disk_and_in_the_record(database: Database, tmp_path: Path) -> None:
    """The file holds nothing that is safe; it goes with the next process."""
    message = taken(text="Asks to be called back.")
    async with journaling(database, tmp_path / "spool") as kept:
        before = sizes(tmp_path / "spool")
        found = await kept.take(message)
        assert found is not None
        await settled(kept, tmp_path / "spool")

    assert before == []
    assert found[0] == await stored(database, message.message_id)
    assert (found[0].fields, found[0].taken_by, found[0].text) == (message.fields, "token:desk", message.text)
    async with journaling(database, tmp_path / "spool") as successor:
        assert await successor.take_over() == 0
    assert sizes(tmp_path / "spool") == []


async def test_it_is_nobody_elses_to_read(nowhere: Database, tmp_path: Path) -> None:
    """Callers' names and numbers; also where `web` makes the data folder itself."""
    async with journaling(nowhere, tmp_path / "data" / "spool") as kept:
        await kept.take(taken())

    assert modes(tmp_path) == {"data": 0o711, "spool": 0o700, "messages": 0o600}


async def test_what_waits_for_postgresql_is_taken_over(database: Database, nowhere: Database, tmp_path: Path) -> None:
    """By the next process, or by one that runs beside it; from one that lives, nothing."""
    first, second = taken(), taken()
    async with journaling(nowhere, tmp_path) as kept, journaling(database, tmp_path) as beside:
        assert await kept.take(first) is None
        assert await kept.take(second) is None
        assert await kept.take(first) is None  # sent again
        assert (len(kept), kept.find(first.message_id)) == (2, first)
        assert "2 wait for PostgreSQL" in (await kept.check() or "")
        assert await beside.take_over() == 0
    cut_in_mid_line(tmp_path)
    async with journaling(database, tmp_path) as successor:
        assert await successor.take_over() == 2
        await settled(successor, tmp_path)
        assert await successor.check() is None

    assert sizes(tmp_path) == []
    assert await count(database) == 2
    assert (await stored(database, second.message_id)).taken_at == AT


async def test_an_id_is_one_messages(database: Database, nowhere: Database, tmp_path: Path) -> None:
    """While it waits, and in the record, whatever was made of it since; when it was sent does not matter."""
    message = taken()
    again = replace(message, taken_at=AT + timedelta(seconds=9), taken_by="token:desk-2")
    async with journaling(nowhere, tmp_path / "away") as kept:
        await kept.take(message)
        assert await kept.take(again) is None
        with pytest.raises(AnotherMessage):
            await kept.take(replace(message, urgent=True))
    async with journaling(database, tmp_path / "there") as kept:
        await kept.take(message)
        change = Change(
            kind=MessageChangeKind.CORRECTED, principal="token:desk", at=AT, values={"caller_name": "J. Martin"}
        )
        await change_message(database, message.message_id, change)
        found = await kept.take(again)
        with pytest.raises(AnotherMessage):
            await kept.take(replace(message, caller_name="J. Martin"))

    assert found is not None
    assert (found[0].caller_name, found[0].taken_by, len(found[1])) == ("J. Martin", "token:desk", 1)
    assert await count(database) == 1
    assert not (tmp_path / "there" / REFUSED).exists()


async def test_without_a_disk_postgresql_alone_has_it(
    database: Database, nowhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without both it is not kept, and not said to be."""
    monkeypatch.setattr(journal, "ALONE_SECONDS", 0.5)
    (tmp_path / "file").write_text("no folder")
    message, lost = taken(), taken()
    async with journaling(database, tmp_path / "file") as kept:
        assert await kept.take(message) is not None
        assert await kept.check() == "the disk takes none"
    async with journaling(nowhere, tmp_path / "file") as kept:
        with pytest.raises(NotKept):
            await kept.take(lost)
        with pytest.raises(NotKept):
            await kept.take(lost)
        assert len(kept) == 0

    assert await count(database) == 1


async def test_a_disk_that_hangs(
    database: Database, nowhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL has what is taken meanwhile, one after the other; without it nothing is said to be kept."""
    monkeypatch.setattr(journal, "DISK_SECONDS", 0.2)
    mended = threading.Event()
    write = write_whole
    monkeypatch.setattr(files, "write_whole", lambda *args: mended.wait(20) and write(*args))
    async with journaling(database, tmp_path / "there") as kept:
        for _ in range(3):
            assert await kept.take(taken()) is not None
        mended.set()
        await settled(kept, tmp_path / "there")
    mended.clear()
    monkeypatch.setattr(journal, "ALONE_SECONDS", 0.5)
    async with journaling(nowhere, tmp_path / "away") as kept:
        message = taken()
        found = await asyncio.gather(kept.take(message), kept.take(message), return_exceptions=True)
        mended.set()

    assert await count(database) == 3
    assert [type(one) for one in found] == [NotKept, NotKept]


async def test_sent_twice_while_the_disk_takes_its_time(
    nowhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second does not take it from the first."""
    write, message = write_whole, taken()

    def slowly(descriptor: int, content: bytes) -> None:
        time.sleep(0.5)
        write(descriptor, content)

    monkeypatch.setattr(files, "write_whole", slowly)
    async with journaling(nowhere, tmp_path) as kept:
        first = asyncio.get_running_loop().create_task(kept.take(message))
        await asyncio.sleep(0.1)
        assert [await kept.take(message), await first] == [None, None]
        assert kept.find(message.message_id) == message


async def test_what_postgresql_cannot_hold_is_set_aside(database: Database, tmp_path: Path) -> None:
    """Whoever sent it hears that; the others of the batch are kept."""
    bad, good = taken(text="a NUL: \x00"), [taken() for _ in range(3)]
    async with journaling(database, tmp_path) as kept:
        found = await asyncio.gather(*map(kept.take, [good[0], bad, *good[1:]]), return_exceptions=True)
        await settled(kept, tmp_path)

    assert [type(one) for one in found] == [tuple, RowsRefused, tuple, tuple]
    assert await count(database) == 3
    assert (tmp_path / REFUSED).read_bytes() == line_of(bad)
    assert sizes(tmp_path) == [0]


async def test_another_message_that_was_kept_under_the_same_id(
    database: Database, nowhere: Database, tmp_path: Path
) -> None:
    """While PostgreSQL was away nobody could say so; it is not lost, and the first one stays."""
    first = taken(text="first")
    await keep_taken(database, [first])
    second = replace(first, text="second")
    async with journaling(nowhere, tmp_path) as kept:
        assert await kept.take(second) is None
    async with journaling(database, tmp_path) as successor:
        await successor.take_over()
        await settled(successor, tmp_path)

    assert (await stored(database, first.message_id)).text == "first"
    assert (tmp_path / REFUSED).read_bytes() == line_of(second)
    assert sizes(tmp_path) == []


async def test_there_is_room_for_so_many(nowhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in bytes; one that waits may be sent again."""
    monkeypatch.setattr(journal, "MOST_WAITING", 2)
    first = taken()
    async with journaling(nowhere, tmp_path) as kept:
        await kept.take(first)
        await kept.take(taken())
        with pytest.raises(NotKept, match="2 messages wait"):
            await kept.take(taken())
        assert await kept.take(first) is None
        monkeypatch.setattr(journal, "MOST_WAITING", 9)
        monkeypatch.setattr(journal, "MOST_BYTES", 5_000)
        with pytest.raises(NotKept):
            await kept.take(taken(text="x" * 5_000))
        assert len(kept) == 2


async def test_a_file_that_has_grown_is_left_and_deleted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1_000)
    many = [taken() for _ in range(20)]
    async with journaling(database, tmp_path) as kept:
        await asyncio.gather(*map(kept.take, many))
        async with asyncio.timeout(5):
            while any(sizes(tmp_path)) or len(sizes(tmp_path)) > 1:
                await asyncio.sleep(0.01)

    assert await count(database) == 20


async def test_a_line_that_does_not_read_is_set_aside(database: Database, tmp_path: Path) -> None:
    """Of a later release, or of a disk that fails: nobody deletes what they do not understand."""
    message = taken()
    (tmp_path / "messages-0.jsonl").write_bytes(b'{"of": "tomorrow"}\n' + line_of(message) + b"\xff\n")
    async with journaling(database, tmp_path) as kept:
        assert await kept.take_over() == 1
        await settled(kept, tmp_path)

    assert await count(database) == 1
    assert (tmp_path / REFUSED).read_bytes() == b'{"of": "tomorrow"}\n\xff\n'
    assert sizes(tmp_path) == []
