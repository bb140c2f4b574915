"""What trees name and what the PBX has: a queue that is missing is said, everywhere, until it is there."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.queue_check import QueueCheck
from callrouter.asterisk.teams.document import Member, Team, Teams
from callrouter.core.call import replace
from callrouter.core.conditions import Bounds, Measure, QueueStands
from callrouter.core.nodes import BranchNode, HangupNode, QueueNode
from callrouter.core.plan import Plan
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of, until

BYE = HangupNode(name="bye")


def queue_node(queue: str) -> QueueNode:
    return QueueNode(name=f"to_{queue}", queue=queue, max_wait_seconds=60, exits={"overflow": "bye"})


def named(**clients: Plan) -> Mapping[str, Plan]:
    return {client: replace(plan, client=client) for client, plan in clients.items()}


class Asterisk:
    """Tells of these queues, as AMI's QueueSummary does."""

    def __init__(self, *queues: str) -> None:
        self.queues = queues

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]:
        assert name == "QueueSummary"
        told: asyncio.Future[list[AmiMessage]] = asyncio.get_running_loop().create_future()
        events = [AmiMessage([("Event", "QueueSummary"), ("Queue", queue)]) for queue in self.queues]
        told.set_result(
            [AmiMessage([("Response", "Success")]), *events, AmiMessage([("Event", "QueueSummaryComplete")])]
        )
        return told

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]:
        raise AssertionError(requests)


async def test_a_missing_queue_is_told_once_and_until_it_is_there() -> None:
    """In the log when it is found and when it is mended; in the figure and the sentence as long as it lasts."""
    plans = named(one=plan_of(queue_node("medical"), BYE), two=plan_of(queue_node("night"), BYE))
    asterisk = Asterisk("Medical")
    counts: list[int] = []
    check = QueueCheck(
        asterisk,
        lambda: plans,
        Teams,
        due=asyncio.Event(),
        link_up=lambda: True,
        on_checked=lambda missing, *_: counts.append(missing),
    )

    with capture_logs() as logs:
        await check.look()
        await check.look()
        said = check.trouble or ""
        asterisk.queues = ("medical", "night")
        await check.look()

    assert [(line["log_level"], line.get("queue")) for line in logs] == [("error", "night"), ("info", None)]
    assert logs[0]["clients"] == ["two"]
    assert 'Asterisk has no queue "night", which the trees of 1 client name' in said
    assert (counts, check.trouble) == ([1, 1, 0], None)


async def test_a_queue_that_is_only_looked_at_counts_too() -> None:
    """A condition about a queue that is not there can never be answered."""
    condition = QueueStands(queue="night", measure=Measure.AGENTS, bounds=Bounds(below=1))
    branch = BranchNode(name="branch", when=(condition,), exits={"when:0": "bye", "otherwise": "bye"})
    plans = named(one=plan_of(branch, BYE))
    check = QueueCheck(
        Asterisk(), lambda: plans, Teams, due=asyncio.Event(), link_up=lambda: True, on_checked=lambda *_: None
    )

    await check.look()

    assert dict(check.missing) == {"night": ["one"]}


async def test_new_plans_are_compared_as_soon_as_they_are_live() -> None:
    """A reload that names another queue: within moments, not at the next round; while the link is down, nobody asks."""
    plans, up = named(one=plan_of(queue_node("medical"), BYE)), True
    counts: list[int] = []
    check = QueueCheck(
        Asterisk("medical"),
        lambda: plans,
        Teams,
        due=asyncio.Event(),
        link_up=lambda: up,
        on_checked=lambda missing, *_: counts.append(missing),
    )
    running = asyncio.get_running_loop().create_task(check.run())
    check.look_soon()
    await until(lambda: counts == [0], 2)
    plans = named(one=plan_of(queue_node("night"), BYE))
    check.look_soon()
    await until(lambda: counts == [0, 1], 2)
    up = False
    check.look_soon()
    await asyncio.sleep(0.05)
    running.cancel()

    assert counts == [0, 1]


