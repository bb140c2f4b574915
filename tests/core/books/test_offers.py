"""Each ring of an agent has its outcome, in whatever order, how often and how completely it is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core import engine, facts, state
from callrouter.core.books import offers
from callrouter.core.call import Call, CallState, Offer, OfferOutcome, QueueOutcome, replace
from callrouter.core.explain import explain
from callrouter.core.inputs import AgentAnswered, AgentOffered, CallerHungUp, Input, LegHeard, LegSign, QueueLeft
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.testing import Playbook, plan_of

PLAN = plan_of(
    QueueNode(name="team", queue="sales", max_wait_seconds=600, exits={"overflow": "bye", "done": "bye"}),
    HangupNode(name="bye"),
)
ANNE, ZOE = "1795427775.12", "1795427775.13"


def waiting() -> Playbook:
    """A caller in the queue, whom nobody has been rung for yet."""
    return Playbook(PLAN).offer().expects("answer", "queue sales").answered()


WAITING: Final = waiting()
CALL: Final = WAITING.stops_here()
AT: Final = WAITING.at


def rung(leg: str = ANNE, agent: str = "anne", after: float = 1.0) -> AgentOffered:
    return AgentOffered(agent=agent, at=AT + timedelta(seconds=after), queue="sales", leg=leg)


def sign(what: LegSign, after: float, *, leg: str = ANNE, cause: int = 0) -> LegHeard:
    return LegHeard(leg=leg, sign=what, at=AT + timedelta(seconds=after), cause=cause)


def missed(after: float, rang: float, *, leg: str = ANNE, agent: str = "anne") -> LegHeard:
    """AgentRingNoAnswer, which names the agent and how long they were rung."""
    at = AT + timedelta(seconds=after)
    return LegHeard(leg=leg, sign=LegSign.UNANSWERED, at=at, agent=agent, queue="sales", rang_seconds=rang)


def told(*inputs: Input) -> tuple[Call, list[facts.Fact]]:
    """The call after all of this, and what was concluded."""
    call, concluded = CALL, list[facts.Fact]()
    for one in inputs:
        turn = engine.step(PLAN, call, one)
        call = turn.call
        concluded += turn.facts
    return call, concluded


def answered(after: float, *, leg: str = ANNE, agent: str = "anne") -> AgentAnswered:
    return AgentAnswered(agent=agent, leg=leg, at=AT + timedelta(seconds=after))


def gone(after: float) -> CallerHungUp:
    return CallerHungUp(at=AT + timedelta(seconds=after), cause=16)


RANG, UNANSWERED, CANCELLED, HUNG_UP, ENDED, *_OF_CONVERSATIONS = LegSign
MEASURED: Final[dict[str, tuple[list[Input], OfferOutcome, float]]] = {
    "rang_out": (
        [rung(), sign(RANG, 1.1), missed(16, 15), sign(UNANSWERED, 16), sign(CANCELLED, 16), sign(ENDED, 16)],
        OfferOutcome.RANG_OUT,
        15.0,
    ),
    "never_rang": (
        [rung(), missed(16, 15), sign(UNANSWERED, 16), sign(CANCELLED, 16), sign(ENDED, 16)],
        OfferOutcome.PHONE_FAILED,
        15.0,
    ),
    "busy": (
        [rung(), sign(HUNG_UP, 2, cause=17), sign(UNANSWERED, 2), missed(2, 0), sign(ENDED, 2, cause=17)],
        OfferOutcome.REFUSED,
        1.0,
    ),
    "refused_across_a_second": (
        [rung(), sign(RANG, 1.1), sign(HUNG_UP, 2, cause=17), missed(2, 2), sign(ENDED, 2, cause=17)],
        OfferOutcome.REFUSED,
        1.0,
    ),
    "congested": (
        [rung(), sign(HUNG_UP, 2, cause=34), sign(UNANSWERED, 2), missed(2, 0), sign(ENDED, 2, cause=34)],
        OfferOutcome.PHONE_FAILED,
        1.0,
    ),
    "put_down_at_the_whisper": (
        [rung(), sign(RANG, 1.1), sign(HUNG_UP, 4), sign(ENDED, 4, cause=16)],
        OfferOutcome.REFUSED,
        3.0,
    ),
    "answered": ([rung(), sign(RANG, 1.1), answered(4)], OfferOutcome.ANSWERED, 3.0),
}
"""As Asterisk 22.10 reports them (`offers`): signs, outcome, and seconds from the ring to its end."""


@pytest.mark.parametrize("name", MEASURED)
def test_as_measured(name: str) -> None:
    """One offer, made once, ended with its outcome."""
    inputs, outcome, seconds = MEASURED[name]
    call, concluded = told(*inputs)

    (offer,) = call.offers
    assert (offer.number, offer.queue, offer.agent, offer.outcome) == (1, "sales", "anne", outcome)
    assert offer.ring_seconds() == seconds
    assert [type(fact) for fact in concluded].count(facts.OfferMade) == 1
    assert [fact.offer.outcome for fact in concluded if isinstance(fact, facts.OfferEnded)][-1] is outcome
    assert call.queue_visits[0].offers == 1


@pytest.mark.parametrize("name", MEASURED)
@given(st.data())
def test_in_any_order_and_doubled(name: str, data: st.DataObject) -> None:
    """The same offer, whatever comes first, and however often."""
    inputs, outcome, seconds = MEASURED[name]
    doubled: list[Input] = [*inputs, *data.draw(st.lists(st.sampled_from(inputs), max_size=4))]
    shuffled: list[Input] = [*data.draw(st.permutations(doubled))]
    if not isinstance(shuffled[0], AgentOffered | AgentAnswered) and not getattr(shuffled[0], "agent", ""):
        shuffled = [inputs[0], *shuffled]  # of a channel of which nobody said whose it is, nothing can be kept
    call, _ = told(*shuffled)

    (offer,) = call.offers
    assert (offer.agent, offer.outcome, offer.ring_seconds()) == ("anne", outcome, seconds)


@pytest.mark.parametrize("name", MEASURED)
@pytest.mark.parametrize("lost", range(6))
def test_with_one_sign_missing(name: str, lost: int) -> None:
    """There is still one offer with an outcome, once the caller has left; who answered has answered."""
    inputs, outcome, _ = MEASURED[name]
    left: list[Input] = [*inputs[:lost], *inputs[lost + 1 :], gone(60)]
    call, _ = told(*left)

    assert all(offer.outcome and offer.ended_at for offer in call.offers)
    assert len(call.offers) == any(getattr(one, "agent", "") for one in left)
    if any(isinstance(one, AgentAnswered) for one in left):
        assert call.offers[0].outcome is outcome is OfferOutcome.ANSWERED


def test_a_caller_who_leaves() -> None:
    """The ring is taken back before anybody says why."""
    call, _ = told(rung(), sign(RANG, 1.1), sign(CANCELLED, 5), sign(CANCELLED, 5))
    assert call.offers[0].outcome is None

    call, concluded = told(rung(), sign(RANG, 1.1), sign(CANCELLED, 5), gone(5))

    assert call.offers[0].outcome is OfferOutcome.CALLER_LEFT
    assert call.offers[0].ended_at == AT + timedelta(seconds=5)
    assert [type(fact) for fact in concluded][-2:] == [facts.QueueEnded, facts.CallEnded]


@pytest.mark.parametrize("late", [False, True])
def test_the_quicker_one_has_the_caller(late: bool) -> None:
    """Of two who are rung at once; the other ring may be taken back before or after the answer is known."""
    taken_back = sign(CANCELLED, 3.0, leg=ZOE)
    both: list[Input] = [rung(), rung(ZOE, "zoe")]
    inputs: list[Input] = [*both, answered(3), taken_back] if late else [*both, taken_back, answered(3)]
    call, _ = told(*inputs)

    assert [offer.outcome for offer in call.offers] == [OfferOutcome.ANSWERED, OfferOutcome.ELSEWHERE]
    assert call.queue_visits[0].offers == 2


def test_patience_that_runs_out_while_it_rings() -> None:
    """It rang, and nobody answered: for the agent it is a ring that ran out."""
    left = QueueLeft(step=CALL.step, outcome=QueueOutcome.TIMEOUT, at=AT + timedelta(seconds=9))
    call, _ = told(rung(), sign(RANG, 1.1), rung(ZOE, "zoe"), left)

    assert [offer.outcome for offer in call.offers] == [OfferOutcome.RANG_OUT, OfferOutcome.PHONE_FAILED]


def test_a_ring_nobody_saw_begin() -> None:
    """Its end says whose it was, and for how long; of a channel that says nothing, nothing is kept."""
    call, concluded = told(missed(16, 15), sign(ENDED, 16, leg="somebody-elses"))

    (offer,) = call.offers
    assert offer.began_at == AT + timedelta(seconds=1)
    assert isinstance(concluded[0], facts.OfferMade)


def test_a_ring_is_dated_by_its_beginning() -> None:
    """RingTime counts whole seconds, and may say one too many: what was heard of the beginning stands."""
    for first, second in ((rung(), missed(2.2, 2)), (missed(2.2, 2), rung())):
        call, _ = told(first, second)

        assert call.offers[0].began_at == AT + timedelta(seconds=1)


def test_no_ring_begins_before_the_caller_waits() -> None:
    """However long app_queue says that it rang."""
    call, _ = told(missed(0.4, 1))

    assert call.offers[0].began_at == CALL.queue_visits[0].entered_at


def test_an_answer_that_is_reported_again_without_its_channel() -> None:
    """After the link was away, from Asterisk's own notes."""
    call, _ = told(rung(), answered(4))
    adrift = replace(call, state=CallState.ADRIFT)
    again = engine.step(PLAN, adrift, AgentAnswered(agent="anne", at=AT + timedelta(seconds=4))).call

    assert again.offers == call.offers


