"""What is heard of people, as it changes the record: who is rung, who talks, who is consulted, who listens in.

Each fact is concluded once, from what stood in the books before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from callrouter.core import facts as fact
from callrouter.core import inputs
from callrouter.core.books import holds, legs, offers, recordings, supervision
from callrouter.core.books.ledger import (
    bridge,
    close_open_visits,
    leave_other,
    note_agent_offered,
    note_leg_failed,
)
from callrouter.core.call import (
    Call,
    CallState,
    DialAttempt,
    DialOutcome,
    EndedBy,
    Leg,
    LegPurpose,
    QueueOutcome,
    QueueVisit,
    replace,
)
from callrouter.core.steps.turn import Turn
from callrouter.core.transfers import consultations
from callrouter.core.transfers.targets import COLLEAGUE, CONTACT, NUMBER, TEAM

_WHOEVER_WAS_CALLED: Mapping[LegPurpose, EndedBy] = {
    LegPurpose.AGENT: EndedBy.AGENT,
    LegPurpose.CONTACT: EndedBy.CONTACT,
}
"""Who ended a conversation after which the caller is still there."""
GIVEN_AWAY: Mapping[LegPurpose, EndedBy] = {}
"""Nobody did: the caller was given to somebody else."""
ENDED_BY: Mapping[EndedBy | None, Mapping[LegPurpose, EndedBy]] = {
    None: {},
    **{by: dict.fromkeys(LegPurpose, by) for by in EndedBy},
}
"""All of them by one."""
_CHANGES_HANDS = frozenset({inputs.ConsultationSign.COMPLETED, inputs.ConsultationSign.GIVEN})
"""Signs after which the agent has the caller no more."""


def rung(
    call: Call, heard: inputs.LegHeard | inputs.AgentOffered | inputs.LegFailed | inputs.ConsultationHeard
) -> Turn:
    """More was heard of those who are rung: the books change, and nothing is asked for."""
    if isinstance(heard, inputs.ConsultationHeard):
        return _consulted(call, heard)
    if isinstance(heard, inputs.LegFailed):
        return Turn(call=replace(note_leg_failed(call, heard.failure), revision=call.revision.next()))
    if isinstance(heard, inputs.LegHeard):
        after = legs.hear(offers.hear(call, heard), heard)
    else:
        after = offers.offer(call, heard)
    if after is call:
        return Turn(call=call)
    after, held = holds.noted(call, after)
    after, left = supervision.closed(call, after, heard.at)
    after, told = _note_offers(call, replace(after, revision=call.revision.next()), heard.at)
    told += [fact.HoldNoted(call=after, hold=one) for one in held]
    if left:
        told += supervisors_left(call, after, left)
    return Turn(call=after, facts=tuple(told))


def supervised(call: Call, told: inputs.SupervisorTold) -> Turn:
    """A supervisor joins, does something else, or has the caller from now on."""
    after = supervision.hear(call, told)
    if after is call:
        return Turn(call=call)
    if told.mode is inputs.SupervisionMode.TAKE_OVER:
        return _taken_over(after, told)
    after = replace(after, revision=call.revision.next())
    return Turn(call=after, facts=(fact.SupervisionNoted(call=after, party=told.party, mode=told.mode, at=told.at),))


def _taken_over(call: Call, told: inputs.SupervisorTold) -> Turn:
    """The first agent's conversation is over, by nobody's hang-up; the supervisor's begins."""
    facts: list[fact.Fact] = []
    call = end_consultation(facts, call, told.at)
    closed = note_closed(facts, close_open_visits(call, told.at), GIVEN_AWAY)
    after = supervision.take_over(closed, told)
    after = replace(after, revision=after.revision.next())
    return Turn(
        call=after,
        facts=(
            *facts,
            *[fact.LegEnded(call=after, leg=one) for one in legs.closed(closed, after)],
            fact.SupervisionNoted(call=after, party=told.party, mode=told.mode, at=told.at),
            fact.Bridged(call=after),
        ),
    )


