"""What facts are to readers: the card of the call, whose telephone rings, and each kind of event."""

from __future__ import annotations

from callrouter.core import facts
from callrouter.core.call import Call, Callback, CallState, DialAttempt, QueueOutcome, replace
from callrouter.core.effects import Sound
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.stream import events
from callrouter.stream.events import Event, OfferOutcome
from callrouter.stream.making import EventMaker

from ..api.stories import abandoned, after, answered, live, message_left  # noqa: TID252  # tests are no installed package

PLAN = Plan(
    client="cabinet-moreau",
    name="Cabinet Moreau",
    version="5f2d3c9a10be",
    numbers=(),
    timezone="UTC",
    language="en",
    start="secretaries",
    nodes={
        "secretaries": QueueNode(
            name="secretaries",
            queue="medical",
            max_wait_seconds=60,
            brief=(Sound(file="a", seconds=1, text="Cabinet Moreau,"), Sound(file="b", seconds=1, text="good morning")),
            exits={"overflow": "bye"},
        ),
        "bye": HangupNode(name="bye"),
    },
)


def maker(*calls: Call) -> EventMaker:
    """With these calls in progress."""
    lives = LiveCalls()
    for call in calls:
        lives.add(LiveCall(call, PLAN))
    return EventMaker(lives, lambda: {PLAN.client: PLAN}, lambda: after(99))


def told(made: EventMaker, fact: facts.Fact) -> list[Event]:
    return list(made.of_fact(fact))


def talking(call: Call, agent: str = "agent-1") -> Call:
    """The caller has been answered in the twentieth second."""
    visit = replace(call.queue_visits[-1], agent=agent, answered_at=after(20), offers=1)
    return replace(call, queue_visits=(visit,), state=CallState.CONNECTED)


def test_a_card_has_all_that_a_screen_shows() -> None:
    call = live("1")
    made = maker(call)
    made.offers.began("1", "agent-1", "medical")
    card = made.card(call, after(20))

    assert (card.call_id, card.client, card.client_name, card.did) == ("1", PLAN.client, PLAN.name, "+33199000010")
    assert (card.caller, card.variables, card.path) == (
        call.caller,
        {"postcode": "75011"},
        ["hours", "welcome", "secretaries"],
    )
    assert (card.queues, card.brief, card.offered_to) == (["medical"], "Cabinet Moreau, good morning", ["agent-1"])
    assert (card.waiting_since, card.waiting_seconds, card.agent) == (after(12), 8.0, None)


def test_a_card_of_a_call_of_no_plan() -> None:
    """It came to a number that no client has, or its client has gone meanwhile."""
    card = maker().card(replace(live("1"), client="gone"), after(20))

    assert (card.client, card.client_name, card.brief) == ("gone", "gone", "")


def test_a_call_from_its_beginning() -> None:
    call = live("1")
    made = maker(call)
    [arrived] = told(made, facts.CallStarted(call=replace(call, queue_visits=(), state=CallState.OFFERED)))
    [waiting] = told(made, facts.QueueEntered(call=call, visit=call.queue_visits[0]))

    assert isinstance(arrived, events.CallArrived)
    assert isinstance(waiting, events.CallWaiting)
    assert (arrived.at, arrived.call.queues) == (after(0), [])
    assert (waiting.at, waiting.queue, waiting.call.waiting_since) == (after(12), "medical", after(12))


def test_an_offer_begins_and_ends() -> None:
    call = live("1")
    made = maker(call)
    began = made.offer_began(call, "agent-1", after(13))
    over = made.offer_ended(call, "agent-1", OfferOutcome.NOT_ANSWERED, after(18))

    assert isinstance(began, events.CallOffered)
    assert isinstance(over, events.OfferEnded)
    assert (began.at, began.agent, began.queue, began.call.offered_to) == (after(13), "agent-1", "medical", ["agent-1"])
    assert (over.agent, over.outcome, over.call.offered_to) == ("agent-1", OfferOutcome.NOT_ANSWERED, [])
    assert made.offer_ended(call, "agent-1", OfferOutcome.NOT_ANSWERED, after(18)) is None
    assert not made.offers


