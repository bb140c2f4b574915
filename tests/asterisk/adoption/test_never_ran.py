"""An engine that was killed between a call's state and the order that it explains: the next one gives the order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from callrouter.core import engine, state
from callrouter.core.call import Call, CallState, Disposition
from callrouter.core.conditions import Bounds, Measure, QueueStands
from callrouter.core.inputs import CollectEnded, DigitPressed
from callrouter.core.nodes import BranchNode, DialNode, HangupNode, MenuNode, MessageNode, Node, PlayNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.core.rota import Contact
from callrouter.runtime.clock import SystemClock
from tests.asterisk.adoption.successors import BYE, ONE_SECOND, asterisk_of, path, succession
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import plan_of

FIRST = MenuNode(
    name="first",
    sounds=ONE_SECOND,
    keys=("1",),
    timeout_seconds=1.0,
    exits={"key:1": "then", "no_input": "bye", "no_match": "bye"},
)
GOES = ("then", "next")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("never_ran") / "pbx")


def decided(plan: Plan, call: Call) -> Call:
    """The call after the key that nobody heard of."""
    at = SystemClock().now()
    call = engine.step(plan, call, DigitPressed(digit="1", at=at)).call
    return engine.step(plan, call, CollectEnded(step=call.step, at=at)).call


@pytest.mark.parametrize(
    ("then", "way", "disposition"),
    [
        (PlayNode(name="then", sounds=ONE_SECOND, exits={"next": "bye"}), GOES, Disposition.SELF_SERVED),
        (
            MenuNode(
                name="then",
                sounds=ONE_SECOND,
                keys=("2",),
                timeout_seconds=1.0,
                no_input_retries=0,
                exits={"key:2": "bye", "no_input": "bye", "no_match": "bye"},
            ),
            ("then", "no_input"),
            Disposition.SELF_SERVED,
        ),
        (
            QueueNode(name="then", queue="test", max_wait_seconds=20.0, exits={"overflow": "bye", "done": "bye"}),
            ("then", "done"),
            Disposition.ANSWERED,
        ),
        (
            DialNode(
                name="then",
                contacts=(Contact(name="doctor", number="+33639980001"),),
                exits={"no_answer": "bye", "done": "bye"},
            ),
            ("then", "done"),
            Disposition.REDIRECTED,
        ),
        (
            MessageNode(name="then", sounds=(), min_seconds=0.1, max_seconds=2.0, exits={"done": "bye"}),
            ("then", "done"),
            Disposition.SELF_SERVED,
        ),
        (
            BranchNode(
                name="then",
                when=(QueueStands(queue="test", measure=Measure.AGENTS, bounds=Bounds(at_least=1)),),
                exits={"when:0": "bye", "otherwise": "bye"},
            ),
            ("then", "when:0"),
            Disposition.SELF_SERVED,
        ),
    ],
    ids=["play", "menu", "queue", "dial", "message", "branch"],
)
async def test_an_order_that_never_ran_is_given(
    pbx: Pbx, then: Node, way: tuple[str, str], disposition: Disposition
) -> None:
    """Whatever the channel still shows of the order before."""
    plan = plan_of(FIRST, then, BYE, HangupNode(name="unused"))
    async with succession(pbx, plan) as engines:
        await engines.first.call("press-20-1", talk_seconds=1)
        call = await engines.first.reached(lambda call: call.state is CallState.COLLECTING)
        channel = engines.first.switch.lines[call.call_id].channel.channel
        await engines.killed()
        written = state.encode(plan, decided(plan, call)).decode()
        pbx.cli(f"dialplan set chanvar {channel} CR_STATE {written}")
        await asyncio.sleep(2.5)
        room = await engines.second()
        ended = await room.the_end(10)

    assert path(ended)[:2] == [("first", "key:1"), way]
    assert ended.disposition is disposition
    assert len(ended.queue_visits) + len(ended.dials) <= 1