async def test_a_real_asterisk_is_compared_as_it_stands(tmp_path: Path) -> None:
    """A queue that its files get later is there after a reload of its queues."""
    plans = named(one=plan_of(queue_node("medical"), BYE), two=plan_of(queue_node("night"), BYE))
    with Pbx.start(tmp_path / "pbx", agents=1, queue_members={"medical": ["agent-1"]}) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            check = QueueCheck(
                room.link, lambda: plans, Teams, due=asyncio.Event(), link_up=lambda: True, on_checked=lambda *_: None
            )
            await check.look()
            before = dict(check.missing)
            with (pbx.run_dir / "etc" / "queues.conf").open("a") as file:
                file.write("\n[night](team)\n")
            pbx.cli("queue reload all")
            await check.look()

    assert before == {"night": ["two"]}
    assert dict(check.missing) == {}


TEAM = Team(
    name="medical",
    members=(Member(agent="anne", phone="agent-1"),),
    strategy="rrmemory",
    ring_seconds=15,
    retry_seconds=1,
    wrap_up_seconds=0,
    max_callers=0,
)
BRUNO = Member(agent="bruno", phone="agent-2")


@pytest.mark.parametrize(
    ("team", "found"),
    [
        (TEAM, []),
        (dataclasses.replace(TEAM, strategy="leastrecent"), ["its strategy is rrmemory, and not leastrecent"]),
        (dataclasses.replace(TEAM, max_callers=1), ["it holds any number of callers, and not 1 caller"]),
        (
            dataclasses.replace(TEAM, ring_seconds=20),
            ["ringing, in seconds, is 15, and not 20"],
        ),
        (
            dataclasses.replace(TEAM, retry_seconds=5),
            ["the pause after it, in seconds, is 1, and not 5"],
        ),
        (dataclasses.replace(TEAM, wrap_up_seconds=30), ["wrap-up, in seconds, is 0, and not 30"]),
        (
            dataclasses.replace(TEAM, members=(BRUNO,)),
            ["anne (PJSIP/agent-1) is rung, and is no member", "bruno (PJSIP/agent-2) is a member, and is not rung"],
        ),
        (dataclasses.replace(TEAM, members=()), ["anne (PJSIP/agent-1) is rung, and is no member"]),
        (
            dataclasses.replace(TEAM, levels={"anne": 2}, next_level_seconds=30, weight=3),
            [
                "its weight is 0, and not 3",
                "anne is of level 1, and not 2",
                "the rule by which further levels come in is not set, and not medical",
                "the second at which a further level comes in is not set, and not 30,1",
            ],
        ),
        (dataclasses.replace(TEAM, name="night"), ["it is not there"]),
        (dataclasses.replace(TEAM, name="Medical"), []),
    ],
)
async def test_a_team_is_compared_with_the_queue_that_rings(tmp_path: Path, team: Team, found: list[str]) -> None:
    """Every setting, on a real Asterisk; who has logged in beside the members is no difference."""
    with Pbx.start(tmp_path / "pbx", agents=2, teams=Teams(teams=(TEAM,))) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            counts: list[tuple[int, int, int]] = []
            check = QueueCheck(
                room.link,
                dict,
                lambda: Teams(teams=(team,)),
                due=asyncio.Event(),
                link_up=lambda: True,
                on_checked=lambda *both: counts.append(both),
            )
            await check.look()
            before, said, details = dict(check.differences), check.trouble or "", check.details or ""
            pbx.cli("queue add member PJSIP/agent-9 to medical")
            await check.look()

    assert before == check.differences == ({team.name: found} if found else {})
    assert counts == [(0, bool(found), 0)] * 2
    assert (f'queue "{team.name}" is not as the folder says' in said) is bool(found)
    assert "anne" not in said
    assert "bruno" not in said
    assert all(one in details for one in found)


async def test_a_telephone_that_the_pbx_lacks_is_told(tmp_path: Path) -> None:
    """The figure, the sentence without a name, the details with it; and whoever could mend it hears of it."""
    with Pbx.start(tmp_path / "pbx", agents=1) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            counts: list[tuple[int, int, int]] = []
            asked: list[bool] = []
            check = QueueCheck(
                room.link,
                dict,
                lambda: Teams(phones=("agent-1", "desk-9")),
                due=asyncio.Event(),
                link_up=lambda: True,
                on_checked=lambda *all_: counts.append(all_),
                on_different=lambda: asked.append(True),
            )
            await check.look()

    assert counts == [(0, 0, 1)]
    assert (check.trouble or "").startswith("Asterisk has no telephone for 1 agent; ")
    assert "Asterisk has no telephone desk-9" in (check.details or "")
    assert asked == [True]
