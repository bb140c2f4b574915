"""Plans go live once the queues that are derived for them are at the PBX, and agents are members there."""

from __future__ import annotations

import asyncio

import pytest

from callrouter.app.pbx import queues_ready
from callrouter.app.pbx.queues_ready import QueuesReady
from callrouter.asterisk.teams.handover import Handover
from callrouter.core.agents.preference import Preference
from callrouter.core.call import replace
from callrouter.core.nodes import HangupNode
from callrouter.core.plan import Plan
from tests.asterisk.engine_room import plan_of
from tests.asterisk.teams.test_handover import KEY, NONCE, queue, shared

WANTS = Preference(team="day", prefer=("anne",))


def plans(*wanted: Preference) -> dict[str, Plan]:
    plan = replace(plan_of(HangupNode(name="bye")), derived={one.queue: one for one in wanted})
    return {"test": plan}


async def unit(handover: Handover, *, applies: bool = True) -> None:
    """The PBX's unit asks, and says what it has applied."""
    await handover.answer(NONCE, applied=handover.version if applies else "", trouble="", longest_seconds=0)


async def there() -> tuple[Handover, QueuesReady, asyncio.Event, asyncio.Event]:
    handover = Handover(KEY, on_applied=lambda: None)
    handover.folder_says(shared(queue("day", "anne", "bruno")))
    handover.named({"day"})
    await unit(handover, applies=False)
    await unit(handover)
    due, seen = asyncio.Event(), asyncio.Event()
    return handover, QueuesReady(handover, members_due=due, members_seen=seen), due, seen


async def test_they_wait_for_the_unit_and_then_for_the_members() -> None:
    """A comparison that was done before the queue was there does not count."""
    handover, ready, due, seen = await there()
    seen.set()
    waiting = asyncio.get_running_loop().create_task(ready(plans(WANTS)))
    await asyncio.sleep(0.01)
    before = (waiting.done(), due.is_set())
    await unit(handover)
    await asyncio.sleep(0.01)
    applied = (waiting.done(), due.is_set())
    seen.set()
    await asyncio.wait_for(waiting, 1)

    assert (before, applied) == ((False, False), (False, True))


async def test_nothing_new_is_not_waited_for() -> None:
    """Plans without a preference, and those whose queues are there."""
    handover, ready, due, _ = await there()
    await asyncio.wait_for(ready(plans()), 0.1)
    handover.named({"day", WANTS.queue}, {WANTS.queue: WANTS})
    await asyncio.wait_for(ready(plans(WANTS)), 0.1)

    assert not due.is_set()


async def test_a_unit_that_does_nothing_holds_up_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for a while, and said."""
    monkeypatch.setattr(queues_ready, "READY_SECONDS", 0.05)
    _, ready, _, _ = await there()
    await asyncio.wait_for(ready(plans(WANTS)), 1)
