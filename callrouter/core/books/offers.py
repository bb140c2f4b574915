"""Each ring of an agent for a caller, and how it ended, folded from what is heard of the agent's channel. Pure.

What Asterisk reports of one ring comes from several of its threads: in no fixed order, sometimes twice, and some of it
not at all. So nothing here depends on the order: what was heard is a set (`Heard`), times are the earliest of those
told, and the outcome is judged anew from the set whenever something is added (`_judge`). Measured on Asterisk 22.10
(queue of one PJSIP phone each, `ringinuse = no`):

    rang out        AgentRingNoAnswer (RingTime > 0), DialEnd NOANSWER, DialEnd CANCEL, Hangup with cause 0
    never rang      the same, without DialState RINGING before
    busy (486)      HangupRequest with cause 17, DialEnd NOANSWER, AgentRingNoAnswer (RingTime 0), Hangup with cause 17
    moved (302)     the same with cause 23
    caller left     DialEnd CANCEL, twice; Hangup with cause 0
    answered        DialEnd ANSWER, AgentConnect

DialEnd says NOANSWER of a refusal too, so only the cause tells it apart; and CANCEL of a ring that ran out, so it says
no more than that the ring is over. Who was quicker, or left, is known when the visit to the queue ends (`close`).

RingTime is a difference of two clock seconds (`app_queue.c`, wait_for_answer: `time(NULL)`), so a second too much or
too little: it dates only a ring of whose beginning nothing else is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from callrouter.core.call import Call, DialOutcome, Offer, OfferOutcome, QueueOutcome, replace
from callrouter.core.inputs import AgentAnswered, AgentOffered, LegHeard, LegSign


class Heard:
    """What was heard of an offer: bits of one number, which costs a twentieth of an IntFlag."""

    RANG: Final = 1
    UNANSWERED: Final = 2
    OVER: Final = 4
    """The ring was taken back, or the channel is no more."""
    HUNG_UP: Final = 8
    ANSWERED: Final = 16
    QUICKER: Final = 32
    """Another agent has the caller."""
    LEFT: Final = 64
    """The caller waits no more."""
    GUESSED: Final = 128
    """That it began was not heard: when it did is known by its end, to a second."""


_MEANS: Final[Mapping[LegSign, int]] = {
    LegSign.RANG: Heard.RANG,
    LegSign.UNANSWERED: Heard.UNANSWERED,
    LegSign.CANCELLED: Heard.OVER,
    LegSign.ENDED: Heard.OVER,
    LegSign.HUNG_UP: Heard.HUNG_UP,
}
_RANG, _UNANSWERED, _ANSWERED = Heard.RANG, Heard.UNANSWERED, Heard.ANSWERED
_ENDS: Final = ~_RANG
REFUSALS: Final = frozenset({17, 19, 21, 23})
"""Q.850 causes of a telephone that says no: busy (486, 600), does not answer (480: do not disturb), rejected (603),
moved (302). `res_pjsip_session.c`, hangup_cause of a SIP response."""
_ANSWERED_ELSEWHERE: Final = 26
_NOTHING_WRONG: Final = frozenset({0, 16, _ANSWERED_ELSEWHERE})
"""Causes of a ring that was taken back."""
_CLOSES: Final[Mapping[QueueOutcome, int]] = {
    QueueOutcome.ANSWERED: Heard.QUICKER,
    QueueOutcome.ABANDONED: Heard.LEFT,
    QueueOutcome.EXITED: Heard.LEFT,
}
"""What the end of a visit says of a ring of which nothing else is known; any other end is that of the queue's
patience."""
_USER_BUSY: Final = 17
_RING_ENDS: Final[Mapping[DialOutcome, tuple[int, int]]] = {
    DialOutcome.NO_ANSWER: (Heard.RANG | Heard.UNANSWERED, 0),
    DialOutcome.BUSY: (Heard.HUNG_UP, _USER_BUSY),
    DialOutcome.REFUSED: (Heard.HUNG_UP, _USER_BUSY),
    DialOutcome.ABANDONED: (Heard.LEFT, 0),
}
"""By how a colleague's ring ended: what was heard of it, and Q.850's cause; any other: their telephone never rang."""


def offer(call: Call, told: AgentOffered) -> Call:
    """An agent is rung; the same ring told again is the same offer."""
    place = _find(call, told.leg)
    if place is None:
        return _make(call, told.agent, told.queue, told.leg, told.at)
    known = call.offers[place]
    began_at = told.at if known.heard & Heard.GUESSED else min(known.began_at, told.at)
    return _put(call, place, replace(known, agent=told.agent, began_at=began_at, heard=known.heard & ~Heard.GUESSED))


def answer(call: Call, told: AgentAnswered) -> Call:
    """An agent has the caller: the others who are rung are not needed any more."""
    place = _find(call, told.leg)
    if place is None:
        place = next((at for at, one in _open(call) if one.agent == told.agent and not (one.leg and told.leg)), None)
    if place is None and not told.leg and any(_answered_by(one, told.agent) for one in call.offers):
        return call  # reported again, by somebody who does not know the channel
    if place is None:
        call = _make(call, told.agent, "", told.leg, told.at, Heard.GUESSED)
        place = len(call.offers) - 1
    call = _put(call, place, _heard(call.offers[place], Heard.ANSWERED, told.at))
    return _close_others(call, Heard.QUICKER, told.at)


def has_answered(call: Call, leg: str) -> bool:
    """Whether this channel is known to have had the caller."""
    place = _find(call, leg)
    return place is not None and call.offers[place].outcome is OfferOutcome.ANSWERED


def hear(call: Call, told: LegHeard) -> Call:
    """A sign of an agent's channel; of a channel that is nobody's it changes nothing."""
    place = _find(call, told.leg)
    if place is None:
        if not told.agent:
            return call
        call = _make(call, told.agent, told.queue, told.leg, _guessed(call, told), Heard.GUESSED)
        place = len(call.offers) - 1
    known = call.offers[place]
    if told.rang_seconds and known.heard & Heard.GUESSED:
        known = replace(known, began_at=min(known.began_at, _guessed(call, told)))
    return _put(call, place, _heard(known, _MEANS.get(told.sign, 0), told.at, told.cause))


def close(call: Call, outcome: QueueOutcome, at: datetime) -> Call:
    """The visit to the queue is over: so is every ring that belongs to it."""
    return _close_others(call, _CLOSES.get(outcome, Heard.UNANSWERED), at)


def ring_over(call: Call, outcome: DialOutcome, at: datetime) -> Call:
    """The ring of a colleague, whom no queue rings, is over; who has answered has answered."""
    for place, one in _open(call):
        what, cause = _RING_ENDS.get(outcome, (Heard.UNANSWERED, 0))
        call = _put(call, place, _heard(one, what, at, cause))
    return call


def open_offers(call: Call) -> tuple[Offer, ...]:
    """Those whose outcome is not known yet."""
    return tuple(one for one in call.offers if one.outcome is None)


def changed(before: Call, after: Call) -> tuple[list[Offer], list[Offer]]:
    """The offers that were made, and those that have an outcome, or another one, since."""
    if after.offers is before.offers:
        return [], []
    known = len(before.offers)
    made = [*after.offers[known:]]
    old: list[Offer | None] = [*before.offers, *(None for _ in made)]
    ended = [new for new, was in zip(after.offers, old, strict=True) if new.outcome and not _alike(new, was)]
    return made, ended


def _alike(new: Offer, was: Offer | None) -> bool:
    """Whether nothing of it changed that anybody keeps."""
    kept = None if was is None else (was.outcome, was.agent, was.began_at, was.ended_at)
    return kept == (new.outcome, new.agent, new.began_at, new.ended_at)


def _guessed(call: Call, told: LegHeard) -> datetime:
    """When a ring began of which the end was heard alone: not before the caller waited."""
    began_at = told.at - timedelta(seconds=told.rang_seconds)
    return max(began_at, call.queue_visits[-1].entered_at) if call.queue_visits else began_at


def _answered_by(one: Offer, agent: str) -> bool:
    return one.outcome is OfferOutcome.ANSWERED and one.agent == agent


def _open(call: Call) -> list[tuple[int, Offer]]:
    return [(place, one) for place, one in enumerate(call.offers) if one.outcome is None]


def _find(call: Call, leg: str) -> int | None:
    if leg:
        for place in range(len(call.offers) - 1, -1, -1):
            if call.offers[place].leg == leg:
                return place
    return None


def _make(call: Call, agent: str, queue: str, leg: str, began_at: datetime, heard: int = 0) -> Call:
    number = call.offers_made + 1
    if not queue and call.queue_visits:
        queue = call.queue_visits[-1].queue
    made = Offer(number=number, queue=queue, agent=agent, leg=leg, began_at=began_at, heard=heard)
    return replace(call, offers=(*call.offers, made), offers_made=number)


def _put(call: Call, place: int, one: Offer) -> Call:
    if one == call.offers[place]:
        return call
    return replace(call, offers=(*call.offers[:place], one, *call.offers[place + 1 :]))


def _heard(one: Offer, what: int, at: datetime, cause: int = 0) -> Offer:
    before = one.heard
    ended_at = one.ended_at
    if what & _ANSWERED and not before & _ANSWERED:
        ended_at = at
    elif what & _ENDS and (what & _ANSWERED or not before & _ANSWERED):
        ended_at = at if ended_at is None else min(ended_at, at)
    after = before | what
    if cause != one.cause:
        # Asterisk says a cause once it has one: what says that nothing is wrong gives way to it.
        cause = max(one.cause, cause, key=_weight)
    return replace(one, heard=after, cause=cause, ended_at=ended_at, outcome=_judge(after, cause))


def _weight(cause: int) -> tuple[bool, int]:
    return cause not in _NOTHING_WRONG, cause


def _judge(heard: int, cause: int) -> OfferOutcome | None:
    """The outcome by all that was heard; None while it rings, or while nobody can say why it does not any more."""
    if heard & _ANSWERED:
        return OfferOutcome.ANSWERED
    if cause in REFUSALS or (heard & Heard.HUNG_UP and cause in _NOTHING_WRONG):
        return OfferOutcome.REFUSED
    if cause not in _NOTHING_WRONG:
        return OfferOutcome.PHONE_FAILED
    if heard & _UNANSWERED:
        return OfferOutcome.RANG_OUT if heard & _RANG else OfferOutcome.PHONE_FAILED
    if heard & Heard.QUICKER or cause == _ANSWERED_ELSEWHERE:
        return OfferOutcome.ELSEWHERE
    return OfferOutcome.CALLER_LEFT if heard & Heard.LEFT else None


def _close_others(call: Call, what: int, at: datetime) -> Call:
    for place, one in _open(call):
        call = _put(call, place, _heard(one, what, at))
    return call
