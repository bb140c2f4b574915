"""Another engine goes on with a call: the same wait, a higher revision, and a stamp in the trace."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core import engine, state
from callrouter.core.call import Call, CallerId, CallState, Revision, replace
from callrouter.core.effects import Hangup
from callrouter.core.explain import explain, nodes_reached
from callrouter.core.facts import CallTakenOver, NotificationAsked
from callrouter.core.inputs import CallOffered, CollectEnded, DigitPressed, LookupDone
from callrouter.core.nodes import HangupNode, LookupNode, MenuNode, NotifyNode
from callrouter.core.plan import Plan
from callrouter.core.templates import parse
from callrouter.testing import TUESDAY_10, plan_of, sound
from tests.core.strategies import happenings, offers, plans

LATER = TUESDAY_10 + timedelta(seconds=9)
MENU = MenuNode(
    name="menu",
    sounds=(sound("welcome"),),
    keys=("1",),
    no_input_sounds=(sound("we heard nothing"),),
    exits={"key:1": "tell", "no_input": "bye", "no_match": "bye"},
)
TELL = NotifyNode(name="tell", contact="crm", url="https://crm.example/hook", exits={"next": "bye"})
PLAN = plan_of(MENU, TELL, HangupNode(name="bye"))
OFFERED = CallOffered(call_id="1-2-3", did="+33199000010", caller=CallerId(number="+33612340001"), at=TUESDAY_10)


def begun(plan: Plan = PLAN, epoch: int = 5) -> Call:
    """A call at its first wait."""
    return engine.start(plan, OFFERED, epoch=epoch).call


def test_the_same_call_under_a_new_epoch() -> None:
    """Nothing is asked for, and what is waited for is waited for still."""
    before = begun()
    turn = engine.take_over(before, 7, LATER)

    assert turn.effects == ()
    assert turn.facts == (CallTakenOver(call=turn.call, at=LATER),)
    assert turn.call.revision == Revision(7, before.revision.count + 1) > before.revision
    assert replace(turn.call, revision=before.revision, visits=before.visits) == before


def test_an_epoch_that_is_not_higher_still_makes_a_higher_revision() -> None:
    """Two engines may have begun in one millisecond, by clocks that differ."""
    before = begun()

    assert engine.take_over(before, 3, LATER).call.revision == Revision(5, before.revision.count + 1)


def test_the_story_says_so() -> None:
    """And no node was passed by it."""
    call = engine.take_over(begun(), 7, LATER).call

    assert any(line.endswith("→ taken over (another engine goes on)") for line in explain(call, PLAN))
    assert nodes_reached(call) == ["menu"]


def test_no_try_is_counted() -> None:
    """After a silence the caller is asked again; asked for once more, it is the question alone, and the second try."""
    call = begun()
    turn = engine.step(PLAN, call, CollectEnded(step=call.step, at=LATER))
    assert len(turn.effects[-1].sounds) == 2  # type: ignore[union-attr]
    again = engine.ask_again(PLAN, turn.call, LATER)

    assert again.call is turn.call
    assert again.effects[-1].sounds == MENU.sounds  # type: ignore[union-attr]


def test_a_step_taken_twice_tells_the_same() -> None:
    """The state of the first time was lost with its engine: whoever is told recognises the repetition by its id."""
    waiting = begun()

    def told(call: Call) -> str:
        call = engine.step(PLAN, call, DigitPressed(digit="1", at=LATER)).call
        turn = engine.step(PLAN, call, CollectEnded(step=call.step, at=LATER))
        (fact,) = [fact for fact in turn.facts if isinstance(fact, NotificationAsked)]
        return fact.notification.notification_id

    assert told(waiting) == told(engine.take_over(waiting, 7, LATER).call)


def test_a_question_that_was_asked_again_is_answered_once() -> None:
    """Its step is the same, and over with the first answer."""
    asks = LookupNode(name="ask", url=parse("https://crm.example/"), exits={"next": "menu", "failed": "bye"})
    plan = plan_of(asks, MENU, TELL, HangupNode(name="bye"))
    call = begun(plan)
    again = engine.ask_again(plan, call, LATER)
    after = engine.step(plan, again.call, LookupDone(step=call.step, values={}, at=LATER)).call

    assert after.state is CallState.COLLECTING
    assert engine.step(plan, after, LookupDone(step=call.step, values={}, at=LATER)).call is after


def test_nothing_is_asked_again_of_a_call_that_waits_for_nothing() -> None:
    """It is refused, and changes nothing."""
    call = begun()
    for at_rest in (CallState.ADRIFT, CallState.ENDED):
        rests = replace(call, state=at_rest)

        assert engine.ask_again(PLAN, rests, LATER).call is rests
        assert engine.ask_again(PLAN, rests, LATER).effects == ()


def test_a_call_that_was_being_hung_up_is_hung_up() -> None:
    """With the cause that was decided, whoever has it now."""
    for cause in (16, 21):
        ending = replace(begun(), state=CallState.HANGING_UP, hangup_cause=cause)

        assert engine.ask_again(PLAN, ending, LATER).effects == (Hangup(cause=cause),)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), plan=plans(), offered=offers)
def test_whatever_happened_a_successor_goes_on(data: st.DataObject, plan: Plan, offered: CallOffered) -> None:
    """From its serialised form, at each of its waits, with the same effects, and through whatever follows."""
    turn, at = engine.start(plan, offered), offered.at
    for epoch in range(1, 8):
        if turn.call.ended:
            return
        if turn.effects:
            read = state.decode(plan, state.encode(plan, turn.call))
            taken = engine.take_over(replace(read, pbx=turn.call.pbx), epoch, at)
            assert taken.call.revision > turn.call.revision
            again = engine.ask_again(plan, taken.call, at)
            assert [type(effect) for effect in again.effects] == [type(effect) for effect in turn.effects]
            turn = taken
        told = data.draw(happenings(turn.call, at))
        turn, at = engine.step(plan, turn.call, told), told.at
