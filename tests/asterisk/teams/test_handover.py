"""What the engine hands over to the PBX's unit, and when."""

from __future__ import annotations

import asyncio

from callrouter.asterisk.teams.document import teams_from
from callrouter.asterisk.teams.handover import AWAY_SECONDS, HandedOver, Handover, sign
from callrouter.core.agents.preference import Preference, by_queue
from callrouter.core.call import replace
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.shared.reading import Shared

KEY = "a key of sixteen or more"
NONCE = "0" * 32


def queue(name: str, *members: str) -> TeamQueue:
    return TeamQueue(
        name=name,
        title=name,
        members=members,
        strategy="rrmemory",
        ring_seconds=15.0,
        retry_seconds=0.4,
        wrap_up_seconds=0.0,
        max_callers=0,
    )


def shared(*queues: TeamQueue, **changes: object) -> Shared:
    return Shared(queues={one.name: one for one in queues}, **changes)  # type: ignore[arg-type]


class Clock:
    now_seconds = 0.0

    def __call__(self) -> float:
        return self.now_seconds


def handover(clock: Clock | None = None, key: str = KEY) -> tuple[Handover, list[str]]:
    told: list[str] = []
    made = Handover(key, on_applied=lambda: told.append("applied"), now_seconds=clock or Clock())
    return made, told


def waiting(made: Handover) -> asyncio.Task[HandedOver]:
    """A unit that has what there is, and asks."""
    question = made.answer(NONCE, applied=made.version, trouble="", longest_seconds=20)
    return asyncio.get_running_loop().create_task(question)


async def test_nothing_is_handed_over_before_files_and_trees_are_known() -> None:
    """A queue that a tree names might go; then the document comes, signed for who asks."""
    made, _ = handover()
    made.folder_says(shared(queue("night", "anne")))
    before = await made.answer(NONCE, applied="", trouble="", longest_seconds=0)
    made.named({"night", "day"})
    answer = await made.answer(NONCE, applied="", trouble="", longest_seconds=0)
    teams = teams_from(answer.document, "here")

    assert (before.version, before.document) == ("", "")
    assert answer.version == f"{teams.revision}.0"
    assert answer.signature == sign(KEY, NONCE, answer.version, answer.document)
    assert answer.signature != sign(KEY, "1" * 32, answer.version, answer.document)
    assert [(team.name, team.retry_seconds) for team in teams.teams] == [("night", 1)]
    assert (teams.phones, teams.still_named) == (("anne",), ("day",))


async def test_whoever_waits_is_answered_at_once_when_something_changes() -> None:
    """And with nothing when nothing does, or when the engine stops."""
    made = Handover(KEY, on_applied=lambda: None)
    made.folder_says(shared(queue("night")))
    made.named(())
    asks = asyncio.get_running_loop().create_task(
        made.answer(NONCE, applied=made.version, trouble="", longest_seconds=20)
    )
    await asyncio.sleep(0.01)
    waits = not asks.done()
    made.folder_says(shared(queue("night"), queue("day")))
    answer = await asyncio.wait_for(asks, 0.5)
    nothing = await made.answer(NONCE, applied=made.version, trouble="", longest_seconds=0.01)
    asks = asyncio.get_running_loop().create_task(
        made.answer(NONCE, applied=made.version, trouble="", longest_seconds=20)
    )
    await asyncio.sleep(0.01)
    made.close()
    last = await asyncio.wait_for(asks, 0.5)

    assert waits
    assert len(teams_from(answer.document, "here").teams) == 2
    assert (nothing.document, last.document) == ("", "")


async def test_files_that_are_wrong_hand_nothing_over() -> None:
    """A team that is left out because an entry is wrong would be taken from the PBX."""
    made, _ = handover()
    made.named(())
    made.folder_says(shared(queue("night")))
    before = made.version
    made.folder_says(shared(bad={"queues": frozenset({"night"})}))
    made.folder_says(shared(refused={"agents": "shared/agents.yaml"}))

    assert made.version == before != ""


