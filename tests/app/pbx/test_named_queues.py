"""Which queues must not go from the PBX yet."""

from __future__ import annotations

import asyncio

from callrouter.app.pbx.named_queues import NamedQueues
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.call import replace
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.dialplan.shared.reading import Shared
from callrouter.runtime.calls import LiveCall, LiveCalls
from tests.api.stories import live
from tests.asterisk.engine_room import plan_of


def to(queue: str, version: str) -> Plan:
    node = QueueNode(name="team", queue=queue, max_wait_seconds=60, exits={"overflow": "bye"})
    return replace(plan_of(node, HangupNode(name="bye")), version=version)


async def test_a_queue_is_named_as_long_as_a_call_walks_its_tree() -> None:
    """The folder has it no more, and the tree in service neither; the caller of before may still be sent there."""
    old, new, calls = to("night", "000000000001"), to("day", "000000000002"), LiveCalls()
    call = live("1")
    calls.add(LiveCall(call, old))
    handover = Handover("", on_applied=lambda: None)
    handover.folder_says(Shared())
    named = NamedQueues(handover, lambda: {"test": new}, calls, due=asyncio.Event())
    await named.tell()
    during = handover.teams
    calls.remove(call.call_id)
    await named.tell()
    after = handover.teams

    assert during is not None
    assert after is not None
    assert (during.still_named, after.still_named) == (("day", "night"), ("day",))
