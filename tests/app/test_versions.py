"""A plan of the past is found in the record, and made again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.app.history import PlanHistory
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.live_plans import LivePlans
from callrouter.app.versions import KeptPlans, PlansInService, PlanVersions
from callrouter.asterisk.ended_row import ended_call, read_row
from callrouter.core import engine, inputs, state
from callrouter.core.call import CallerId, Disposition
from callrouter.core.plan import Plan
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.errors import DatabaseUnreachable, StoreError
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TREE = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
start: {start}
nodes:
  {start}:
    queue: {{ name: front, max_wait: 1m, overflow: bye }}
  bye:
    hangup: {{ prompt: {{ say: "Au revoir" }} }}
"""


def no_disk(place: Path) -> DiskPlans:
    """A disk on which nothing is kept."""
    return DiskPlans(LivePlans(place / "live"), PaperSpeech(), region="FR", now=lambda: AT)


async def started(folder: Path, database: Database) -> ServedPlans:
    """An engine's plans, kept in the record."""
    (folder / "shared").mkdir(exist_ok=True)
    (folder / "shared" / "queues.yaml").write_text("queues:\n  front: {}\n")
    loader, history = Loader(folder, PaperSpeech()), PlanHistory(database, folder)
    plans = ServedPlans(loader.load(), loader, LiveCalls(), now=lambda: AT, on_swap=history.note)
    await history.flush()
    assert plans.plans, plans.catalogue.issues
    return plans


async def test_a_call_whose_plan_was_replaced_between_two_engines(database: Database, tmp_path: Path) -> None:
    """Killed with a caller in the queue; the file was edited before the next start; the agent had answered."""
    (tmp_path / "a.yaml").write_text(TREE.format(start="secretaries"))
    old = (await started(tmp_path, database)).plans["a"]
    offered = inputs.CallOffered(call_id="1-2-3", did="+33199000010", caller=CallerId(), at=AT)
    encoded = state.encode(old, engine.start(old, offered).call).decode()
    (tmp_path / "a.yaml").write_text(TREE.format(start="team"))
    plans = await started(tmp_path, database)
    assert plans.plan("a", old.version) is None

    versions = PlanVersions(plans, no_disk(tmp_path), database, PaperSpeech())
    found = await versions.find("a", old.version)

    assert found is not None
    assert (found.version, list(found.nodes)) == (old.version, list(old.nodes))
    epoch = int(AT.timestamp())
    row = read_row("1-2-3", f"v2|{epoch + 60}|16|+33199000010|a||taken||///|agent-1/{epoch}/9/|{encoded}")
    assert row is not None
    call = ended_call(row, found, plans.for_did("+33199000010"), "FR")
    assert (call.plan_version, call.disposition, call.waiting_seconds(AT)) == (old.version, Disposition.ANSWERED, 9)
    assert versions.at_hand("a", old.version) is found


async def test_the_plan_that_is_live(database: Database, tmp_path: Path) -> None:
    """As it is in the record at each question; without PostgreSQL the one that was, or that of the engine's disk."""
    (tmp_path / "a.yaml").write_text(TREE.format(start="secretaries"))
    first = (await started(tmp_path, database)).plans["a"]
    in_service = PlansInService(database, KeptPlans(database, PaperSpeech(), "FR"), lambda: no_disk(tmp_path))
    found = [await in_service.live("a"), await in_service.live("b")]
    (tmp_path / "a.yaml").write_text(TREE.format(start="team"))
    second = (await started(tmp_path, database)).plans["a"]
    found.append(await in_service.live("a"))
    async with database.connection() as connection:
        await connection.exec_driver_sql("ALTER TABLE plan_history RENAME TO away")
    found.append(await in_service.live("a"))
    with pytest.raises(StoreError):
        await in_service.live("b")

    assert [one and one.version for one in found] == [first.version, None, second.version, second.version]

    LivePlans(tmp_path / "live").keep({"a": stored_plan_of(first, tmp_path)}, AT, numbers={}, walked=())
    restarted = PlansInService(database, KeptPlans(database, PaperSpeech(), "FR"), lambda: no_disk(tmp_path))
    on_disk = await restarted.live("a")
    assert on_disk is not None
    assert on_disk.version == first.version


def stored_plan_of(plan: Plan, folder: Path) -> StoredPlan:
    """With the documents that it was made of."""
    documents = {
        "a.yaml": TREE.format(start="secretaries"),
        "shared/queues.yaml": (folder / "shared" / "queues.yaml").read_text(),
    }
    return StoredPlan(
        client="a",
        version=plan.version,
        document=documents["a.yaml"],
        first_live_at=AT,
        source="a.yaml",
        documents=documents,
        shape=plan.shape,
    )


async def test_it_is_made_once(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it cannot be made any more; one that was never live is asked for again."""
    (tmp_path / "a.yaml").write_text(TREE.format(start="secretaries"))
    old = (await started(tmp_path, database)).plans["a"]
    (tmp_path / "a.yaml").write_text(TREE.format(start="team"))
    versions = PlanVersions(await started(tmp_path, database), no_disk(tmp_path), database, PaperSpeech())
    made: list[str] = []

    def no_plan(stored: object, sounds: object, **_: object) -> None:
        made.append("again")

    monkeypatch.setattr("callrouter.app.versions.compile_again", no_plan)
    assert await versions.find("a", old.version) is None
    assert await versions.find("a", old.version) is None
    assert await versions.find("a", "0" * 12) is None
    assert made == ["again"]


async def test_while_postgresql_is_away_nobody_decides(database: Database, tmp_path: Path) -> None:
    """What is in service is known all the same; of anything else it is not said that it never was."""
    (tmp_path / "a.yaml").write_text(TREE.format(start="secretaries"))
    plans = await started(tmp_path, database)
    away = Database(database.url.set(host="127.0.0.1", port=1, query={}))
    versions = PlanVersions(plans, no_disk(tmp_path), away, PaperSpeech())

    assert await versions.find("a", plans.plans["a"].version) is plans.plans["a"]
    with pytest.raises(DatabaseUnreachable):
        await versions.find("a", "0" * 12)
    await away.close()