def test_a_hundred_offers_in_one_wait() -> None:
    """Each is a numbered fact; the channel carries how many there were, and the one that is open."""
    call, concluded = CALL, list[facts.Fact]()
    for number in range(100):
        leg = f"1795427775.{number}"
        after = 2.0 * number
        last = number == 99
        for one in (rung(leg, f"agent-{number % 30}", after), *(() if last else (missed(after + 1, 1, leg=leg),))):
            turn = engine.step(PLAN, call, one)
            call = turn.call
            concluded += turn.facts
            assert len(state.encode(PLAN, call)) <= state.MAX_ENCODED

    assert [offer.number for offer in call.offers] == [*range(1, 101)]
    assert [type(fact) for fact in concluded].count(facts.OfferMade) == 100
    assert [type(fact) for fact in concluded].count(facts.OfferEnded) == 99
    again = state.decode(PLAN, state.encode(PLAN, call))
    assert again.offers == call.offers[-1:]
    assert again.offers_made == 100
    assert engine.step(PLAN, again, rung("1795427999.1", "zoe", 300)).call.offers[-1].number == 101


def test_a_team_that_is_rung_all_at_once() -> None:
    """Thirty open offers are more than the channel can carry: the state stays small, and counts them."""
    call, _ = told(*(rung(f"1795427775.{number}", f"agent-{number}") for number in range(30)))

    again = state.decode(PLAN, state.encode(PLAN, call))

    assert len(state.encode(PLAN, call)) <= state.MAX_ENCODED
    assert again.offers_made == 30
    assert again.offers == call.offers[-len(again.offers) :]


