"""The driver: one input at a time, facts to everybody, and a fault of ours harms one call at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args

import pytest

from callrouter.core import engine, facts, inputs, state
from callrouter.core.call import Call, CallerId, Disposition, replace
from callrouter.core.effects import Effect, Hangup, Lookup, Play, Sound
from callrouter.core.facts import Fact
from callrouter.core.nodes import HangupNode, PlayNode, QueueNode, SetNode
from callrouter.core.plan import Plan
from callrouter.core.steps.turn import Turn
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.driver import Driver
from callrouter.runtime.listeners import Listeners
from callrouter.runtime.ports import Inbox

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SOUND = (Sound(file="welcome", seconds=1.0),)


def plan(*, variable: str = "x") -> Plan:
    """Set a variable, play, hang up."""
    nodes = (
        SetNode(name="set", variables={"note": variable}, exits={"next": "play"}),
        PlayNode(name="play", sounds=SOUND, exits={"next": "bye"}),
        HangupNode(name="bye"),
    )
    return Plan(
        client="test",
        name="Test",
        version="0123456789ab",
        numbers=(),
        timezone="UTC",
        language="en",
        start="set",
        nodes={node.name: node for node in nodes},
    )


class Room:
    """All ports in one, written down."""

    interests: frozenset[type[Fact]] = frozenset(get_args(Fact))

    def __init__(self, the_plan: Plan) -> None:
        self.plan = the_plan
        self.performed: list[tuple[int, tuple[Effect, ...]]] = []
        self.released: list[str] = []
        self.kept: list[tuple[str, bytes]] = []
        self.seen: list[Fact] = []
        self.decisions: list[float] = []
        self.fails_at_once = False
        listeners = Listeners([Broken(), self])
        self.driver = Driver(self, self, plans=self, clock=self, listeners=listeners, meter=self, calls=LiveCalls())

    def tells(self, inbox: Inbox) -> None:
        assert isinstance(inbox, Driver)

    def start(self, call_id: str, step: int, lookup: Lookup) -> None:
        raise AssertionError("these plans ask no web service")

    def cancel(self, call_id: str) -> None:
        raise AssertionError("these plans ask no web service")

    def for_did(self, did: str) -> Plan:
        return self.plan

    def now(self) -> datetime:
        return AT

    def observe_decision(self, seconds: float) -> None:
        self.decisions.append(seconds)

    def observe_round_trip(self, seconds: float) -> None:
        raise AssertionError("the driver measures no round trip")

    def observe(self, told: Sequence[Fact]) -> None:
        self.seen.extend(told)

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None:
        self.performed.append((call.step, tuple(effects)))
        if self.fails_at_once and not isinstance(effects[-1], Hangup):
            failed = inputs.CommandFailed(step=call.step, reason="no such command", at=AT)
            self.driver.tell(call.call_id, failed)

    def keep(self, call: Call, state: bytes) -> None:
        self.kept.append((call.call_id, state))

    def release(self, call_id: str) -> None:
        self.released.append(call_id)

    def offer(self, call_id: str = "1-2-3") -> None:
        self.driver.offer(inputs.CallOffered(call_id=call_id, did="+33199000010", caller=CallerId(), at=AT))

    @property
    def ends(self) -> list[Disposition | None]:
        return [fact.call.disposition for fact in self.seen if isinstance(fact, facts.CallEnded)]


class Broken:
    """An observer with a fault."""

    interests: frozenset[type[Fact]] = frozenset(get_args(Fact))

    def observe(self, told: Sequence[Fact]) -> None:
        raise RuntimeError("this observer is broken")


def test_a_call_from_offer_to_end() -> None:
    """Every input is one step; the switch is told when to forget the call; a broken observer stops nobody."""
    room = Room(plan())
    room.offer()
    room.driver.tell("1-2-3", inputs.CallAnswered(step=1, at=AT))
    room.driver.tell("1-2-3", inputs.PromptEnded(step=1, at=AT))
    room.driver.tell("1-2-3", inputs.CallerHungUp(at=AT))
    room.driver.tell("1-2-3", inputs.CallerHungUp(at=AT))

    assert [step for step, _ in room.performed] == [1, 2]
    assert isinstance(room.performed[0][1][-1], Play)
    assert isinstance(room.performed[1][1][-1], Hangup)
    assert room.ends == [Disposition.SELF_SERVED]
    assert room.released == ["1-2-3"]
    assert len(room.driver.calls) == 0
    assert len(room.decisions) == 4


def test_unknown_calls_and_second_offers_change_nothing() -> None:
    """Late events of calls that are over, and a call that is offered twice."""
    room = Room(plan())
    room.driver.tell("nobody", inputs.CallerHungUp(at=AT))
    room.offer()
    room.offer()

    assert len(room.performed) == 1
    assert room.ends == []


def test_a_switch_that_fails_from_within_is_told_afterwards() -> None:
    """Steps never nest: the failure is the next input, and the call ends as failed."""
    room = Room(plan())
    room.fails_at_once = True
    room.offer()

    assert [step for step, _ in room.performed] == [1, 2]
    assert isinstance(room.performed[1][1][-1], Hangup)
    room.driver.tell("1-2-3", inputs.CallerHungUp(at=AT))
    assert room.ends == [Disposition.FAILED]


def test_a_fault_of_the_engine_is_one_calls_misfortune(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease leads the caller to Asterisk's fallback; the others go on."""
    room = Room(plan())
    room.offer("1-2-3")
    room.offer("1-2-4")
    right = engine.step

    def wrong(the_plan: Plan, call: Call, told: inputs.Input) -> Turn:
        if call.call_id == "1-2-3":
            raise ZeroDivisionError
        return right(the_plan, call, told)

    monkeypatch.setattr(engine, "step", wrong)
    for call_id in ("1-2-3", "1-2-4"):
        room.driver.tell(call_id, inputs.PromptEnded(step=1, at=AT))
        room.driver.tell(call_id, inputs.CallerHungUp(at=AT))

    # The caller's hang-up ends it all the same: it is not live for ever, and it has its row.
    assert room.ends == [Disposition.FAILED, Disposition.SELF_SERVED]
    assert room.released == ["1-2-3", "1-2-4"]
    assert len(room.driver.calls) == 0
    failed = next(fact.call for fact in room.seen if isinstance(fact, facts.CallEnded))
    assert (failed.ended, failed.clocks.ended_at) == (True, AT)


def test_a_call_that_cannot_begin_is_forgotten_by_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk's fallback has it, and Asterisk's journal its record."""
    room = Room(plan())

    def wrong(the_plan: Plan, offered: inputs.CallOffered) -> Turn:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "start", wrong)
    room.offer()

    assert room.released == ["1-2-3"]
    assert len(room.driver.calls) == 0


def test_an_answer_is_kept_with_the_call_at_once() -> None:
    """Nothing is commanded during a conversation: whoever finds the call must know of it all the same."""
    queue = QueueNode(name="queue", queue="team", max_wait_seconds=60.0, exits={"overflow": "bye"})
    the_plan = replace(plan(), start="queue", nodes={"queue": queue, "bye": HangupNode(name="bye")})
    room = Room(the_plan)
    room.offer()
    room.driver.tell("1-2-3", inputs.AgentAnswered(agent="agent-1", at=AT))

    ((call_id, kept),) = room.kept
    assert call_id == "1-2-3"
    assert state.decode(the_plan, kept).agent == "agent-1"