def supervisors_left(before: Call, after: Call, left: list[Leg]) -> list[fact.Fact]:
    """What is known of supervisors who left with a conversation."""
    ended: list[fact.Fact] = [fact.LegEnded(call=after, leg=one) for one in legs.closed(before, after)]
    at = after.clocks.ringing_at
    return ended + [fact.SupervisionNoted(call=after, party=one.party, mode="", at=one.ended_at or at) for one in left]


def recording_noted(before: Call, after: Call) -> Turn:
    """More is known of the recording of the conversation, which goes on."""
    if after is before:
        return Turn(call=before)
    after = replace(after, revision=before.revision.next())
    return Turn(call=after, facts=tuple(recordings_changed(before, after)))


def recordings_changed(before: Call, after: Call) -> list[fact.Fact]:
    """What is known since of recordings."""
    return [fact.RecordingNoted(call=after, recording=one) for one in recordings.changed(before, after)]


def _note_offers(before: Call, after: Call, at: datetime) -> tuple[Call, list[fact.Fact]]:
    """The call with the rings of its visit counted, and what was made or ended since `before`."""
    made, ended = offers.changed(before, after)
    for _ in made:
        after = note_agent_offered(after, at)
    told: list[fact.Fact] = [fact.OfferMade(call=after, offer=one) for one in made]
    return after, told + [fact.OfferEnded(call=after, offer=one) for one in ended]


def agent_answered(call: Call, told: inputs.AgentAnswered) -> Turn:
    """An agent has the caller, told by the switch: once for each channel."""
    if offers.has_answered(call, told.leg):
        return Turn(call=call)  # told again, perhaps after that conversation: no channel answers twice
    known = replace(offers.answer(call, told), revision=call.revision.next())
    after, rung = _note_offers(call, known, told.at)
    turn = bridged(after, told.at, told.agent)
    entered = tuple(one for one in turn.facts if type(one) is not fact.Bridged)
    return Turn(call=turn.call, facts=(*entered, *rung, *turn.facts[len(entered) :]))


def bridged(call: Call, at: datetime, agent: str | None, leg: int = 0, channel: str = "", trunk: str = "") -> Turn:
    """Somebody answered; a queue we did not send the caller to (the fallback's) is entered only now.

    A call adrift may be told again who has it: that is no news.
    """
    told: list[fact.Fact] = []
    if call.state is CallState.ADRIFT:
        call = note_closed(told, leave_other(call, at, agent))
    after = replace(bridge(call, at, agent, leg), revision=call.revision.next())
    if agent is not None:
        after = legs.begin_agent(after, agent, at)
    elif after.dials[-1].agent:
        after = legs.begin_colleague(after, at, channel)
        after = _colleague_answered(told, after, at)
    else:
        after = legs.begin_contact(after, at, trunk)
    known, after = after, recordings.begin(after, at)
    told += recordings_changed(known, after)
    if len(after.queue_visits) > len(call.queue_visits):
        told.append(fact.QueueEntered(call=after, visit=after.queue_visits[-1]))
    if after.legs_made > call.legs_made:
        told.append(fact.Bridged(call=after))
    return Turn(call=after, facts=tuple(told))


def _colleague_answered(told: list[fact.Fact], call: Call, at: datetime) -> Call:
    answered = offers.answer(call, inputs.AgentAnswered(agent=call.dials[-1].agent, at=at))
    told += [fact.OfferEnded(call=answered, offer=one) for one in offers.changed(call, answered)[1]]
    return answered


