"""What facts are to readers: the card of the call, and each kind of event."""

from __future__ import annotations

from callrouter.core import facts
from callrouter.core.call import (
    Call,
    Callback,
    CallState,
    DialAttempt,
    FormValue,
    Leg,
    LegPurpose,
    Offer,
    OfferOutcome,
    QueueOutcome,
    replace,
)
from callrouter.core.effects import Sound
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.stream import events
from callrouter.stream.events import Event
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


def rung(call: Call, *agents: str) -> Call:
    """These agents' telephones ring since the thirteenth second."""
    offers = tuple(
        Offer(number=number, queue="medical", agent=agent, began_at=after(13)) for number, agent in enumerate(agents, 1)
    )
    return replace(call, offers=offers, offers_made=len(offers))


def talking(call: Call, agent: str = "agent-1") -> Call:
    """The caller has been answered in the twentieth second."""
    visit = replace(call.queue_visits[-1], agent=agent, answered_at=after(20), offers=1)
    return replace(call, queue_visits=(visit,), state=CallState.CONNECTED)


def test_a_card_has_all_that_a_screen_shows() -> None:
    call = live("1")
    call = rung(call, "agent-1")
    card = maker(call).card(call, after(20))

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
    call = rung(live("1"), "agent-1")
    over = replace(call, offers=(replace(call.offers[0], outcome=OfferOutcome.RANG_OUT, ended_at=after(18)),))
    made = maker(call)
    [began] = told(made, facts.OfferMade(call=call, offer=call.offers[0]))
    [ended] = told(made, facts.OfferEnded(call=over, offer=over.offers[0]))

    assert isinstance(began, events.CallOffered)
    assert isinstance(ended, events.OfferEnded)
    assert (began.at, began.agent, began.queue, began.call.offered_to) == (after(13), "agent-1", "medical", ["agent-1"])
    assert (ended.at, ended.agent, ended.outcome) == (after(18), "agent-1", OfferOutcome.RANG_OUT)
    assert ended.call.offered_to == []


def test_a_ring_that_is_over_rings_no_more_though_nobody_knows_why() -> None:
    call = rung(live("1"), "agent-1", "agent-2")
    over = replace(call, offers=(replace(call.offers[0], ended_at=after(18)), call.offers[1]))

    assert maker(call).card(call, after(20)).offered_to == ["agent-1", "agent-2"]
    assert maker(over).card(over, after(20)).offered_to == ["agent-2"]


def test_an_agent_answers() -> None:
    call = talking(live("1"), "agent-2")
    [reached] = told(maker(call), facts.Bridged(call=call))

    assert isinstance(reached, events.CallAnswered)
    assert (reached.at, reached.agent, reached.contact) == (after(20), "agent-2", None)
    assert (reached.call.agent, reached.call.waiting_seconds) == ("agent-2", 8.0)


def test_somebody_of_the_clients_answers() -> None:
    call = replace(live("1"), queue_visits=(), dials=(DialAttempt(target="a + b", started_at=after(12), leg=1),))
    call = replace(call, dials=(replace(call.dials[0], answered_at=after(15)),))
    [reached] = told(maker(call), facts.Bridged(call=call))

    assert isinstance(reached, events.CallAnswered)
    assert (reached.at, reached.agent, reached.contact) == (after(15), None, "b")


def test_a_caller_leaves() -> None:
    gone = abandoned("1")
    [left] = told(maker(), facts.QueueEnded(call=gone, visit=gone.queue_visits[0]))
    [gave_up, ended] = told(maker(), facts.CallEnded(call=gone))

    assert isinstance(left, events.QueueLeft)
    assert isinstance(gave_up, events.CallAbandoned)
    assert isinstance(ended, events.CallEnded)
    assert (gave_up.at, gave_up.call) == (ended.at, ended.call)
    assert (left.outcome, left.agent, left.waited_seconds, left.talked_seconds) == (QueueOutcome.ABANDONED, None, 9, 0)
    assert (ended.at, ended.disposition, ended.hangup_cause) == (after(21), gone.disposition, 16)


def test_a_conversation_is_over() -> None:
    call = answered("1")
    [left] = told(maker(), facts.QueueEnded(call=call, visit=call.queue_visits[0]))

    assert isinstance(left, events.QueueLeft)
    assert (left.agent, left.offers, left.waited_seconds, left.talked_seconds) == ("agent-1", 1, 8, 60)


def test_hold_is_no_talk_here_either() -> None:
    """As in the row, and in what is said of the call's end."""
    call = answered("1")
    visit = call.queue_visits[0]
    agent = Leg(number=2, purpose=LegPurpose.AGENT, party="agent-1", began_at=after(18), answered_at=visit.answered_at)
    call = replace(call, legs=(replace(agent, hold_seconds=20.0),))
    [left] = told(maker(), facts.QueueEnded(call=call, visit=visit))

    assert isinstance(left, events.QueueLeft)
    assert left.talked_seconds == 40


def test_what_a_caller_leaves() -> None:
    call = message_left("1")
    asked = Callback(number="+33612340001", node="ask", asked_at=after(40))
    [message] = told(maker(), facts.MessageLeft(call=call, message=call.messages[0]))
    [callback] = told(maker(), facts.CallbackAsked(call=call, callback=asked))

    assert isinstance(message, events.MessageTaken)
    assert isinstance(callback, events.CallbackAsked)
    assert (message.recording, message.deliver, message.seconds) == ("1-1", "email_doctor", 4.2)
    assert (message.message_id, message.form, message.urgent) == ("1.m1", "", False)
    assert (callback.at, callback.number, callback.node) == (after(40), "+33612340001", "ask")


def test_a_form_that_the_tree_filled_in() -> None:
    call = message_left("1")
    urgency = FormValue(name="urgency", value="urgent", label="Urgency", type="urgency")
    form = replace(call.messages[0], recording="", seconds=0.0, form="order", values=(urgency,))
    call = replace(call, messages=(*call.messages, form))
    [message] = told(maker(), facts.MessageLeft(call=call, message=form))

    assert isinstance(message, events.MessageTaken)
    assert (message.message_id, message.recording, message.form, message.urgent) == ("1.m2", "", "order", True)


def test_what_is_none_of_the_readers_business_is_nothing() -> None:
    call = live("1")

    assert told(maker(), facts.NodeVisited(call=call, visit=call.visits[0])) == []
    assert told(maker(), facts.InputRefused(call=call, reason="late")) == []
