"""Each party's side of a call: who it was, from when to when, how long on hold, and who hung up. Pure.

A conversation is measured on the channel of whoever was called (app_queue's own AgentComplete is
early, late, unnamed or absent): its answer, its Hold and Unhold, its HangupRequest and its end. Hold and Unhold do not
pair (a transfer or a hang-up on hold raises one without the other), so a second hold changes nothing, a resumption
without a hold changes nothing, and whoever is on hold at the end was on hold until then.

Who hung up: a party's own hang-up raises HangupRequest on their channel first. A channel that ends without it was ended
by somebody else, or by the system; so was one that is given up because its end answers no more (`LINE_FAILED`). A leg
is open until what it belongs to is over (`close`): until then the sign that says who hung up may still come.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callrouter.core.call import TOGETHER, Call, DialAttempt, EndedBy, Leg, LegPurpose, replace
from callrouter.core.inputs import LINE_FAILED, LegHeard, LegSign

_BY_THEM: Final = {
    LegPurpose.AGENT: EndedBy.AGENT,
    LegPurpose.CONTACT: EndedBy.CONTACT,
    LegPurpose.CONSULTATION: EndedBy.SYSTEM,
}
_TALK_TO_CALLERS: Final = (LegPurpose.AGENT, LegPurpose.CONTACT)


def begin_agent(call: Call, agent: str, at: datetime) -> Call:
    """An agent has the caller: by the offer they answered, which knows their channel."""
    offer = next((one for one in reversed(call.offers) if one.agent == agent and one.ended_at == at), None)
    leg, began_at = (offer.leg, offer.began_at) if offer else ("", at)
    if any(one.open and one.party == agent and (one.leg == leg or not (one.leg and leg)) for one in call.legs):
        return call  # told again, perhaps by somebody who does not know the channel
    return add(call, LegPurpose.AGENT, agent, leg=leg, began_at=began_at, answered_at=at)


def begin_colleague(call: Call, at: datetime, channel: str) -> Call:
    """An agent whom another agent gave the caller to has them."""
    dial = call.dials[-1] if call.dials else None
    if dial is None or any(one.open and one.party == dial.agent and one.leg == channel for one in call.legs):
        return call
    return add(call, LegPurpose.AGENT, dial.agent, leg=channel, began_at=dial.started_at, answered_at=at)


def begin_consultation(call: Call, consultation: str, party: str, at: datetime) -> Call:
    """Somebody is rung whom the agent wants to speak to."""
    if any(one.leg == consultation for one in call.legs):
        return call
    return add(call, LegPurpose.CONSULTATION, party, leg=consultation, began_at=at)


def answer_consultation(call: Call, consultation: str, party: str, at: datetime) -> Call:
    """They speak to each other; told again, and after its end, it changes nothing."""
    for place, one in enumerate(call.legs):
        if one.leg == consultation and one.open and one.answered_at is None:
            answered = replace(one, answered_at=at, party=party or one.party)
            return replace(call, legs=(*call.legs[:place], answered, *call.legs[place + 1 :]))
    return call


def begin_contact(call: Call, at: datetime, trunk: str = "", channel: str = "") -> Call:
    """Somebody who was dialled has the caller; `trunk` is the carrier by which they were reached."""
    dial = call.dials[-1] if call.dials else None
    if dial is None or any(one.open and one.purpose is LegPurpose.CONTACT for one in call.legs):
        return call
    party = dial.answered_by or dial.target
    call = add(call, LegPurpose.CONTACT, party, leg=channel, began_at=dial.started_at, answered_at=at)
    return replace(call, legs=(*call.legs[:-1], replace(call.legs[-1], identity=dial.shown, trunk=trunk)))


def unanswered_contacts(call: Call, dial: DialAttempt) -> Call:
    """Those who were dialled and did not take the call: each with what the network said."""
    failed = {one.leg: one for one in dial.failures}
    for place, name in enumerate(dial.target.split(TOGETHER)):
        if dial.answered_at is not None and place == dial.leg:
            continue
        call = add(call, LegPurpose.CONTACT, name, began_at=dial.started_at)
        failure = failed.get(place)
        ended = replace(
            call.legs[-1],
            ended_at=dial.ended_at,
            identity=dial.shown,
            cause=failure.cause if failure else 0,
            sip=failure.sip if failure else 0,
            trunk=failure.trunk if failure else "",
            open=False,
        )
        call = replace(call, legs=(*call.legs[:-1], ended))
    return call


def end_caller(call: Call, at: datetime, by: EndedBy | None) -> Call:
    """The caller's own leg, which is known as a whole when the call is over."""
    number = call.legs_made + 1
    ended = Leg(
        number=number,
        purpose=LegPurpose.CALLER,
        party="",
        began_at=call.clocks.ringing_at,
        answered_at=call.clocks.answered_at,
        ended_at=at,
        ended_by=by,
        cause=call.hangup_cause or 0,
        trunk=call.trunk,
        open=False,
    )
    return replace(call, legs=(*call.legs, ended), legs_made=number)