def _consulted(call: Call, told: inputs.ConsultationHeard) -> Turn:
    """An agent consults somebody, or has given them the caller: the caller waits for nothing meanwhile."""
    by = call.agent or ""
    heard = consultations.hear(call, told)
    facts: list[fact.Fact] = [fact.LegEnded(call=heard, leg=one) for one in legs.closed(call, heard)]
    if told.sign not in _CHANGES_HANDS:
        if heard is call:
            return Turn(call=call)
        heard = replace(heard, revision=heard.revision.next())
        changed = fact.ConsultationChanged(call=heard, by=by, party=told.agent or told.party, sign=told.sign)
        return Turn(call=heard, facts=(*facts, changed))
    closed = note_closed(facts, close_open_visits(heard, told.at), GIVEN_AWAY)
    given = told.sign is inputs.ConsultationSign.GIVEN
    after = consultations.wait_instead(closed, told, by) if given else consultations.change_hands(closed, told, by)
    after = replace(after, revision=after.revision.next())
    facts += [
        fact.NodeVisited(call=after, visit=after.visits[-1]),
        fact.CallTransferred(
            call=after, by=by, target=told.agent or told.party, kind=_kind_of_party(told), announced=True
        ),
    ]
    if given and told.queue:
        facts.append(fact.QueueEntered(call=after, visit=after.queue_visits[-1]))
    elif not given:
        facts.append(fact.Bridged(call=after))
    return Turn(call=after, facts=tuple(facts))


def _kind_of_party(told: inputs.ConsultationHeard) -> str:
    if told.agent or told.queue:
        return COLLEAGUE if told.agent else TEAM
    return NUMBER if told.party.startswith("+") else CONTACT


def end_consultation(facts: list[fact.Fact], call: Call, at: datetime) -> Call:
    """Whom the agent still speaks to, they speak to without a caller."""
    closed = legs.close(call, LegPurpose.CONSULTATION, at, None)
    facts += [fact.LegEnded(call=closed, leg=one) for one in legs.closed(call, closed)]
    return closed


def note_closed(
    facts: list[fact.Fact],
    closed: tuple[Call, QueueVisit | None, DialAttempt | None],
    by: Mapping[LegPurpose, EndedBy] = _WHOEVER_WAS_CALLED,
) -> Call:
    """Note what is complete; `by` is who ended a conversation that it belongs to, as far as that is known."""
    call, visit, dial = closed
    before = call
    if visit:
        at = visit.left_at or visit.entered_at
        call = close_offers(facts, call, visit.outcome or QueueOutcome.FAILED, at)
        call = legs.close(call, LegPurpose.AGENT, at, by.get(LegPurpose.AGENT))
    if dial and dial.agent:
        at = dial.ended_at or dial.started_at
        rung = offers.ring_over(call, dial.outcome or DialOutcome.FAILED, at)
        facts += [fact.OfferEnded(call=rung, offer=one) for one in offers.changed(call, rung)[1]]
        call = legs.close(rung, LegPurpose.AGENT, at, by.get(LegPurpose.AGENT))
    elif dial:
        at = dial.ended_at or dial.started_at
        call = legs.close(call, LegPurpose.CONTACT, at, by.get(LegPurpose.CONTACT))
        call = legs.unanswered_contacts(call, dial)
    if visit and by is not GIVEN_AWAY:  # else the recording goes on with whoever has the caller then
        call = recordings.close(call, visit.left_at or visit.entered_at)
    call, held = holds.noted(before, call)
    facts += [fact.HoldNoted(call=call, hold=one) for one in held]
    facts += recordings_changed(before, call)
    if visit:
        facts.append(fact.QueueEnded(call=call, visit=visit))
    if dial:
        facts.append(fact.DialFinished(call=call, dial=dial))
    facts += [fact.LegEnded(call=call, leg=one) for one in legs.closed(before, call)]
    return call


def close_offers(facts: list[fact.Fact], call: Call, outcome: QueueOutcome, at: datetime) -> Call:
    """No ring of a visit goes on after it; `outcome` is the visit's."""
    closed = offers.close(call, outcome, at)
    facts += [fact.OfferEnded(call=closed, offer=one) for one in offers.changed(call, closed)[1]]
    return closed
