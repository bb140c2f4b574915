"""Events of facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from callrouter.core import facts
from callrouter.core.books.recordings import name_of
from callrouter.core.call import Call, Disposition, Hold, LegPurpose, Offer, QueueVisit, Recording, message_id_of
from callrouter.core.facts import Fact
from callrouter.core.forms import filled_of
from callrouter.core.plan import Plan
from callrouter.runtime.calls import LiveCalls
from callrouter.stream import events
from callrouter.stream.cards import card_of, open_visit
from callrouter.stream.events import CallCard, CallEvent


class EventMaker:
    """Makes an event of whatever is one to readers, with the card of its call."""

    def __init__(
        self, calls: LiveCalls, plans_in_service: Callable[[], Mapping[str, Plan]], now: Callable[[], datetime]
    ) -> None:
        """A live call has the plan it walks; for one that is over its client's present plan says enough."""
        self._calls = calls
        self._plans_in_service = plans_in_service
        self._now = now

    def card(self, call: Call, at: datetime) -> CallCard:
        """The call as it stands at that instant."""
        live = self._calls.get(call.call_id)
        plan = live.plan if live is not None else self._plans_in_service().get(call.client)
        return card_of(call, plan, at)

    def of_fact(self, fact: Fact) -> Iterator[CallEvent]:
        """What a fact is to readers; most are nothing."""
        match fact:
            case facts.CallStarted(call=call):
                at = call.clocks.ringing_at
                yield events.CallArrived(at=at, call=self.card(call, at))
            case facts.QueueEntered(call=call, visit=visit):
                at = visit.entered_at
                yield events.CallWaiting(at=at, call=self.card(call, at), queue=visit.queue)
            case facts.OfferMade(call=call, offer=offer):
                at = offer.began_at
                yield events.CallOffered(at=at, call=self.card(call, at), queue=offer.queue, agent=offer.agent)
            case facts.OfferEnded(call=call, offer=offer):
                yield self._offer_ended(call, offer)
            case facts.Bridged(call=call):
                yield self._answered(call)
            case facts.QueueEnded():
                yield self._queue_left(fact)
            case facts.MessageLeft(call=call, message=message):
                at = self._now()
                yield events.MessageTaken(
                    at=at,
                    call=self.card(call, at),
                    recording=message.recording,
                    deliver=message.deliver,
                    seconds=message.seconds,
                    message_id=message_id_of(call.call_id, call.messages.index(message) + 1),
                    form=message.form,
                    urgent=filled_of(message.values, caller_number=None).urgent,
                )
            case facts.CallbackAsked(call=call, callback=asked):
                at = asked.asked_at
                yield events.CallbackAsked(at=at, call=self.card(call, at), number=asked.number, node=asked.node)
            case facts.CallEnded(call=call):
                if call.disposition is Disposition.ABANDONED:
                    at = call.clocks.ended_at or self._now()
                    yield events.CallAbandoned(at=at, call=self.card(call, at))
                yield self._ended(call)
            case _:
                yield from self._of_conversation(fact)

    def _of_conversation(self, fact: Fact) -> Iterator[CallEvent]:
        """What becomes of a conversation between its beginning and its end."""
        match fact:
            case facts.SupervisionNoted(call=call, party=phone, mode=mode, at=at):
                yield events.CallSupervised(at=at, call=self.card(call, at), phone=phone, mode=mode)
            case facts.RecordingNoted(call=call, recording=recording) if recording.began_at is not None:
                at = self._now()
                name = name_of(call.call_id, recording.number)
                state = _state(recording)
                yield events.RecordingChanged(at=at, call=self.card(call, at), recording=name, state=state)
            case facts.CallTransferred(call=call, by=by, target=target, refusal=refusal):
                at = self._now()
                yield events.CallTransferred(at=at, call=self.card(call, at), by=by, target=target, refusal=refusal)
            case facts.HoldNoted(call=call, hold=hold):
                yield self._held(call, hold)
            case facts.ConsultationChanged(call=call, by=by, party=party, sign=sign):
                at = self._now()
                yield events.ConsultationChanged(at=at, call=self.card(call, at), agent=by, party=party, sign=sign)
            case _:
                pass

    def _offer_ended(self, call: Call, offer: Offer) -> CallEvent:
        assert offer.outcome is not None, "an offer that has ended has an outcome"
        at = offer.ended_at or self._now()
        return events.OfferEnded(
            at=at, call=self.card(call, at), queue=offer.queue, agent=offer.agent, outcome=offer.outcome
        )

    def _held(self, call: Call, hold: Hold) -> CallEvent:
        at = hold.ended_at or hold.began_at
        agent = next((leg.party for leg in call.legs if leg.number == hold.leg), "")
        return events.CallHeld(at=at, call=self.card(call, at), agent=agent, on_hold=hold.ended_at is None)

    def _answered(self, call: Call) -> CallEvent:
        visit = open_visit(call)
        dial = call.dials[-1] if call.dials and visit is None else None
        at = (visit.answered_at if visit else dial.answered_at if dial else None) or self._now()
        return events.CallAnswered(
            at=at,
            call=self.card(call, at),
            agent=visit.agent if visit else dial.agent or None if dial else None,
            contact=dial.answered_by if dial and not dial.agent else None,
        )

    def _queue_left(self, fact: facts.QueueEnded) -> CallEvent:
        call, visit = fact.call, fact.visit
        assert visit.outcome is not None, "a visit that is complete has an outcome"
        at = visit.left_at or self._now()
        return events.QueueLeft(
            at=at,
            call=self.card(call, at),
            queue=visit.queue,
            outcome=visit.outcome,
            agent=visit.agent,
            offers=visit.offers,
            waited_seconds=visit.waiting_seconds(at),
            talked_seconds=max(0.0, visit.talk_seconds() - _held(call, visit)),
        )

    def _ended(self, call: Call) -> CallEvent:
        at = call.clocks.ended_at or self._now()
        return events.CallEnded(
            at=at,
            call=self.card(call, at),
            disposition=call.disposition,
            talked_seconds=call.talk_seconds(),
            hangup_cause=call.hangup_cause,
        )


def _state(recording: Recording) -> str:
    if recording.objected_at is not None:
        return "objected"
    if recording.ended_at is not None:
        return "over"
    return "running" if recording.paused_at is None else "paused"


def _held(call: Call, visit: QueueVisit) -> float:
    """Seconds for which the agents of a visit had the caller on hold."""
    since = visit.entered_at
    agents = (leg for leg in call.legs if leg.purpose is LegPurpose.AGENT and leg.answered_at is not None)
    return sum(leg.hold_seconds for leg in agents if leg.answered_at is not None and leg.answered_at >= since)