async def test_the_unit_is_heard_and_missed() -> None:
    """What it could not apply, and that it is away; a difference has it apply the same once more."""
    clock = Clock()
    made, told = handover(clock)
    made.folder_says(shared(queue("night")))
    made.named(())
    await made.answer(NONCE, applied="", trouble="", longest_seconds=0)
    pending = made.is_pending
    version = made.version
    await made.answer(NONCE, applied=version, trouble="", longest_seconds=0)
    settled = (made.is_pending, made.trouble)
    made.again()
    again = await made.answer(NONCE, applied=version, trouble="", longest_seconds=0)
    clock.now_seconds = 10
    await made.answer(NONCE, applied="", trouble="Asterisk has no queue night", longest_seconds=0)
    wrong = made.trouble or ""
    clock.now_seconds += AWAY_SECONDS + 1
    away = made.trouble or ""

    assert pending
    assert settled == (False, None)
    assert (again.version.partition(".")[0], again.document != "") == (version.partition(".")[0], True)
    assert "Asterisk has no queue night" in wrong
    assert "has not asked for 61 s" in away
    assert len(told) == 2


async def test_without_a_key_there_is_no_unit_to_miss() -> None:
    """An engine alone says nothing of it: what differs is told all the same."""
    clock = Clock()
    made, _ = handover(clock, key="")
    made.folder_says(shared(queue("night")))
    made.named(())
    clock.now_seconds = 1000

    assert (made.is_expected, made.trouble) == (False, None)


PREFERS = Preference(team="day", prefer=("bruno",), next_level_seconds=20)


async def test_derived_queues_follow_their_team() -> None:
    """Levels, members, settings: whoever joins the team is rung in its derived queues at once."""
    made, _ = handover()
    day = replace(queue("day", "anne", "bruno"), weight=3)
    made.folder_says(shared(day))
    made.named({"day"}, by_queue([PREFERS, Preference(team="gone", never=("anne",))]))
    first = made.teams
    made.folder_says(shared(replace(day, members=("anne", "bruno", "carl"), ring_seconds=7.0)))
    second = made.teams
    assert first is not None
    assert second is not None

    assert [team.name for team in first.teams] == ["day", "day.bruno.20s"]
    derived, joined = first.teams[1], second.teams[1]
    assert [one.agent for one in derived.members] == ["anne", "bruno"]
    assert (derived.levels, derived.next_level_seconds, derived.weight) == ({"anne": 2}, 20, 3)
    assert ([one.agent for one in joined.members], joined.ring_seconds) == (["anne", "bruno", "carl"], 7)
    assert joined.levels == {"anne": 2, "carl": 2}
    assert made.derived_from("day") == ["day.bruno.20s"]


async def test_plans_wait_until_the_unit_has_their_derived_queues() -> None:
    """They are handed over before the plans are in service, and stay until they are; without a unit nobody waits."""
    made, _ = handover()
    made.folder_says(shared(queue("day", "anne", "bruno")))
    made.named({"day"})
    assert not made.expect(by_queue([PREFERS]))  # no unit has asked yet: there is nobody to wait for
    made.named({"day"})
    await made.answer(NONCE, applied="", trouble="", longest_seconds=0)
    await made.answer(NONCE, applied=made.version, trouble="", longest_seconds=0)
    other = Preference(team="day", never=("anne",))
    waits = made.expect(by_queue([PREFERS, other]))
    settled = asyncio.get_running_loop().create_task(made.settled())
    await asyncio.sleep(0)
    made.named({"day"}, by_queue([PREFERS]))  # somebody looks before the new plans are in service
    before = (waits, settled.done(), [*made.derived])
    await made.answer(NONCE, applied=made.version, trouble="", longest_seconds=0)
    await asyncio.wait_for(settled, 1)
    made.named({"day"}, by_queue([other]))

    assert before == (True, False, ["day.bruno.20s", "day.-anne"])
    assert [*made.derived] == ["day.-anne"]
    assert not made.expect(by_queue([other]))
