"""What the log says of calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from callrouter.core import engine, facts, inputs
from callrouter.core.call import Call, CallerId
from callrouter.core.nodes import HangupNode, MenuNode
from callrouter.runtime.fact_log import TOGETHER_SECONDS, FactLog
from callrouter.testing import TUESDAY_10, plan_of, sound

PLAN = plan_of(
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1",),
        exits={"key:1": "bye", "no_input": "bye", "no_match": "bye"},
    ),
    HangupNode(name="bye"),
)


def ended(call_id: str) -> Call:
    """A caller who hung up in the menu."""
    offered = inputs.CallOffered(call_id=call_id, did="+33199000010", caller=CallerId(), at=TUESDAY_10)
    ringing = engine.start(PLAN, offered).call
    return engine.step(PLAN, ringing, inputs.CallerHungUp(at=TUESDAY_10 + timedelta(seconds=3))).call


async def test_calls_that_end_together_are_written_together() -> None:
    """Soon, in order, and each once."""
    with structlog.testing.capture_logs() as lines:
        log = FactLog()
        for number in range(3):
            log.observe([facts.CallEnded(call=ended(f"call-{number}"))])
        assert lines == []
        await asyncio.sleep(TOGETHER_SECONDS * 2)

    assert [line["call_id"] for line in lines] == ["call-0", "call-1", "call-2"]
    assert {"left_early"} == {line["disposition"] for line in lines}


async def test_nothing_is_left_unwritten_at_the_end() -> None:
    """A stop writes what waits, once."""
    with structlog.testing.capture_logs() as lines:
        log = FactLog()
        log.observe([facts.CallEnded(call=ended("last"))])
        log.flush()
        await asyncio.sleep(TOGETHER_SECONDS * 2)

    assert [line["call_id"] for line in lines] == ["last"]


async def test_trouble_is_written_at_once() -> None:
    """It may be the last thing that is."""
    with structlog.testing.capture_logs() as lines:
        FactLog().observe([facts.TroubleMet(call=ended("odd"), reason="because")])

    assert [line["reason"] for line in lines] == ["because"]
