"""Agents who log in are rung in the queues that are derived from their team's, too, and left alone in all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from callrouter.asterisk.agents.mending import Mending
from callrouter.core.agents.preference import Preference
from callrouter.core.agents.standing import Crew
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from deploy.demo.carrier import Habit
from tests.asterisk.agents.workplace import QUEUES, Workplace, a_pbx, at_work, crew_of, with_wrap_up
from tests.asterisk.engine_room import plan_of, until

TWO = ("agent-1", "agent-2")
PREFERS = Preference(team="team", prefer=("agent-2",))
NEVER = Preference(team="team", never=("agent-2",))
DERIVED = f"{QUEUES}[{PREFERS.queue}](team)\ntimeout = 2\n[{NEVER.queue}](team)\ntimeout = 2\n"
PREFERRING = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="team", preference=PREFERS, max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)


def crew() -> Crew:
    return crew_of(*TWO).with_derived([PREFERS, NEVER])


def places(place: Workplace) -> dict[str, list[str]]:
    """By queue, its members and their penalties."""
    shown = {queue: place.members(queue) for queue in ("team", PREFERS.queue, NEVER.queue)}
    return {
        queue: [line.split()[0] + (" later" if "with penalty 1" in line else "") for line in lines]
        for queue, lines in shown.items()
    }


async def everywhere(place: Workplace, agent: str, what: str) -> None:
    """Wait until it is said of the agent in the team's queue and in the derived one."""
    for queue in ("team", PREFERS.queue):
        await until(lambda q=queue: any(agent in line and what in line for line in place.members(q)), 5)  # type: ignore[misc]


async def test_a_log_in_a_pause_and_a_log_out_are_of_all_queues(tmp_path: Path) -> None:
    """With the level that they have in each; who is never wanted is no member there."""
    async with a_pbx(tmp_path, TWO, DERIVED) as there, at_work(*there, crew()) as (place, _):
        for agent in TWO:
            place.roster.log_in(agent, agent)
            await everywhere(place, agent, "dynamic")
        after_log_in = places(place)
        place.roster.pause("agent-2", "lunch")
        await everywhere(place, "agent-2", "paused:lunch")
        place.roster.ready("agent-2")
        await until(lambda: not any("paused" in line for line in place.members(PREFERS.queue)), 5)
        place.roster.log_out("agent-2")
        await until(lambda: len(place.members(PREFERS.queue)) == 1, 5)
        after_log_out = places(place)

    assert {queue: sorted(members) for queue, members in after_log_in.items()} == {
        "team": ["agent-1", "agent-2"],
        PREFERS.queue: ["agent-1 later", "agent-2"],
        NEVER.queue: ["agent-1"],
    }
    assert after_log_out == {"team": ["agent-1"], PREFERS.queue: ["agent-1 later"], NEVER.queue: ["agent-1"]}


async def test_what_the_pbx_has_lost_is_mended_in_derived_queues_too(tmp_path: Path) -> None:
    """A member who is gone from one, and a level that is another; and an agent who has no place there any more."""
    async with a_pbx(tmp_path, TWO, DERIVED) as there, at_work(*there, crew()) as (place, _):
        place.roster.log_in("agent-1", "agent-1")
        await everywhere(place, "agent-1", "dynamic")
        place.pbx.cli(f"queue remove member PJSIP/agent-1 from {NEVER.queue}")
        place.pbx.cli(f"queue set penalty 0 on PJSIP/agent-1 in {PREFERS.queue}")
        place.pbx.cli(f"queue add member PJSIP/agent-2 to {NEVER.queue} as agent-2")
        await place.comparison.look()
        await until(lambda: "agent-1" in " ".join(place.members(NEVER.queue)), 5)
        await until(lambda: "agent-2" not in " ".join(place.members(NEVER.queue)), 5)
        mended = places(place)
        agent = place.roster.agent("agent-1")
        seen = await place.comparison._members.seen(sorted(crew().pbx_queues))
        left = Mending(agent, place.roster.standing(agent), seen, held=False).mend(place.comparison._members.change())

    assert mended == {"team": ["agent-1"], PREFERS.queue: ["agent-1 later"], NEVER.queue: ["agent-1"]}
    assert left == []


async def test_a_wrap_up_leaves_them_alone_in_all_queues(tmp_path: Path) -> None:
    """The conversation was one of the derived queue: the pause is in the team's own as well. Records name the team."""
    plan = with_wrap_up(PREFERRING, 3)
    async with a_pbx(tmp_path, TWO, DERIVED) as there, at_work(*there, crew(), plan) as (place, room):
        for agent in TWO:
            place.roster.log_in(agent, agent)
            await everywhere(place, agent, "dynamic")
        await room.call("leave-1")
        await everywhere(place, "agent-2", "paused:wrap_up")
        call = await room.the_end()
        await until(lambda: not any("paused" in line for line in place.members(PREFERS.queue)), 6)

    assert call.agent == "agent-2"
    assert ([visit.queue for visit in call.queue_visits], [one.queue for one in call.offers]) == (["team"], ["team"])


async def test_who_lets_it_ring_is_left_out_for_others_of_the_derived_queue(tmp_path: Path) -> None:
    """The preferred agent does not pick up: the call goes to the next one, and they are held for a few seconds."""
    async with a_pbx(tmp_path, TWO, DERIVED) as there, at_work(*there, crew(), PREFERRING) as (place, room):
        place.habits["agent-2"] = Habit.RINGS
        for agent in TWO:
            place.roster.log_in(agent, agent)
            await everywhere(place, agent, "dynamic")
        await room.call("leave-9")
        call = await room.reached(lambda call: call.agent is not None)
        await asyncio.sleep(0.1)
        offered = [(one.agent, one.queue) for one in call.offers]

    assert call.agent == "agent-1"
    assert offered == [("agent-2", "team"), ("agent-1", "team")]