def test_what_is_told_late_of_an_offer_is_nothing() -> None:
    """The call talks already, or has left the queue."""
    call = live("1")
    left = replace(call, queue_visits=(replace(call.queue_visits[0], left_at=after(30)),))
    made = maker(call)

    assert made.offer_began(talking(call), "agent-2", after(21)) is None
    assert made.offer_began(left, "agent-2", after(31)) is None
    assert made.offer_began(replace(call, queue_visits=()), "agent-2", after(31)) is None
    assert not made.offers


def test_when_one_of_several_answers_the_others_stop() -> None:
    call = live("1")
    made = maker(call)
    for agent in ("agent-1", "agent-2", "agent-3"):
        made.offer_began(call, agent, after(13))
    *over, reached = told(made, facts.Bridged(call=talking(call, "agent-2")))

    assert [(one.agent, one.outcome) for one in over if isinstance(one, events.OfferEnded)] == [
        ("agent-1", OfferOutcome.ELSEWHERE),
        ("agent-2", OfferOutcome.ANSWERED),
        ("agent-3", OfferOutcome.ELSEWHERE),
    ]
    assert isinstance(reached, events.CallAnswered)
    assert (reached.at, reached.agent, reached.contact) == (after(20), "agent-2", None)
    assert (reached.call.offered_to, reached.call.agent, reached.call.waiting_seconds) == ([], "agent-2", 8.0)


def test_somebody_of_the_clients_answers() -> None:
    call = replace(live("1"), queue_visits=(), dials=(DialAttempt(target="a + b", started_at=after(12), leg=1),))
    call = replace(call, dials=(replace(call.dials[0], answered_at=after(15)),))
    [reached] = told(maker(call), facts.Bridged(call=call))

    assert isinstance(reached, events.CallAnswered)
    assert (reached.at, reached.agent, reached.contact) == (after(15), None, "b")


def test_a_caller_who_leaves_ends_what_rings() -> None:
    call, gone = live("1"), abandoned("1")
    made = maker(call)
    made.offer_began(call, "agent-1", after(13))
    over, left = told(made, facts.QueueEnded(call=gone, visit=gone.queue_visits[0]))
    [ended] = told(made, facts.CallEnded(call=gone))

    assert isinstance(over, events.OfferEnded)
    assert isinstance(left, events.QueueLeft)
    assert isinstance(ended, events.CallEnded)
    assert over.outcome is OfferOutcome.CALLER_LEFT
    assert (left.outcome, left.agent, left.waited_seconds, left.talked_seconds) == (QueueOutcome.ABANDONED, None, 9, 0)
    assert (ended.at, ended.disposition, ended.hangup_cause) == (after(21), gone.disposition, 16)
    assert not made.offers


def test_a_conversation_is_over() -> None:
    call = answered("1")
    [left] = told(maker(), facts.QueueEnded(call=call, visit=call.queue_visits[0]))

    assert isinstance(left, events.QueueLeft)
    assert (left.agent, left.offers, left.waited_seconds, left.talked_seconds) == ("agent-1", 1, 8, 60)


def test_what_a_caller_leaves() -> None:
    call = message_left("1")
    asked = Callback(number="+33612340001", node="ask", asked_at=after(40))
    [message] = told(maker(), facts.MessageLeft(call=call, message=call.messages[0]))
    [callback] = told(maker(), facts.CallbackAsked(call=call, callback=asked))

    assert isinstance(message, events.MessageTaken)
    assert isinstance(callback, events.CallbackAsked)
    assert (message.recording, message.deliver, message.seconds) == ("1-1", "email_doctor", 4.2)
    assert (callback.at, callback.number, callback.node) == (after(40), "+33612340001", "ask")


def test_what_is_none_of_the_readers_business_is_nothing() -> None:
    call = live("1")

    assert told(maker(), facts.NodeVisited(call=call, visit=call.visits[0])) == []
    assert told(maker(), facts.InputRefused(call=call, reason="late")) == []
