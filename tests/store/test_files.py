"""Files of one process each, in a folder that engines share."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from callrouter.store.database import Database
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.files import new_path, open_locked
from callrouter.store.writing.spool import Spool
from callrouter.store.writing.writer import Writer
from tests.store.test_live_journal import successor


def test_later_files_sort_behind_earlier_ones(tmp_path: Path) -> None:
    found = [new_path(tmp_path, "calls-*.jsonl") for _ in range(20)]

    assert found == sorted(found)
    assert all(path.match("calls-*.jsonl") for path in found)


def test_a_lock_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "calls-1.jsonl"
    path.touch()

    assert open_locked(path, 0) is not None
    assert open_locked(path, 0) is None


async def test_a_file_that_its_engine_removes_as_we_look_is_nobodys(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leader finishes its files while a standby starts: what looked at them goes on."""
    lock = fcntl.flock
    paths = [tmp_path / name for name in ("calls-1.jsonl", "live-1.calls", "facts-1.jsonl")]

    def remove_and_lock(descriptor: int, how: int) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", remove_and_lock)
    for path in paths:
        path.write_text("1-1-1 QQ==\n")
        match path.name.partition("-")[0]:
            case "calls":
                assert Spool(tmp_path).adopt().calls == 0
            case "live":
                async with successor(tmp_path) as journal:
                    assert journal.left == {}
            case _:
                await FactJournal(Writer(database), tmp_path).run()
