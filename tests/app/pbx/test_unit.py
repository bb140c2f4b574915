"""The unit on the PBX's host, between a real engine's HTTP side and a real Asterisk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from callrouter.api.engine_app import create_engine_app
from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.app.pbx import unit as pbx_unit
from callrouter.app.pbx.unit import NotSignedError, PbxUnit
from callrouter.asterisk.teams.applier import Applier
from callrouter.asterisk.teams.console import Console
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.asterisk.teams.handover import Handover
from tests.api.serving import TOKEN, make_gate, serving
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import until
from tests.asterisk.teams.test_handover import KEY, queue, shared

LIVE_SECONDS = 1.0
"""What a saved file may take to be live; of that, handing over and applying are most."""


@dataclass
class Site:
    pbx: Pbx
    handover: Handover
    applier: Applier
    client: EngineClient
    applied: list[str]

    def unit(self, key: str = KEY) -> PbxUnit:
        return PbxUnit(self.client, self.applier, key)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    applied: list[str] = []
    handover = Handover(KEY, on_applied=lambda: applied.append(handover.applied))
    app = create_engine_app([], CollectorRegistry(), {}, gate=make_gate(), handover=handover)
    with Pbx.start(folder / "pbx", agents=0) as pbx:
        etc = pbx.run_dir / "etc"
        async with serving(app) as base:
            yield Site(
                pbx,
                handover,
                Applier(PbxFolder(etc), Console(etc)),
                EngineClient(base, TOKEN, timeout_seconds=1),
                applied,
            )
            handover.close()


async def test_what_the_engine_hands_over_is_live_at_once(tmp_path: Path) -> None:
    """The first document, each change while the unit waits, and the same one again when the PBX lost it."""
    async with site(tmp_path) as here:
        here.handover.folder_says(shared(queue("night", "anne")))
        here.handover.named(())
        running = asyncio.get_running_loop().create_task(here.unit().run())
        await until(lambda: here.handover.applied == here.handover.version, 5)
        first = here.pbx.cli("queue show night")
        took = []
        for number in range(3):
            began = time.monotonic()
            here.handover.folder_says(shared(queue("night", "anne"), queue(f"day-{number}", "bruno")))
            await until(lambda: here.handover.applied == here.handover.version, 5)
            took.append(time.monotonic() - began)
        day = here.pbx.cli("queue show day-2")
        (here.pbx.run_dir / "etc/callrouter/queues.conf").write_text("; somebody's own\n")
        here.pbx.cli("queue reload all")
        lost = here.pbx.cli("queue show day-2")
        here.handover.again()
        await until(lambda: "bruno" in here.pbx.cli("queue show day-2"), 5)
        # Those before have gone by themselves: nobody waited there.
        await until(lambda: "No such queue" in here.pbx.cli("queue show day-1"), 5)
        running.cancel()

    assert "anne (PJSIP/anne)" in first
    assert "bruno (PJSIP/bruno)" in day
    assert "bruno" not in lost
    assert max(took) < LIVE_SECONDS, took


async def test_a_unit_that_waits_ends_at_once(tmp_path: Path) -> None:
    """Its question may be answered in 20 s: whoever stops it does not wait for that."""
    async with site(tmp_path) as here:
        here.handover.folder_says(shared(queue("night", "anne")))
        here.handover.named(())
        running = asyncio.get_running_loop().create_task(here.unit().run())
        await until(lambda: here.handover.applied == here.handover.version, 5)
        await asyncio.sleep(0.2)
        began = time.monotonic()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_default_executor()
        took = time.monotonic() - began

    assert took < 1


async def test_another_key_applies_nothing(tmp_path: Path) -> None:
    """Somebody in between could hand over anything."""
    async with site(tmp_path) as here:
        here.handover.folder_says(shared(queue("night", "anne")))
        here.handover.named(())
        with pytest.raises(NotSignedError, match="CALLROUTER_PBX_KEY"):
            await here.unit("another key of sixteen").once()
        shown = here.pbx.cli("queue show night")

    assert "No such queue" in shown


async def test_an_engine_without_a_key_says_so(tmp_path: Path) -> None:
    """And one that is away keeps the unit asking."""
    app = create_engine_app(
        [], CollectorRegistry(), {}, gate=make_gate(), handover=Handover("", on_applied=lambda: None)
    )
    async with serving(app) as base:
        applier = Applier(PbxFolder(tmp_path), Console(tmp_path))
        with pytest.raises(EngineAway, match="CALLROUTER_PBX_KEY"):
            await PbxUnit(EngineClient(base, TOKEN), applier, KEY).once()


async def test_what_cannot_be_applied_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk is away: the engine hears why, and that it is mended."""
    monkeypatch.setattr(pbx_unit, "ASTERISK_SECONDS", 0.1)
    async with site(tmp_path) as here:
        here.pbx.stop()
        here.handover.folder_says(shared(queue("night", "anne")))
        here.handover.named(())
        running = asyncio.get_running_loop().create_task(here.unit().run())
        await until(lambda: "Asterisk does not answer" in here.handover.unit_trouble, 5)
        here.pbx.restart()
        await until(lambda: here.handover.applied == here.handover.version, 5)
        shown = here.pbx.cli("queue show night")
        running.cancel()

    assert "anne (PJSIP/anne)" in shown
    assert here.handover.unit_trouble == ""
