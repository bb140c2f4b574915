"""A PBX is drained on a real Asterisk: new calls are refused, those in progress and agents' telephones are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callrouter.asterisk.pbx.maintenance import Drained, Maintenance
from callrouter.core.call import CallState
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.errors import ActionFailed
from deploy.asterisk.pbx_carriers import Carrier, Carriers
from tests.acceptance import raw_sip
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, QUEUES, engine_room, plan_of, until

BYE = HangupNode(name="bye")
PLAN = plan_of(QueueNode(name="queue", queue="test", max_wait_seconds=60.0, exits={"overflow": "bye"}), BYE)
CALLER = b'"Jean" <sip:+33612345678@127.0.0.1>'


@asynccontextmanager
async def undrained(maintenance: Maintenance) -> AsyncIterator[Maintenance]:
    """And again at the end: others share the PBX."""
    try:
        yield maintenance
    finally:
        await maintenance.set(draining=False)


async def dial(pbx: Pbx) -> int:
    """What a new call is answered with."""
    return await asyncio.to_thread(raw_sip.call, (pbx.sip_host, pbx.sip_port), DID, CALLER)


async def test_new_calls_are_refused_and_those_in_progress_go_on(tmp_path: Path) -> None:
    """An agent is still rung for who had come in; when they have gone nothing is left, and the next call is taken."""
    extra = {"extensions": EXTENSIONS, "queues": QUEUES}
    with Pbx.start(tmp_path / "pbx", agents=0, extra_conf=extra) as pbx, Callers(pbx, tmp_path) as callers:
        await asyncio.to_thread(pbx.cli, "dialplan set global TALK 30")
        async with engine_room(pbx, PLAN) as room, undrained(Maintenance(room.link)) as maintenance:
            assert (await maintenance.look()).in_maintenance == []
            await asyncio.to_thread(callers.call, "talk", DID, hold_ms=4_000)
            await room.reached(lambda call: call.state is CallState.QUEUED)
            found = await maintenance.set(draining=True)
            assert (found.trunks, found.in_maintenance, found.calls) == (["trunk"], ["trunk"], 1)

            assert await dial(pbx) == 503
            await room.reached(lambda call: call.state is CallState.CONNECTED)
            await room.the_end()
            async with asyncio.timeout(10):
                while (found := await maintenance.look()) != Drained(
                    trunks=["trunk"], in_maintenance=["trunk"], calls=0, channels=0
                ):
                    await asyncio.sleep(0.1)

            assert (await maintenance.set(draining=False)).in_maintenance == []
            assert await dial(pbx) == 200
            await until(lambda: len(room.ended) == 2, 10)


async def test_every_carrier_is_asked_to_go_elsewhere(tmp_path: Path) -> None:
    """Not the endpoints where numbers are dialled: calls in progress may still need them."""
    declared = [
        Carrier(name="one", calls_from=["127.0.0.1"], calls_to=["127.0.0.1:5999"]),
        Carrier(name="two", calls_from=["127.0.0.2"]),
        Carrier(name="three", calls_to=["127.0.0.1:5998"]),
    ]
    with Pbx.start(tmp_path / "pbx", agents=0, carriers=Carriers(carriers=declared)) as pbx:
        async with engine_room(pbx, PLAN) as room, undrained(Maintenance(room.link)) as maintenance:
            found = await maintenance.set(draining=True)
            assert found.in_maintenance == found.trunks == ["trunk-one", "trunk-two"]
            shown = await asyncio.to_thread(pbx.cli, "pjsip show maintenance")
            assert "out" not in shown


async def test_a_pbx_that_cannot_be_drained_says_what_it_needs(pbx: Pbx) -> None:
    """Of an older Asterisk, or without a carrier."""
    async with engine_room(pbx, PLAN) as room:
        maintenance = Maintenance(room.link)
        await asyncio.to_thread(pbx.cli, "module unload res_pjsip_maintenance.so")
        try:
            with pytest.raises(ActionFailed, match="it needs res_pjsip_maintenance"):
                await maintenance.set(draining=True)
            with pytest.raises(ActionFailed, match="it needs res_pjsip_maintenance"):
                await maintenance.look()
        finally:
            await asyncio.to_thread(pbx.cli, "module load res_pjsip_maintenance.so")
        trunks = (await maintenance.look()).trunks
        try:
            await asyncio.to_thread(pbx.cli, 'dialplan set global CR_TRUNKS ""')
            with pytest.raises(ActionFailed, match="render it again"):
                await maintenance.set(draining=True)
        finally:
            await asyncio.to_thread(pbx.cli, f"dialplan set global CR_TRUNKS {'&'.join(trunks)}")
