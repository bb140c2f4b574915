"""Who talked to the caller, for how long, how long on hold, and who hung up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import engine, facts, state
from callrouter.core.books import legs
from callrouter.core.call import DialAttempt, DialOutcome, EndedBy, Leg, LegFailure, LegPurpose, QueueOutcome, replace
from callrouter.core.explain import explain
from callrouter.core.inputs import LINE_FAILED, CallerHungUp, ControlLost, Input, LegHeard, LegSign, QueueLeft
from callrouter.core.parts import MICROSECOND, PartsReader, write_legs
from tests.core.books.test_offers import AT, CALL, PLAN, answered, rung, sign, told

TALKING: list[Input] = [rung(), answered(4)]


def legs_of(*inputs: Input, by_caller: bool | None = True) -> dict[LegPurpose, Leg]:
    """The legs, by purpose, of a call that is answered at 4 s and over at 64 s; then the caller is gone."""
    hung_up = CallerHungUp(at=AT + timedelta(seconds=64), cause=16, by_caller=by_caller)
    call, _ = told(*TALKING, *inputs, hung_up)
    return {leg.purpose: leg for leg in call.legs}


def left(after: float) -> QueueLeft:
    step = told(*TALKING)[0].step
    return QueueLeft(step=step, outcome=QueueOutcome.ANSWERED, at=AT + timedelta(seconds=after))


def ended_by(*inputs: Input, by_caller: bool | None = True) -> tuple[EndedBy | None, EndedBy | None]:
    """Of the agent's leg, and of the caller's."""
    found = legs_of(*inputs, by_caller=by_caller)
    return found[LegPurpose.AGENT].ended_by, found[LegPurpose.CALLER].ended_by


def test_the_caller_hangs_up() -> None:
    """Of both legs; the agent's is measured from their answer."""
    agent = legs_of()[LegPurpose.AGENT]

    assert ended_by() == (EndedBy.CALLER, EndedBy.CALLER)
    assert (agent.party, agent.began_at, agent.talk_seconds()) == ("anne", AT + timedelta(seconds=1), 60)


def test_the_agent_hangs_up() -> None:
    """Their HangupRequest comes first; the caller, whom the tree goes on with, is hung up by us."""
    hangs_up: list[Input] = [sign(LegSign.HUNG_UP, 30), sign(LegSign.ENDED, 30), left(30.01)]

    assert ended_by(*hangs_up, by_caller=False) == (EndedBy.AGENT, EndedBy.SYSTEM)
    assert legs_of(*hangs_up)[LegPurpose.AGENT].talk_seconds() == 26


def test_an_agents_line_that_fails() -> None:
    """The channel ends without a hang-up of theirs: nobody on the telephone did it."""
    assert ended_by(sign(LegSign.ENDED, 30), left(30.01))[0] is EndedBy.SYSTEM


@pytest.mark.parametrize("cause", sorted(LINE_FAILED))
def test_an_agent_whose_telephone_has_no_power(cause: int) -> None:
    """Asterisk requests a hang-up there when it gives the telephone up: nobody hung up."""
    given_up: list[Input] = [sign(LegSign.HUNG_UP, 30, cause=cause), sign(LegSign.ENDED, 30, cause=cause), left(30.01)]

    assert ended_by(*given_up)[0] is EndedBy.SYSTEM


def test_an_end_that_nobody_saw() -> None:
    """Asterisk's journal says when, and not who."""
    assert ended_by(by_caller=None) == (None, None)


def test_a_caller_who_is_given_away() -> None:
    """Nobody hung up; the agent's part is over when their channel is, and the caller's goes on."""
    lost = ControlLost(reason="an agent transferred the call", at=AT + timedelta(seconds=20))
    found = legs_of(sign(LegSign.ENDED, 19.5), lost)

    assert found[LegPurpose.AGENT].ended_by is None
    assert found[LegPurpose.AGENT].talk_seconds() == 15.5
    assert found[LegPurpose.CALLER].ended_at == AT + timedelta(seconds=64)


