"""A version stays on disk as long as a call walks it, whatever has become of its file, and goes with the last one."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from callrouter.app.live.compiling import compile_again
from callrouter.app.live.keeper import LiveKeeper
from callrouter.app.live.live_plans import INDEX, LivePlans, Version
from callrouter.core.plan import Plan
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.store.plans import StoredPlan
from tests.app.live.test_last_live import text

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


class Engine:
    """What an engine serves of a folder, and keeps."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "dialplans"
        (self.folder / "sounds").mkdir(parents=True)
        (self.folder / "sounds/au-revoir.sln").write_bytes(bytes(16_000))
        self.data = place / "live"
        self.walked: Collection[Version] | None = set()
        self.put("n.yaml", text("n", "01 99 00 00 11"))
        self.put("m.yaml", text())
        self.keeper = self._keeper()
        sounds = PaperSpeech((self.folder / "sounds",))
        self.loader = Loader(self.folder, sounds)
        self.plans = ServedPlans(
            self.loader.load(AT), self.loader, LiveCalls(), now=lambda: AT, on_swap=lambda swap: self.keeper.note(swap)
        )

    def _keeper(self) -> LiveKeeper:
        return LiveKeeper(LivePlans(self.data), lambda: self.walked)

    def put(self, file: str, content: str) -> None:
        (self.folder / file).write_text(content)

    async def save(self, file: str, content: str) -> Plan:
        """What was live of client m before."""
        before = self.plans.plans["m"]
        self.put(file, content)
        await self.plans.reload()
        return before

    def kept(self, plan: Plan) -> bool:
        """Whether a new engine would find the version, and make the same plan of it."""
        stored = LivePlans(self.data).stored(plan.client, plan.version)
        if stored is None:
            return False
        made = compile_again(stored, PaperSpeech((self.folder / "sounds",)), region="FR", now=AT)
        return made is not None and made.version == plan.version


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def version(plan: Plan) -> Version:
    return plan.client, plan.version


async def test_a_version_that_a_call_walks_stays_when_its_file_changes(engine: Engine) -> None:
    await engine.keeper.flush()
    old = await engine.save("m.yaml", text(more="# second\n"))
    engine.walked = {version(old)}
    await engine.keeper.flush()

    assert engine.kept(old)
    assert engine.kept(engine.plans.plans["m"])


async def test_a_version_that_a_call_walks_stays_when_its_client_is_withdrawn(engine: Engine) -> None:
    await engine.keeper.flush()
    old = engine.plans.plans["m"]
    engine.walked = {version(old)}
    (engine.folder / "m.yaml").unlink()
    await engine.plans.reload()
    await engine.keeper.flush()

    assert LivePlans(engine.data).plans.keys() == {"n"}
    assert engine.kept(old)


async def test_it_goes_with_the_last_call(engine: Engine) -> None:
    await engine.keeper.flush()
    old = await engine.save("m.yaml", text(more="# second\n"))
    engine.walked = {version(old)}
    await engine.keeper.flush()
    at = LivePlans(engine.data).changed_at
    engine.walked = set()
    await engine.keeper._forget()

    assert not engine.kept(old)
    assert len(list((engine.data / "documents").iterdir())) == 2
    assert LivePlans(engine.data).changed_at == at, "what is live did not change"


async def test_what_went_live_for_a_moment_stays_for_the_call_that_began_then(engine: Engine) -> None:
    """Two saves before the disk was written: the one in between has a call of its own."""
    await engine.keeper.flush()
    await engine.save("m.yaml", text(more="# second\n"))
    second = await engine.save("m.yaml", text(more="# third\n"))
    engine.walked = {version(second)}
    await engine.keeper.flush()

    assert engine.kept(second)
    assert engine.kept(engine.plans.plans["m"])


async def test_nothing_is_forgotten_before_it_is_known_which_calls_live(engine: Engine) -> None:
    """A start: the folder is loaded, and Asterisk has not answered yet. Its calls may walk what was live before."""
    await engine.keeper.flush()
    engine.walked, engine.keeper = None, engine._keeper()
    old = await engine.save("m.yaml", text(more="# second\n"))
    await engine.keeper.flush()
    await engine.keeper._forget()

    assert engine.kept(old)


def test_who_was_stopped_while_it_wrote_changes_nothing_of_its_followers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk took its time, another engine led meanwhile, and what that one has kept stays as it is."""
    epochs = [1]
    live = {"m": a_plan("1"), "n": a_plan("n")}
    before = LivePlans(tmp_path, is_ours=lambda: epochs[-1] == 1)
    before.keep(live, AT, numbers={}, walked=())
    original = os.fsync

    def follow(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", original)
        original(descriptor)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        epochs.append(2)
        LivePlans(tmp_path, is_ours=lambda: True).keep({"m": a_plan("3")}, AT, numbers={}, walked=())

    monkeypatch.setattr(os, "fsync", follow)
    with pytest.raises(OSError, match="another engine leads by now"):
        before.keep({"m": a_plan("2")}, AT, numbers={}, walked=())
    found = LivePlans(tmp_path)

    assert {client: plan.version for client, plan in found.plans.items()} == {"m": "3"}
    assert found.stored("m") == a_plan("3")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [INDEX]


def a_plan(version: str) -> StoredPlan:
    return StoredPlan(
        client="m" if version.isdecimal() else version,
        version=version,
        document=version,
        first_live_at=AT,
        source="m.yaml",
        documents={"m.yaml": version},
    )


async def test_a_list_of_an_earlier_release_is_read_and_learns_the_numbers(engine: Engine) -> None:
    await engine.keeper.flush()
    index = msgspec.json.decode((engine.data / INDEX).read_bytes())
    del index["walked"]
    for plan in index["plans"].values():
        del plan["numbers"]
    (engine.data / INDEX).write_bytes(msgspec.json.encode(index))
    engine.keeper = engine._keeper()
    assert engine.keeper.disk.plans["m"].numbers == ()
    at = engine.keeper.disk.changed_at
    await engine.save("m.yaml", text(more="# second\n"))
    await engine.keeper.flush()

    assert LivePlans(engine.data).plans["n"].numbers == ("+33199000011",)
    assert at is not None
