"""An agent consults somebody while their caller is on hold, and gives them the caller, or does not. Pure.

Whom they consult has a leg of their own (`consultation`), from the ring to the end of it; it is timed by that leg. What
the agent's telephone does with the caller meanwhile is hold, on the agent's own leg, so that talk has neither in it.
"""

from __future__ import annotations

from callrouter.core.books import legs
from callrouter.core.call import Call, CallState, DialAttempt, LegPurpose, QueueVisit, Visit, replace
from callrouter.core.inputs import ConsultationHeard, ConsultationSign
from callrouter.core.transfers.waits import given_away

ANNOUNCED = "announced"
"""How the caller changed hands."""


def hear(call: Call, told: ConsultationHeard) -> Call:
    """A consultation began, was answered, or is over; what is not known, or is told again, changes nothing."""
    match told.sign:
        case ConsultationSign.BEGAN:
            return legs.begin_consultation(call, told.consultation, told.party, told.at)
        case ConsultationSign.ANSWERED:
            return legs.answer_consultation(call, told.consultation, told.agent or told.party, told.at)
        case _:
            return _over(call, told)


def _over(call: Call, told: ConsultationHeard) -> Call:
    for place, one in enumerate(call.legs):
        if one.leg == told.consultation and one.purpose is LegPurpose.CONSULTATION and one.open:
            ended = replace(one, ended_at=told.at, open=False)
            return replace(call, legs=(*call.legs[:place], ended, *call.legs[place + 1 :]))
    return call


def wait_instead(call: Call, told: ConsultationHeard, by: str) -> Call:
    """The caller waits for whom the agent rang: in the same wait of the same node, which nobody commands."""
    because = f"to {told.party}{f' by {by}' if by else ''}: before they answered"
    note = Visit(node=call.node, exit="transferred", because=because, at=told.at)
    call = given_away(replace(call, visits=(*call.visits, note)))
    if told.queue:
        visit = QueueVisit(queue=told.queue, entered_at=told.at)
        return replace(call, state=CallState.QUEUED, queue_visits=(*call.queue_visits, visit))
    attempt = DialAttempt(target=told.agent or told.party, started_at=told.at, agent=told.agent)
    return replace(call, state=CallState.DIALLING, dials=(*call.dials, attempt))


def change_hands(call: Call, told: ConsultationHeard, by: str) -> Call:
    """Who was consulted has the caller from now on: a conversation of their own, in the same wait of the same node."""
    party = told.agent or told.party
    attempt = DialAttempt(target=party, started_at=told.at, answered_at=told.at, agent=told.agent)
    because = f"to {party}{f' by {by}' if by else ''}: {ANNOUNCED}"
    note = Visit(node=call.node, exit="transferred", because=because, at=told.at)
    call = replace(call, dials=(*call.dials, attempt), visits=(*call.visits, note))
    if told.agent:
        return legs.begin_colleague(call, told.at, told.channel)
    return legs.begin_contact(call, told.at, channel=told.channel)