def test_hold_is_no_talk() -> None:
    """Also hold that the end cuts off; in the call's own talk time too."""
    inputs = [sign(LegSign.HELD, 10), sign(LegSign.RESUMED, 25), sign(LegSign.HELD, 54)]
    agent = legs_of(*inputs)[LegPurpose.AGENT]
    call, _ = told(*TALKING, *inputs, CallerHungUp(at=AT + timedelta(seconds=64)))

    assert (agent.hold_seconds, agent.talk_seconds(), call.talk_seconds()) == (25, 35, 35)
    assert "talked to anne for 35 s, 25 s on hold; hung up by caller" in explain(call, PLAN)[-2]


def test_hold_does_not_pair() -> None:
    """As transfers and hang-ups leave it: a second hold and a lone resumption change nothing."""
    inputs = [sign(LegSign.RESUMED, 6), sign(LegSign.HELD, 10), sign(LegSign.HELD, 12), sign(LegSign.RESUMED, 20)]

    assert legs_of(*inputs, inputs[-1])[LegPurpose.AGENT].hold_seconds == 10


@given(st.lists(st.tuples(st.sampled_from(LegSign), st.integers(0, 70)), max_size=12))
def test_whatever_is_heard_the_times_are_right(signs: list[tuple[LegSign, int]]) -> None:
    """In any order, doubled or incomplete: hold and talk are never more than the conversation, nor below nothing."""
    found = legs_of(*(sign(what, 4 + after) for what, after in signs))
    agent = found[LegPurpose.AGENT]

    assert agent.answered_at is not None
    assert agent.ended_at is not None
    assert not agent.open
    assert agent.talk_seconds() >= 0
    assert agent.hold_seconds >= 0
    assert found[LegPurpose.CALLER].ended_by is EndedBy.CALLER


def test_a_successor_knows_the_conversation_that_goes_on() -> None:
    """With its hold; those that are over it knows by their sums."""
    call, _ = told(*TALKING, sign(LegSign.HELD, 10))
    again = state.decode(PLAN, state.encode(PLAN, call))

    assert again.legs == call.legs
    over = engine.step(PLAN, again, LegHeard(leg=call.legs[0].leg, sign=LegSign.RESUMED, at=AT + timedelta(seconds=40)))
    gone = engine.step(PLAN, over.call, CallerHungUp(at=AT + timedelta(seconds=64)))
    assert gone.call.talk_seconds() == 30


def test_a_leg_that_is_over_is_a_fact() -> None:
    """Once each; the caller's own with the call."""
    _, concluded = told(*TALKING, left(30), CallerHungUp(at=AT + timedelta(seconds=64)))
    over = [fact.leg for fact in concluded if isinstance(fact, facts.LegEnded)]
    ended = next(fact.call for fact in concluded if isinstance(fact, facts.CallEnded))

    assert [leg.purpose for leg in over] == [LegPurpose.AGENT]
    assert [_kept(leg) for leg in ended.legs] == [("agent", 1), ("caller", 2)]


def _kept(leg: Leg) -> tuple[str, int]:
    return leg.purpose.value, leg.number


def test_each_contact_who_is_rung_has_a_leg() -> None:
    """With the number they saw; of those who did not take the call, what the network answered."""
    dial = DialAttempt(
        target="doctor + nurse",
        started_at=AT,
        answered_at=AT + timedelta(seconds=9),
        ended_at=AT + timedelta(seconds=69),
        outcome=DialOutcome.ANSWERED,
        leg=1,
        shown="+33199000010",
        failures=(LegFailure(leg=0, sip=486, cause=17),),
    )
    talking = legs.begin_contact(replace(CALL, dials=(dial,)), AT + timedelta(seconds=9))
    over = legs.close(talking, LegPurpose.CONTACT, AT + timedelta(seconds=69), EndedBy.CONTACT)
    call = legs.unanswered_contacts(over, dial)

    assert [(leg.party, leg.identity, leg.sip, leg.cause, leg.talk_seconds()) for leg in call.legs] == [
        ("nurse", "+33199000010", 0, 0, 60),
        ("doctor", "+33199000010", 486, 17, 0),
    ]
    read = PartsReader(AT)
    written = write_legs(call.legs, lambda at: None if at is None else (at - AT) // MICROSECOND)
    assert tuple(map(read.leg, written)) == call.legs
