"""What calls in progress have reached is on disk when they reach it, and known to the next start."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from callrouter.runtime.tasks import Tasks
from callrouter.store.writing import live_journal
from callrouter.store.writing.live_journal import LiveJournal
from tests.store.small_disk import enlarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("live-*"))


@asynccontextmanager
async def successor(folder: Path, shift: timedelta = timedelta()) -> AsyncIterator[LiveJournal]:
    """The next engine's, once it has taken over."""
    journal = LiveJournal(folder, shift=shift)
    tasks = Tasks()
    tasks.start(journal.run(), "journal of calls in progress")
    async with asyncio.timeout(10):
        await journal.taken_over.wait()
    try:
        yield journal
    finally:
        await tasks.stop()
        journal.close()


def killed(journal: LiveJournal) -> None:
    """Its process is gone, and with it its lock: nothing else was written."""
    os.close(journal._descriptor)
    journal._path = None


async def test_the_next_start_knows_what_calls_had_reached(tmp_path: Path) -> None:
    """The last word of each that was not safe, and until when the engine lived."""
    journal = LiveJournal(tmp_path)
    journal.note("1-1-1", b"QQ==")
    journal.note("1-2-2", b"Qg==")
    journal.note("1-1-1", b"Qw==")
    journal.note("1-3-3", b"RA==")
    journal.safe(["1-3-3", "never heard of"])
    [file] = files(tmp_path)
    killed(journal)
    with file.open("ab") as cut:
        cut.write(b"1-2-2 Qg=")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    at = datetime.fromtimestamp(1_700_000_000, UTC)

    async with successor(tmp_path, timedelta(hours=1)) as found:
        assert found.left == {"1-1-1": (b"Qw==", at + timedelta(hours=1)), "1-2-2": (b"Qg==", at + timedelta(hours=1))}
        assert files(tmp_path) != [file]


async def test_it_is_not_forgotten_by_a_second_death(tmp_path: Path) -> None:
    """The next but one knows as much, and when the first of them ended."""
    journal = LiveJournal(tmp_path)
    journal.note("1-1-1", b"QQ==")
    journal.note("1-2-2", b"Qg==")
    [file] = files(tmp_path)
    killed(journal)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    at = datetime.fromtimestamp(1_700_000_000, UTC)

    async with successor(tmp_path) as second:
        second.note("1-9-9", b"SQ==")
        second.resumed(["1-2-2"])
        second.told("1-1-1")
    async with successor(tmp_path) as third:
        assert third.left["1-1-1"] == (b"QQ==", at)
        assert {call_id: state for call_id, (state, _) in third.left.items()} == {
            "1-1-1": b"QQ==",
            "1-2-2": b"Qg==",
            "1-9-9": b"SQ==",
        }
        assert min(third.left["1-9-9"][1], third.left["1-2-2"][1]) > at
        third.safe(["1-1-1", "1-2-2", "1-9-9"])
        assert not third.left
    assert files(tmp_path) == []


async def test_a_living_engines_file_is_left_alone_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was stopped, or gives its place away, ends after the other one leads."""
    monkeypatch.setattr(live_journal, "SYNC_SECONDS", 0.05)
    journal = LiveJournal(tmp_path)
    journal.note("1-1-1", b"QQ==")
    [file] = files(tmp_path)
    async with successor(tmp_path) as follower:
        follower.note("1-2-2", b"Qg==")
        await asyncio.sleep(0.2)
        before = dict(follower.left), file in files(tmp_path)
        killed(journal)
        async with asyncio.timeout(5):
            while not follower.left:
                await asyncio.sleep(0.02)

        assert before == ({}, True)
        assert list(follower.left) == ["1-1-1"]
        assert file not in files(tmp_path)


async def test_the_file_says_that_its_engine_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while nothing happens: a conversation of an hour ends when the engine was last there."""
    monkeypatch.setattr(live_journal, "SYNC_SECONDS", 0.05)
    async with successor(tmp_path) as journal:
        journal.note("1-1-1", b"QQ==")
        [file] = files(tmp_path)
        os.utime(file, (1_700_000_000, 1_700_000_000))
        async with asyncio.timeout(5):
            while file.stat().st_mtime < time.time() - 60:
                await asyncio.sleep(0.02)


async def test_it_does_not_grow_with_the_calls_that_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one file, as long as what is needed and a bit; a call that lasts does not keep the others' lines."""
    monkeypatch.setattr(live_journal, "MAX_BYTES", 10_000)
    journal = LiveJournal(tmp_path)
    journal.note("1-0-0", b"QQ==")
    for number in range(1, 2_000):
        journal.note(f"1-{number}-1", b"Q" * 600)
        if number > 3:
            journal.safe([f"1-{number - 3}-1"])
    [file] = files(tmp_path)
    assert file.stat().st_size < 20_000
    assert len(journal) == 4
    assert b"1-0-0 QQ==\n" in file.read_bytes()
    journal.safe(["1-0-0", *(f"1-{number}-1" for number in range(1_990, 2_000))])
    assert file.stat().st_size == 0
    journal.close()
    assert files(tmp_path) == []


async def test_a_full_disk_harms_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written with the next file that can be."""

    def full(*_: object) -> int:
        raise OSError("no space left on device")

    journal = LiveJournal(tmp_path)
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        journal.note("1-1-1", b"QQ==")
    assert files(tmp_path) == []
    journal.note("1-2-2", b"Qg==")
    assert files(tmp_path)[0].read_bytes() == b"1-1-1 QQ==\n1-2-2 Qg==\n"
    journal.close()


async def test_a_line_that_filled_the_disk_spoils_no_other(tiny_disk: Path) -> None:
    """A disk takes half of the line for which it has no room. Once it has, all that was noted is there."""
    journal = LiveJournal(tiny_disk)
    tasks = Tasks()
    tasks.start(journal.run(), "journal of calls in progress")
    calls = [f"1-{number}-1" for number in range(500)]
    for call_id in calls:
        journal.note(call_id, b"Q" * 148)
    refused = journal.disk_refuses
    kept = files(tiny_disk)[0].read_bytes()
    enlarge(tiny_disk)
    async with asyncio.timeout(10):
        while journal.disk_refuses:
            await asyncio.sleep(0.05)
    await tasks.stop()

    [file] = files(tiny_disk)
    assert refused
    assert kept.endswith(b"Q\n")
    assert [line.split()[0].decode() for line in file.read_bytes().splitlines()] == calls
    journal.close()
