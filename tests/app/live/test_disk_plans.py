"""Plans of what was live are made without PostgreSQL and without the folder, one by one."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Iterable
from datetime import datetime
from pathlib import Path

import pytest

from callrouter.app.history import PlanHistory
from callrouter.app.live.compiling import compile_all
from callrouter.app.live.disk_plans import DiskPlans
from callrouter.app.live.last_live import SoundsAway
from callrouter.app.live.live_plans import LivePlans, Version
from callrouter.app.versions import PlanVersions
from callrouter.core.plan import Plan
from callrouter.dialplan import PaperSpeech, SoundSource
from callrouter.dialplan.compile import compiler
from callrouter.runtime.reload import Swap, Why
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan
from tests.app.live.test_keeper import AT, Engine, version
from tests.app.live.test_last_live import text


@pytest.fixture
async def engine(tmp_path: Path) -> Engine:
    """It has kept what is live, and will be killed."""
    made = Engine(tmp_path)
    await made.keeper.flush()
    return made


def next_one(engine: Engine) -> DiskPlans:
    """What the next engine has of the disk."""
    sounds = SoundsAway(PaperSpeech(), engine.folder / "sounds")
    return DiskPlans(LivePlans(engine.data), sounds, region="FR", now=lambda: AT)


@pytest.mark.parametrize("dialled", ["+33199000010", "0199000010", "0033199000010", "33199000010"])
async def test_a_number_that_is_dialled_finds_what_was_live(engine: Engine, dialled: str) -> None:
    """In every spelling that a trunk may send; the folder is away."""
    live = engine.plans.plans["m"]
    shutil.rmtree(engine.folder)
    found = await next_one(engine).for_did(dialled)

    assert found is not None
    assert version(found) == version(live)
    assert found.numbers == live.numbers


@pytest.mark.parametrize("dialled", ["+33199000099", "0199000099", "sip-name", ""])
async def test_a_number_nobody_had_finds_nothing(engine: Engine, dialled: str) -> None:
    assert await next_one(engine).for_did(dialled) is None


async def test_a_live_call_finds_the_version_it_walks_when_its_file_is_gone(engine: Engine) -> None:
    """Nor is PostgreSQL there, and the client was withdrawn since."""
    old = engine.plans.plans["m"]
    engine.walked = {version(old)}
    (engine.folder / "m.yaml").unlink()
    await engine.plans.reload()
    await engine.keeper.flush()

    found = await next_one(engine).find(*version(old))
    assert found is not None
    assert (version(found), list(found.nodes)) == (version(old), list(old.nodes))
    assert await next_one(engine).for_did("+33199000010") is None, "new callers do not reach who was withdrawn"


async def test_a_release_that_compiles_otherwise_goes_on_with_calls_that_it_can_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its versions are others; the call keeps the one it began with, as long as positions are of the same nodes."""
    old = engine.plans.plans["m"]
    monkeypatch.setattr(compiler, "FORMAT", compiler.FORMAT + 1)
    found = await next_one(engine).find(*version(old))
    monkeypatch.setattr(Plan, "shape", "another")
    unread = await next_one(engine).find(*version(old))

    assert found is not None
    assert (version(found), found.node_names) == (version(old), old.node_names)
    assert unread is None


async def test_a_version_that_is_not_kept_is_not_found(engine: Engine) -> None:
    disk = next_one(engine)

    assert await disk.find("m", "0" * 12) is None
    assert await disk.find("stranger", engine.plans.plans["m"].version) is None