@given(st.lists(st.tuples(st.sampled_from(LegSign), st.sampled_from([0, 16, 17, 21, 26, 34]), st.integers(0, 9))))
def test_the_outcome_depends_on_no_order(signs: list[tuple[LegSign, int, int]]) -> None:
    """Whatever is heard of one ring, backwards it makes the same offer."""
    inputs = [sign(what, 1.0 + after, cause=cause) for what, cause, after in signs]
    made = offers.offer(CALL, rung())
    forth, back = _folded(made, inputs), _folded(made, inputs[::-1])

    assert forth == back


def _folded(call: Call, inputs: list[LegHeard]) -> Offer:
    for one in inputs:
        call = offers.hear(call, one)
    return call.offers[0]


def test_the_story_names_each_ring() -> None:
    """Whom the caller was offered to in vain, for how long, and why; the answer stands there anyway."""
    refused: list[Input] = [rung(), sign(HUNG_UP, 2, cause=34), sign(ENDED, 2, cause=34)]
    call, _ = told(*refused, rung(ZOE, "zoe", 3), sign(RANG, 3.1, leg=ZOE), answered(9, leg=ZOE, agent="zoe"), gone(60))

    assert [line.partition("  ")[2] for line in explain(call, PLAN)][1:] == [
        "waits in queue sales",
        "anne was rung for 1 s: phone_failed (cause 34)",
        "answered by zoe after 9 s",
        "leaves queue sales: answered",
        "talked to zoe for 51 s; hung up by caller",
        "ended: answered",
    ]
