"""Any tree, any caller, any order of events: what must hold whatever happens."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import engine, facts, inputs
from callrouter.core.call import Call, CallState
from callrouter.core.effects import Answer
from callrouter.core.explain import explain
from callrouter.core.plan import MAX_VISITS, Plan
from callrouter.core.steps.turn import Turn
from callrouter.testing import assert_serialises
from tests.core.strategies import happenings, made, offers, plans

MOST_EFFECTS = 2
"""Answer, and what the node asks for."""


class Observed:
    """A call and all that was concluded about it, checked after every turn."""

    def __init__(self, plan: Plan, turn: Turn) -> None:
        self.plan = plan
        self.call = turn.call
        self.facts: list[facts.Fact] = []
        self.see(turn, "offer")

    def see(self, turn: Turn, told: object) -> None:
        """Check what holds after each turn."""
        before, self.call = self.call, turn.call
        self.facts += turn.facts
        assert len(turn.effects) <= MOST_EFFECTS
        assert all(isinstance(effect, Answer) for effect in turn.effects[:-1])
        if turn.effects:
            assert before.state not in (CallState.ADRIFT, CallState.ENDED), f"asked for something after {told}"
            assert turn.call.step > before.step or told == "offer"
        assert len(turn.call.visits) <= MAX_VISITS + 3
        assert (turn.call.disposition is not None) is turn.call.ended
        assert_serialises(self.plan, turn.call)
        clocks = turn.call.clocks
        # An offer may follow a bridge: after a dial that was answered, the tree may go on to a queue.
        for human in (clocks.offered_at, clocks.bridged_at):
            times = (clocks.ringing_at, clocks.entered_service_at, human, clocks.ended_at)
            known = [at for at in times if at]
            assert known == sorted(known)

    def over(self) -> None:
        """Check what holds once the call has ended."""
        call = self.call
        assert call.ended
        assert [type(fact) for fact in self.facts].count(facts.CallEnded) == 1
        assert isinstance(self.facts[0], facts.CallStarted)
        assert call.disposition
        assert call.clocks.ended_at
        assert all(visit.left_at and visit.outcome for visit in call.queue_visits)
        assert all(dial.ended_at and dial.outcome for dial in call.dials)
        self._conserved(call)
        assert explain(call, self.plan)[-1].endswith(f"ended: {call.disposition}")

    def _conserved(self, call: Call) -> None:
        entered = [fact for fact in self.facts if isinstance(fact, facts.QueueEntered)]
        ended = [fact.visit for fact in self.facts if isinstance(fact, facts.QueueEnded)]
        dials = [fact.dial for fact in self.facts if isinstance(fact, facts.DialFinished)]
        left = [fact.message for fact in self.facts if isinstance(fact, facts.MessageLeft)]
        visits = [fact.visit for fact in self.facts if isinstance(fact, facts.NodeVisited)]
        assert len(entered) == len(ended)
        assert ended == [*call.queue_visits]
        assert dials == [*call.dials]
        assert left == [*call.messages]
        assert set(visits) <= set(call.visits)
        assert call.waiting_seconds(call.clocks.ended_at) >= 0  # type: ignore[arg-type]
        assert call.talk_seconds() >= 0
        human = any(visit.answered_at for visit in call.queue_visits) or any(dial.answered_at for dial in call.dials)
        assert human == (call.disposition in ("answered", "redirected"))
        assert human == (call.clocks.bridged_at is not None)


def _hang_up(observed: Observed, at: object) -> None:
    for cause in (16, 31):
        told = inputs.CallerHungUp(at=at, cause=cause)  # type: ignore[arg-type]
        observed.see(engine.step(observed.plan, observed.call, told), told)
    observed.over()


@given(st.data())
def test_any_order_of_inputs(data: st.DataObject) -> None:
    """Never an exception; one disposition; the state always fits and reads back; the books are in balance."""
    plan = data.draw(plans())
    offered = data.draw(offers)
    observed = Observed(plan, engine.start(plan, offered))
    at = offered.at
    for _ in range(data.draw(st.integers(0, 40))):
        told = data.draw(happenings(observed.call, at))
        at = told.at
        observed.see(engine.step(plan, observed.call, told), told)
    _hang_up(observed, at + timedelta(seconds=1))


@given(st.data())
def test_a_hang_up_at_every_instant(data: st.DataObject) -> None:
    """The same journey, cut after each of its steps, ends once and in balance each time."""
    plan = data.draw(plans())
    offered = data.draw(offers)
    observed = Observed(plan, engine.start(plan, offered))
    told: list[inputs.Input] = []
    at = offered.at
    for _ in range(12):
        told.append(data.draw(happenings(observed.call, at)))
        at = told[-1].at
        observed.see(engine.step(plan, observed.call, told[-1]), told[-1])
    for cut in range(len(told)):
        again = Observed(plan, engine.start(plan, offered))
        for one in told[:cut]:
            again.see(engine.step(plan, again.call, one), one)
        _hang_up(again, told[cut].at)


@given(st.data())
def test_every_journey_ends(data: st.DataObject) -> None:
    """However patient the caller and however round the tree: answered step by step, it ends."""
    plan = data.draw(plans())
    offered = data.draw(offers)
    turn = engine.start(plan, offered)
    at, steps = offered.at, 0
    results = {
        CallState.ANSWERING: "CallAnswered",
        CallState.PLAYING: "PromptEnded",
        CallState.COLLECTING: "CollectEnded",
        CallState.QUEUED: "QueueLeft",
        CallState.DIALLING: "DialEnded",
        CallState.RECORDING: "RecordingEnded",
        CallState.CONSULTING: data.draw(st.sampled_from(["QueuesSeen", "LookupDone", "LookupFailed"])),
    }
    told = {state: made(data.draw, name, 0, at) for state, name in results.items()}
    while turn.call.state in told:
        at += timedelta(seconds=7)
        turn = engine.step(plan, turn.call, _renewed(told[turn.call.state], turn.call.step, at))
        steps += 1
        assert steps <= 3 * MAX_VISITS + 10
    assert turn.call.state is CallState.HANGING_UP
    assert_serialises(plan, turn.call)
    assert engine.step(plan, turn.call, inputs.CallerHungUp(at=at)).call.disposition


def _renewed(told: inputs.Input, step: int, at: object) -> inputs.Input:
    values = {name: getattr(told, name) for name in told.__struct_fields__} | {"step": step, "at": at}
    renewed: inputs.Input = type(told)(**values)
    return renewed
