"""Channels that Asterisk hangs up, and that take their time to end: none of them was lost to its fallback."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from callrouter.asterisk.line.line import HANGUP_GRACE_SECONDS
from callrouter.core import facts
from callrouter.core.call import CallState, Disposition
from callrouter.core.effects import Sound
from callrouter.core.nodes import HangupNode, MenuNode
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import DID, EXTENSIONS, engine_room, plan_of, until

PLAN = plan_of(
    MenuNode(
        name="menu",
        sounds=(Sound(file="silence/10", seconds=10.0),),
        keys=("1",),
        timeout_seconds=60.0,
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    ),
    HangupNode(name="bye"),
)
AT_ONCE: Final = 150
SLOW: Final = """
[test-slow-hangup]
; Waits three seconds for what somebody else has (func_lock.c).
exten => s,1,Set(HAVE=${LOCK(test-slow)})
 same => n,Return()
exten => have,1,Answer()
 same => n,Set(HAVE=${LOCK(test-slow)})
 same => n,Wait(30)
"""


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk with callers of its own."""
    with Pbx.start(tmp_path_factory.mktemp("at-once") / "pbx", extra_conf={"extensions": EXTENSIONS + SLOW}) as running:
        running.cli("module load res_clioriginate.so")
        yield running


async def test_a_channel_whose_end_takes_longer_than_any_grace_was_hung_up(pbx: Pbx) -> None:
    """Twelve times as long; its hangup handlers run meanwhile."""
    async with engine_room(pbx, PLAN) as room:
        await room.call()
        call = await room.reached(lambda call: call.state is CallState.COLLECTING)
        channel = room.switch.channel_of(call.call_id)
        pbx.cli("channel originate Local/have@test-slow-hangup/n application Wait 30")
        await until(lambda: "test-slow-hangup!have!3" in pbx.cli("core show channels concise"), 5)
        handler = {"Channel": channel, "Variable": "CHANNEL(hangup_handler_push)", "Value": "test-slow-hangup,s,1"}
        await room.link.send("Setvar", handler)
        asked_at = asyncio.get_running_loop().time()
        await asyncio.to_thread(pbx.cli, f"channel request hangup {channel}")
        ended = await room.the_end()

    assert asyncio.get_running_loop().time() - asked_at > 5 * HANGUP_GRACE_SECONDS
    assert ended.disposition is Disposition.LEFT_EARLY
    assert not any(isinstance(fact, facts.TroubleMet) for fact in room.seen)


async def test_many_that_are_hung_up_in_one_instant(pbx: Pbx) -> None:
    """By Asterisk, from its console: each was hung up, and none by its caller."""
    async with engine_room(pbx, PLAN) as room:
        for _ in range(AT_ONCE):
            caller = {
                "Channel": f"Local/{DID}@callrouter-entry/n",
                "Context": "test-caller",
                "Exten": "listen",
                "Priority": "1",
                "Async": "true",
            }
            await room.link.send("Originate", caller)
        asking = lambda: sum(call.state is CallState.COLLECTING for call in room.live) == AT_ONCE  # noqa: E731
        await until(asking, 60)
        await asyncio.to_thread(pbx.cli, "channel request hangup all")
        await until(lambda: len(room.ended) == AT_ONCE, 60)

    assert Counter(call.disposition for call in room.ended) == {Disposition.LEFT_EARLY: AT_ONCE}