def hear(call: Call, told: LegHeard) -> Call:
    """A sign of a channel in a conversation; of any other it changes nothing."""
    for place, one in enumerate(call.legs):
        if one.open and one.leg and one.leg == told.leg:
            heard = _heard(one, told)
            return call if heard is one else replace(call, legs=(*call.legs[:place], heard, *call.legs[place + 1 :]))
    return call


def close(call: Call, purpose: LegPurpose, at: datetime, by: EndedBy | None) -> Call:
    """What the open legs of this purpose belong to is over; `by` is who ended it, unless they hung up themselves.

    None: the caller was given to somebody else, or nobody knows.
    """
    if not any(one.open and one.purpose is purpose for one in call.legs):
        return call
    legs = tuple(_closed(one, at, by) if one.open and one.purpose is purpose else one for one in call.legs)
    held = sum(new.hold_seconds for new, was in zip(legs, call.legs, strict=True) if new is not was)
    return replace(call, legs=legs, held_seconds=call.held_seconds + held)


def left(call: Call) -> Call:
    """Whoever the caller talked to has hung up, though nobody saw it."""
    legs = tuple(
        replace(one, hung_up=True) if one.open and one.purpose in _TALK_TO_CALLERS else one for one in call.legs
    )
    return replace(call, legs=legs)


def closed(before: Call, after: Call) -> list[Leg]:
    """The legs that are over since."""
    if after.legs is before.legs:
        return []
    was_open = {one.number for one in before.legs if not one.open}
    return [one for one in after.legs if not one.open and one.number not in was_open]


def open_legs(call: Call) -> tuple[Leg, ...]:
    """Those of conversations that go on."""
    return tuple(one for one in call.legs if one.open)


def add(
    call: Call,
    purpose: LegPurpose,
    party: str,
    *,
    leg: str = "",
    began_at: datetime,
    answered_at: datetime | None = None,
) -> Call:
    """One more leg."""
    number = call.legs_made + 1
    made = Leg(number=number, purpose=purpose, party=party, leg=leg, began_at=began_at, answered_at=answered_at)
    return replace(call, legs=(*call.legs, made), legs_made=number)


def _heard(one: Leg, told: LegHeard) -> Leg:
    match told.sign:
        case LegSign.HELD if one.held_at is None and one.ended_at is None:
            return replace(one, held_at=told.at, holds=one.holds + 1)
        case LegSign.RESUMED if one.held_at is not None:
            return _resumed(one, told.at)
        case LegSign.HUNG_UP:
            hung_up = one.hung_up or told.cause not in LINE_FAILED
            return replace(one, hung_up=hung_up, cause=one.cause or told.cause)
        case LegSign.ENDED if one.ended_at is None:
            return replace(_resumed(one, told.at), ended_at=told.at, cause=told.cause or one.cause)
        case _:
            return one


def _resumed(one: Leg, at: datetime) -> Leg:
    if one.held_at is None:
        return one
    held = max(0.0, (at - one.held_at).total_seconds())
    return replace(one, held_at=None, hold_seconds=one.hold_seconds + held)


def _closed(one: Leg, at: datetime, by: EndedBy | None) -> Leg:
    them = _BY_THEM[one.purpose]
    if not one.hung_up and one.leg and by is them:
        by = EndedBy.SYSTEM  # their channel is known, and they did not hang up
    one = _resumed(one, at)
    ended_by = them if one.hung_up else by
    return replace(one, ended_at=one.ended_at or at, ended_by=ended_by, open=False)
