"""Every state of a call against every input there is: admitted as the table says, or refused without change."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import get_args

import pytest
from msgspec.structs import fields

from callrouter.core import engine, inputs
from callrouter.core.call import Call, CallState, DialOutcome, LegFailure, QueueOutcome, RecordOutcome
from callrouter.core.facts import (
    Bridged,
    CallEnded,
    DialFinished,
    InputRefused,
    OfferEnded,
    OfferMade,
    QueueEnded,
    QueueEntered,
)
from callrouter.core.lifecycle import ADMITS, admits
from callrouter.core.nodes import AnswerNode, DialNode, HangupNode, LookupNode, MenuNode, MessageNode, QueueNode
from callrouter.core.rota import Contact
from callrouter.core.templates import parse
from callrouter.testing import TUESDAY_10, Playbook, assert_serialises, plan_of, sound

INPUTS: tuple[type, ...] = get_args(inputs.Input)
LATER = TUESDAY_10 + timedelta(minutes=1)

PLAN = plan_of(
    AnswerNode(name="pick_up", exits={"next": "menu"}),
    MenuNode(
        name="menu",
        sounds=(sound("menu"),),
        keys=("1", "2", "3", "4"),
        exits={
            "key:1": "team",
            "key:2": "doctor",
            "key:3": "message",
            "key:4": "crm",
            "no_input": "bye",
            "no_match": "bye",
        },
    ),
    QueueNode(name="team", queue="sales", max_wait_seconds=60, exits={"overflow": "message"}),
    DialNode(name="doctor", contacts=(Contact(name="d", number="+33639980001"),), exits={"no_answer": "bye"}),
    MessageNode(name="message", sounds=(sound("speak"),), exits={"done": "bye"}),
    LookupNode(name="crm", url=parse("https://crm.example/"), exits={"next": "bye", "failed": "bye"}),
    HangupNode(name="bye"),
)

RINGS_ON = plan_of(
    AnswerNode(name="pick_up", exits={"next": "doctor"}),
    PLAN.nodes["doctor"],
    PLAN.nodes["bye"],
)
"""Nothing is heard after the answer, which is waited for."""


def _call_in(state: CallState) -> Call:
    """A call that came into this state the way calls do."""
    if state is CallState.ANSWERING:
        return Playbook(RINGS_ON).offer().expects("answer").stops_here()
    call = Playbook(PLAN).offer().expects("answer", "collect 1: menu").answered()
    match state:
        case CallState.CONSULTING:
            call.keys("4")
        case CallState.COLLECTING:
            pass
        case CallState.QUEUED | CallState.CONNECTED:
            call.keys("1")
        case CallState.DIALLING:
            call.keys("2")
        case CallState.PLAYING | CallState.RECORDING:
            call.keys("3")
        case CallState.HANGING_UP:
            call.silence().expects("collect 1: menu").silence()
        case CallState.ADRIFT:
            call.control_lost()
        case CallState.ENDED:
            call.hangs_up()
    if state is CallState.CONNECTED:
        call.expects("queue sales").agent_answers("agent-1")
    if state is CallState.RECORDING:
        call.expects("play speak").prompt_ended()
    return call.stops_here()


_SIGNS: dict[type, StrEnum] = {
    inputs.RecordingTold: inputs.RecordingSign.OBJECTED,
    inputs.ConsultationHeard: inputs.ConsultationSign.BEGAN,
}


def _input(kind: type, step: int, at: datetime = LATER) -> inputs.Input:
    """One input of this kind, which names this step if it names one."""
    outcomes: dict[type, StrEnum] = {
        inputs.QueueLeft: QueueOutcome.TIMEOUT,
        inputs.DialEnded: DialOutcome.BUSY,
        inputs.RecordingEnded: RecordOutcome.FINISHED,
    }
    given = {
        "step": step,
        "at": at,
        "digit": "1",
        "agent": "agent-9",
        "leg": 0 if kind is inputs.LegAnswered else "1795427775.12",
        "sign": _SIGNS.get(kind, inputs.LegSign.RANG),
        "mode": inputs.SupervisionMode.LISTEN,
        "party": "agent-2",
        "consultation": "1795427775.20",
        "reason": "because",
        "seconds": 7.0,
        "heard": True,
        "looks": {},
        "values": {},
        "target": "agent-2",
        "colleague": "agent-2",
        "failure": LegFailure(leg=0, sip=486, cause=17),
        "outcome": outcomes.get(kind),
        "node": "message",
        "recording": "1-8",
        "began_at": at,
    }
    told: inputs.Input = kind(**{field.name: given[field.name] for field in fields(kind) if field.name in given})
    return told


STATES = [state for state in CallState if state is not CallState.OFFERED]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", INPUTS, ids=lambda kind: kind.__name__)
def test_admitted_or_refused_without_change(state: CallState, kind: type) -> None:
    """The table decides; what it does not admit changes nothing and asks for nothing."""
    call = _call_in(state)
    assert call.state is state

    turn = engine.step(PLAN, call, _input(kind, call.step))

    assert_serialises(PLAN, turn.call)
    refused = [fact for fact in turn.facts if isinstance(fact, InputRefused)]
    if admits(state, kind):
        assert not refused
    else:
        assert refused
        assert (turn.call, turn.effects, len(turn.facts)) == (call, (), 1)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "kind",
    [kind for kind in INPUTS if "step" in {field.name for field in fields(kind)}],
    ids=lambda kind: kind.__name__,
)
@pytest.mark.parametrize("late_by", [1, -1, 40])
def test_a_result_of_another_step_decides_nothing(state: CallState, kind: type, late_by: int) -> None:
    """It asks for nothing, and moves the call nowhere."""
    call = _call_in(state)

    turn = engine.step(PLAN, call, _input(kind, call.step - late_by))

    assert (turn.call.node, turn.call.state, turn.call.step, turn.effects) == (call.node, call.state, call.step, ())


@pytest.mark.parametrize("state", STATES)
def test_a_hang_up_ends_any_living_call_once(state: CallState) -> None:
    """And nothing is admitted after it."""
    call = _call_in(state)

    first = engine.step(PLAN, call, inputs.CallerHungUp(at=LATER, cause=16))
    second = engine.step(PLAN, first.call, inputs.CallerHungUp(at=LATER + timedelta(seconds=1), cause=31))

    ended = [fact for fact in (*first.facts, *second.facts) if isinstance(fact, CallEnded)]
    assert len(ended) == (0 if state is CallState.ENDED else 1)
    assert first.call.disposition
    assert second.call == first.call


def test_only_telephone_keys_are_digits() -> None:
    """Whatever else an event says was keyed."""
    call = _call_in(CallState.COLLECTING)
    for odd in ("", "12", "x", "é", "\n", "١"):
        turn = engine.step(PLAN, call, inputs.DigitPressed(digit=odd, at=LATER))

        assert turn.call == call
        assert isinstance(turn.facts[0], InputRefused)


def test_the_table_names_every_state() -> None:
    """No state is forgotten, no input is admitted nowhere."""
    assert set(ADMITS) == set(CallState)
    assert frozenset().union(*ADMITS.values()) == set(INPUTS)


def test_a_caller_lost_to_asterisk_waits_from_then_on() -> None:
    """They were in a menu; the fallback's queue answered a minute later."""
    adrift = _call_in(CallState.COLLECTING)
    lost = engine.step(PLAN, adrift, inputs.ControlLost(reason="the lease ran out", at=LATER)).call
    answered_at = LATER + timedelta(minutes=1)
    turn = engine.step(PLAN, lost, inputs.AgentAnswered(agent="agent-1", at=answered_at))

    assert turn.call.waiting_seconds(answered_at) == 60
    assert turn.call.clocks.entered_service_at == LATER
    assert [type(fact) for fact in turn.facts] == [QueueEntered, OfferMade, OfferEnded, Bridged]


def test_a_wait_that_was_lost_ends_when_somebody_else_answers() -> None:
    """The fallback dialled a number for a caller of a queue, or rang a queue for one whom we had dialled for."""
    answered_at = LATER + timedelta(minutes=1)
    by_number = inputs.LegAnswered(leg=0, at=answered_at)
    by_agent = inputs.AgentAnswered(agent="agent-1", at=answered_at)
    for state, told, ended in ((CallState.QUEUED, by_number, QueueEnded), (CallState.DIALLING, by_agent, DialFinished)):
        call = _call_in(state)
        lost = engine.step(PLAN, call, inputs.ControlLost(reason="the lease ran out", at=LATER)).call
        turn = engine.step(PLAN, lost, told)
        over = engine.step(PLAN, turn.call, inputs.CallerHungUp(at=answered_at + timedelta(minutes=5))).call

        assert isinstance(turn.facts[0], ended)
        assert isinstance(turn.facts[-1], Bridged)
        assert over.clocks.entered_service_at is not None
        assert over.waiting_seconds(answered_at) == (answered_at - over.clocks.entered_service_at).total_seconds()
        assert over.talk_seconds() == 300
