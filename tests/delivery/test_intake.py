"""From the call to the book, with PostgreSQL, the disk or both away."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callrouter.delivery import intake as under_test
from callrouter.delivery.intake import Intake
from callrouter.errors import StoreError
from callrouter.store.database import Database
from callrouter.store.dispatch.asked import AskedRows
from callrouter.store.notification_spool import NotificationSpool
from tests.delivery.channels.walking import delivery_to
from tests.delivery.rooms import Rows

ADDRESS = "https://crm.example/"


def intake_of(database: Database, path: Path) -> Intake:
    """As an engine has one."""
    return Intake(AskedRows(database), NotificationSpool(path))


async def test_batches(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits on disk and in memory is in the book in the end."""
    monkeypatch.setattr(under_test, "AT_ONCE", 2)
    await NotificationSpool(tmp_path / "n").append([delivery_to(ADDRESS, f"a{n}") for n in range(5)])
    intake = intake_of(database, tmp_path / "n")
    for number in range(3):
        intake.take(delivery_to(ADDRESS, f"b{number}"))
    await intake.keep()

    assert sorted(await Rows(database).ids()) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1", "b2"]
    assert len(intake) == 0
    assert not (tmp_path / "n").exists()


async def test_a_spool_that_cannot_be_read_does_not_hold_up_what_comes_in(database: Database, tmp_path: Path) -> None:
    """It is read as soon as it can be."""
    (tmp_path / "n").mkdir()
    intake = intake_of(database, tmp_path / "n")
    intake.take(delivery_to(ADDRESS))
    await intake.keep()
    assert len(await Rows(database).by_call()) == 1

    (tmp_path / "n").rmdir()
    await NotificationSpool(tmp_path / "n").append([delivery_to(ADDRESS, "left")])
    await intake.keep()
    assert await Rows(database).ids() == ["c1-n0", "left"]


async def test_when_both_fail_it_waits_in_memory(database: Database, tmp_path: Path) -> None:
    """And is logged whole when the engine stops."""
    away = Database(database.url.set(database="nowhere"))
    (tmp_path / "n").mkdir()
    intake = intake_of(away, tmp_path / "n")
    intake.take(delivery_to(ADDRESS))
    with pytest.raises(StoreError):
        await intake.keep()
    assert not await intake.put_aside()
    assert len(intake) == 1
    with capture_logs() as logs:
        await intake.flush()
    await away.close()

    said = str(logs)
    assert "a notification is lost" in said
    assert "c1-n0" in said
    assert ADDRESS in said


async def test_too_many(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is no room for is logged whole, and loudly."""
    monkeypatch.setattr(under_test, "MAX_IN_MEMORY", 1)
    intake = intake_of(database, tmp_path / "n")
    with capture_logs() as logs:
        for number in range(2):
            intake.take(delivery_to(ADDRESS, f"n{number}"))

    assert len(intake) == 1
    assert "n1" in str(logs)
