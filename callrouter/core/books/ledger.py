"""Keeping the books of a call: who answered, what is still open, and the one disposition at the end."""

from __future__ import annotations

from datetime import datetime

from callrouter.core.call import (
    Call,
    CallState,
    DialAttempt,
    DialOutcome,
    Disposition,
    LegFailure,
    QueueOutcome,
    QueueVisit,
    replace,
)

MAX_FAILURES = 8
"""What is kept of those who were rung at once and not reached: they travel with the call."""
FALLBACK_QUEUE = "(fallback)"
"""Stands for whatever queue or number Asterisk's own dialplan rang while it had the call."""


def note_agent_offered(call: Call, at: datetime) -> Call:
    """One more agent is being rung for the visit that is open."""
    visit = _open_queue_visit(call)
    if visit is None or visit.answered_at:
        return call
    offered = replace(visit, offers=visit.offers + 1, offered_at=visit.offered_at or at)
    clocks = replace(call.clocks, offered_at=call.clocks.offered_at or at)
    return replace(call, queue_visits=(*call.queue_visits[:-1], offered), clocks=clocks)


def note_leg_failed(call: Call, failure: LegFailure) -> Call:
    """Somebody who is being rung could not be reached; of one leg the first answer stands."""
    dial = _open_dial(call)
    if dial is None or any(one.leg == failure.leg for one in dial.failures) or len(dial.failures) >= MAX_FAILURES:
        return call
    return replace(call, dials=(*call.dials[:-1], replace(dial, failures=(*dial.failures, failure))))


def bridge(call: Call, at: datetime, agent: str | None, leg: int = 0) -> Call:
    """A human is on the line: an agent (named), or somebody of the client's (None), by the leg of those rung.

    Whoever is recorded as having answered is not replaced: a call adrift may report its answer twice.
    """
    since = _unattended_since(call, at)
    call = _dial_answered(call, since, at, leg) if agent is None else _queue_answered(call, since, at, agent)
    clocks = replace(
        call.clocks,
        bridged_at=call.clocks.bridged_at or at,
        entered_service_at=call.clocks.entered_service_at or since,
    )
    state = call.state if call.state is CallState.ADRIFT else CallState.CONNECTED
    return replace(call, clocks=clocks, state=state)


def _unattended_since(call: Call, at: datetime) -> datetime:
    """When Asterisk's fallback began to ring somebody for a call adrift: the last visit is the note of the loss."""
    return min(call.visits[-1].at, at) if call.state is CallState.ADRIFT and call.visits else at


def leave_other(call: Call, at: datetime, agent: str | None) -> tuple[Call, QueueVisit | None, DialAttempt | None]:
    """A call adrift is answered, perhaps by somebody else than it waited for: that wait ended when control was lost.

    A number that answers then is the fallback's: whom we dialled, Asterisk has left.

    Returns the call and the completed visit or attempt, as `close_open_visits` does.
    """
    since = _unattended_since(call, at)
    visit, attempt = _open_queue_visit(call), _open_dial(call)
    if agent is None and visit is not None and visit.answered_at is None:
        visit = replace(visit, left_at=max(since, visit.entered_at), outcome=QueueOutcome.FAILED)
        return replace(call, queue_visits=(*call.queue_visits[:-1], visit)), visit, None
    if attempt is not None and attempt.answered_at is None:
        attempt = replace(attempt, ended_at=max(since, attempt.started_at), outcome=DialOutcome.FAILED)
        return replace(call, dials=(*call.dials[:-1], attempt)), None, attempt
    return call, None, None


def _dial_answered(call: Call, since: datetime, at: datetime, leg: int) -> Call:
    dial = _open_dial(call)
    if dial is None:
        return replace(call, dials=(*call.dials, DialAttempt(target=FALLBACK_QUEUE, started_at=since, answered_at=at)))
    if dial.answered_at is not None:
        return call
    return replace(call, dials=(*call.dials[:-1], replace(dial, answered_at=at, leg=leg)))


def _queue_answered(call: Call, since: datetime, at: datetime, agent: str) -> Call:
    visit = _open_queue_visit(call)
    if visit is None:
        rung = sum(1 for one in call.offers if one.began_at >= since)
        visit = QueueVisit(queue=FALLBACK_QUEUE, entered_at=since, offers=rung)
        call = replace(call, queue_visits=(*call.queue_visits, visit))
    elif visit.answered_at:
        return call
    answered = replace(visit, agent=agent, answered_at=at, offers=visit.offers or 1, offered_at=visit.offered_at or at)
    clocks = replace(call.clocks, offered_at=call.clocks.offered_at or at)
    return replace(call, queue_visits=(*call.queue_visits[:-1], answered), clocks=clocks)


def close_open_visits(
    call: Call,
    at: datetime,
    *,
    queue: QueueOutcome = QueueOutcome.ABANDONED,
    dial: DialOutcome = DialOutcome.ABANDONED,
) -> tuple[Call, QueueVisit | None, DialAttempt | None]:
    """Complete the visit and the dial still open, if any, and say which they were.

    Whoever was answered was answered, whatever the switch calls the end; and who was not, was not.
    """
    visit, attempt = _open_queue_visit(call), _open_dial(call)
    if visit is not None:
        if visit.answered_at:
            queue = QueueOutcome.ANSWERED
        elif queue is QueueOutcome.ANSWERED:
            queue = QueueOutcome.FAILED
        visit = replace(visit, left_at=at, outcome=queue)
        call = replace(call, queue_visits=(*call.queue_visits[:-1], visit))
    if attempt is not None:
        if attempt.answered_at:
            dial = DialOutcome.ANSWERED
        elif dial is DialOutcome.ANSWERED:
            dial = DialOutcome.FAILED
        attempt = replace(attempt, ended_at=at, outcome=dial)
        call = replace(call, dials=(*call.dials[:-1], attempt))
    return call, visit, attempt


def conclude(call: Call) -> Disposition:
    """The one final outcome of a call that is over.

    What a human or the caller did comes first, then what the tree decided, then how far the caller had come. A
    caller who entered service and reached nobody is abandoned, whoever ended the call.
    """
    if call.earlier.agent is not None or any(visit.answered_at for visit in call.queue_visits):
        return Disposition.ANSWERED
    if any(dial.answered_at and dial.agent for dial in call.dials):
        return Disposition.ANSWERED
    if call.earlier.redirected or any(dial.answered_at for dial in call.dials):
        return Disposition.REDIRECTED
    if call.messages or call.callbacks:
        return Disposition.MESSAGE_LEFT
    if call.verdict:
        return call.verdict
    if call.offered:
        return Disposition.ABANDONED
    return Disposition.SELF_SERVED if call.state is CallState.HANGING_UP else Disposition.LEFT_EARLY


def _open_queue_visit(call: Call) -> QueueVisit | None:
    if call.queue_visits and call.queue_visits[-1].left_at is None:
        return call.queue_visits[-1]
    return None


def _open_dial(call: Call) -> DialAttempt | None:
    if call.dials and call.dials[-1].ended_at is None:
        return call.dials[-1]
    return None