async def test_a_plan_is_made_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many calls walk the same."""
    disk, made = next_one(engine), list[str]()

    def noted(stored: Iterable[StoredPlan], sounds: SoundSource, *, region: str, now: datetime) -> dict[str, Plan]:
        made.extend(one.client for one in stored)
        return compile_all(stored, sounds, region=region, now=now)

    monkeypatch.setattr("callrouter.app.live.disk_plans.compile_all", noted)
    key = version(engine.plans.plans["m"])
    assert await disk.find(*key) is await disk.find(*key)
    assert disk.at_hand(*key) is await disk.for_did("0199000010")

    assert made == ["m"]


async def test_many_are_found_together(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As live calls ask for them, some at a time; who stops waiting takes nothing from the others."""
    monkeypatch.setattr("callrouter.app.live.disk_plans.MADE_AT_ONCE", 2)
    disk = next_one(engine)
    keys = [version(plan) for plan in engine.plans.plans.values()]
    wanted = [*keys, ("m", "0" * 12), keys[0]]
    tasks = Tasks()
    hasty = tasks.start(_look_up(disk, keys[0]), "hasty")
    found = asyncio.gather(*(disk.find(*key) for key in wanted))
    await asyncio.sleep(0)
    hasty.cancel()

    assert [plan and version(plan) for plan in await found] == [*keys, None, keys[0]]


async def test_one_that_is_at_hand_does_not_wait_for_others(engine: Engine) -> None:
    """Live calls ask for theirs while those of new ones are made: who waited for that was left to its lease."""
    disk = next_one(engine)
    key = version(engine.plans.plans["m"])
    await disk.find(*key)
    disk._making = asyncio.Event()  # as long as others are made
    async with asyncio.timeout(1):
        found = await disk.find(*key)

    assert found is disk.at_hand(*key)


async def test_two_versions_of_a_client_are_made_of_their_own_documents(engine: Engine) -> None:
    """Both are asked for at once: one call began before a change, one after it."""
    old, new = version(engine.plans.plans["m"]), version(await engine.save("m.yaml", text(more="# second\n")))
    engine.walked = {old}
    await engine.keeper.flush()
    disk = next_one(engine)

    found = await asyncio.gather(disk.find(*old), disk.find(*new))

    assert [plan and version(plan) for plan in found] == [old, new]


async def test_whoever_rings_does_not_wait_for_all_who_live(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their plan is there before those that were wanted earlier, but for the ones that are being made."""
    monkeypatch.setattr("callrouter.app.live.disk_plans.MADE_AT_ONCE", 1)
    disk, there = next_one(engine), list[str]()

    async def noted(name: str, finding: Awaitable[Plan | None]) -> None:
        await finding
        there.append(name)

    await asyncio.gather(
        noted("first", disk.find(*version(engine.plans.plans["n"]))),
        noted("second", disk.find("n", "0" * 12)),
        noted("rings", disk.for_did("0199000010")),
    )

    assert there == ["first", "rings", "second"]


async def _look_up(disk: DiskPlans, key: Version) -> None:
    await disk.find(*key)


async def test_the_disk_is_asked_before_the_record(engine: Engine, away: Database) -> None:
    """A live call's plan is there though PostgreSQL is not."""
    old = await engine.save("m.yaml", text(more="# second\n"))
    engine.walked = {version(old)}
    await engine.keeper.flush()
    versions = PlanVersions(engine.plans, next_one(engine), away, PaperSpeech())

    found = await versions.find(*version(old))
    assert found is not None
    assert version(found) == version(old)
    assert versions.at_hand(*version(old)) is found


async def test_what_the_record_alone_had_is_kept_for_the_call_that_walks_it(
    engine: Engine, database: Database, away: Database, tmp_path: Path
) -> None:
    """The disk is another one; the engine after this one may find no PostgreSQL."""
    old = engine.plans.plans["m"]
    history = PlanHistory(database, engine.folder)
    history.note(Swap(at=AT, why=Why.START, live=(old,), catalogue=engine.plans.catalogue))
    await history.flush()
    other = Engine(tmp_path / "other")
    await other.save("m.yaml", text(more="# second\n"))
    await other.keeper.flush()
    sounds = PaperSpeech((engine.folder / "sounds",))
    versions = PlanVersions(other.plans, next_one(other), database, sounds, on_found=other.keeper.found)
    assert await versions.find(*version(old)) is not None
    other.walked = {version(old)}
    await other.keeper._forget()

    assert await PlanVersions(other.plans, next_one(other), away, sounds).find(*version(old)) is not None
    other.walked = set()
    await other.keeper._forget()
    assert not other.kept(old)
