"""Why a call ended where it did, as lines a person reads; the CLI, the API and the tests share it.

14:02:11  hours → closed (Sat 14:02)
14:02:19  night → key:1 (key 1)
14:02:41  take_message → done (hung_up, 14 s)
14:02:41  has left a message of 14 s for email_doctor
14:02:41  ended: message_left

The node the caller was in when they hung up stands there without an exit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from callrouter.core.books import recordings, supervision
from callrouter.core.call import (
    TAKEN_OVER,
    TOGETHER,
    Call,
    DialAttempt,
    Hold,
    Leg,
    LegPurpose,
    Offer,
    OfferOutcome,
    QueueVisit,
    Visit,
)
from callrouter.core.effects import EnterQueue
from callrouter.core.plan import Plan

Entry = tuple[datetime, int, str]
_PASSED, _ENDED, _ARRIVED, _BEGUN = range(4)
"""In which order things stand that happened in one instant."""


_STAMPS = (recordings.STAMP, supervision.STAMP, TAKEN_OVER)
"""What is noted at a node that the caller is in."""


def explain(call: Call, plan: Plan | None = None, timezone: str | None = None) -> list[str]:
    """The call's story in the client's own time, the plan's unless `timezone` names it; UTC when nothing does.

    With the plan, each node's line is named.
    """
    zone = ZoneInfo(timezone or (plan.timezone if plan else "UTC"))
    entries: list[Entry] = [(visit.at, _PASSED, passage(visit, plan)) for visit in call.visits]
    if call.node and (not call.visits or call.visits[-1].node != call.node):
        came_at = call.visits[-1].at if call.visits else call.clocks.ringing_at
        entries.append((came_at, _ARRIVED, plan.where(call.node) if plan else call.node))
    for queue_visit in call.queue_visits:
        entries += _queue_visit(queue_visit, _whom(queue_visit, call, plan) if plan else "")
    entries += [_offer(offer) for offer in call.offers if offer.outcome is not OfferOutcome.ANSWERED]
    entries += [(leg.began_at, _PASSED, f"came by {leg.trunk}") for leg in _by_carriers(call, LegPurpose.CALLER)]
    carriers = {(leg.began_at, leg.party): leg.trunk for leg in _by_carriers(call, LegPurpose.CONTACT)}
    for dial in call.dials:
        entries += _dial(dial, carriers)
    entries += [_hold(call, hold) for hold in call.holds if hold.ended_at]
    entries += [_conversation(leg) for leg in call.legs if leg.purpose is LegPurpose.AGENT and leg.ended_at]
    entries += [_consultation(leg) for leg in call.legs if leg.purpose is LegPurpose.CONSULTATION]
    for message in call.messages:
        spoken_at = message.started_at + timedelta(seconds=message.seconds)
        what = f"form {message.form}" if message.form else f"a message of {message.seconds:.0f} s"
        entries.append((spoken_at, _ENDED, f"has left {what}{_for(message.deliver)}"))
    lines = [f"{_clock(at, zone)}  {text}" for at, _, text in sorted(entries, key=lambda entry: entry[:2])]
    if call.earlier.attempts:
        lines.insert(
            0, f"({call.earlier.attempts} earlier queues and dials, {call.earlier.waiting_seconds:.0f} s of waiting)"
        )
    if call.visits_dropped:
        lines.insert(0, f"({call.visits_dropped} earlier steps are no longer known)")
    if call.disposition:
        lines.append(f"{_clock(call.clocks.ended_at or call.clocks.ringing_at, zone)}  ended: {call.disposition}")
    return lines


def nodes_reached(call: Call) -> list[str]:
    """The nodes passed, and the one the call is in or ended in: a caller who hangs up leaves it by no exit."""
    names = [visit.node for visit in call.visits if visit.exit not in _STAMPS]
    return names if not call.node or names[-1:] == [call.node] else [*names, call.node]


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"


def passage(visit: Visit, plan: Plan | None) -> str:
    """One passage through a node: its place, the exit taken, and what decided it."""
    place = plan.where(visit.node) if plan else visit.node
    because = f" ({visit.because})" if visit.because else ""
    return f"{place} → {visit.exit}{because}"


def _for(contact: str) -> str:
    return f" for {contact}" if contact else ""


def _whom(visit: QueueVisit, call: Call, plan: Plan) -> str:
    """Whom of the team the client wants where the caller waited: at the next node that they left and that has them wait
    there, or the one they are in.
    """
    left = [one.node for one in call.visits if one.at >= visit.entered_at]
    for name in (*left, call.node):
        node = plan.nodes.get(name)
        for effect in node.about().does if node else ():
            if isinstance(effect, EnterQueue) and effect.queue == visit.queue:
                return f" ({effect.preference})" if effect.preference else ""
    return ""


def _queue_visit(visit: QueueVisit, whom: str) -> list[Entry]:
    lines = [(visit.entered_at, _BEGUN, f"waits in queue {visit.queue}{whom}")]
    if visit.answered_at:
        waited = (visit.answered_at - visit.entered_at).total_seconds()
        lines.append((visit.answered_at, _ENDED, f"answered by {visit.agent or 'somebody'} after {waited:.0f} s"))
    if visit.left_at and visit.outcome:
        lines.append((visit.left_at, _ENDED, f"leaves queue {visit.queue}: {visit.outcome}"))
    return lines


def _offer(offer: Offer) -> Entry:
    """A ring that nobody answered; the one that was answered stands in the visit."""
    if offer.ended_at is None:
        return offer.began_at, _BEGUN, f"{offer.agent} is rung"
    why = f" (cause {offer.cause})" if offer.outcome is OfferOutcome.PHONE_FAILED and offer.cause else ""
    outcome = offer.outcome or "not known"
    return offer.ended_at, _ENDED, f"{offer.agent} was rung for {offer.ring_seconds():.0f} s: {outcome}{why}"


def _conversation(leg: Leg) -> Entry:
    """How long an agent had the caller, and who hung up."""
    held = f", {leg.hold_seconds:.0f} s on hold" if leg.hold_seconds >= 1 else ""
    by = f"; hung up by {leg.ended_by}" if leg.ended_by else ""
    at = leg.ended_at or leg.began_at
    return at, _ENDED, f"talked to {leg.party or 'somebody'} for {leg.talk_seconds():.0f} s{held}{by}"


def _hold(call: Call, hold: Hold) -> Entry:
    who = next((leg.party for leg in call.legs if leg.number == hold.leg), "")
    return hold.ended_at or hold.began_at, _ENDED, f"was on hold for {hold.seconds():.0f} s by {who or 'somebody'}"


def _consultation(leg: Leg) -> Entry:
    """Whom an agent consulted, and for how long."""
    at, party = leg.ended_at or leg.began_at, leg.party or "somebody"
    if leg.answered_at is None:
        return at, _ENDED, f"consultation of {party}: not answered"
    return at, _ENDED, f"consulted {party} for {leg.talk_seconds():.0f} s"


def _by_carriers(call: Call, purpose: LegPurpose) -> list[Leg]:
    return [leg for leg in call.legs if leg.purpose is purpose and leg.trunk]


Carriers = Mapping[tuple[datetime, str], str]
"""By which carrier somebody was reached, by when they were rung and who they are."""


def _dial(dial: DialAttempt, carriers: Carriers) -> list[Entry]:
    as_whom = f" as {dial.shown}" if dial.shown else ""
    lines = [(dial.started_at, _BEGUN, f"rings {dial.target}{as_whom}")]
    if dial.answered_at:
        by = _by(dial, dial.leg, carriers)
        lines.append((dial.answered_at, _ENDED, f"{dial.answered_by}: accepted{by and f' ({by})'}"))
    if dial.ended_at and dial.outcome:
        lines.append(
            (dial.ended_at, _ENDED, f"{dial.answered_by or dial.target}: {dial.outcome}{_network(dial, carriers)}")
        )
    return lines


def _by(dial: DialAttempt, leg: int, carriers: Carriers) -> str:
    trunk = carriers.get((dial.started_at, dial.name_of(leg)))
    return f"by {trunk}" if trunk else ""


def _network(dial: DialAttempt, carriers: Carriers) -> str:
    """What the network answered for those who were not reached."""
    several = TOGETHER in dial.target
    answers = [
        (f"{dial.name_of(one.leg)} " if several else "")
        + " ".join(
            part
            for part in (
                one.sip and f"SIP {one.sip}",
                one.cause and f"cause {one.cause}",
                _by(dial, one.leg, carriers),
            )
            if part
        )
        for one in dial.failures
    ]
    return f" (the network answered: {', '.join(answers)})" if answers else ""
