"""The one disposition of a call: what comes first when several things happened."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from callrouter.core.books.ledger import bridge, close_open_visits, conclude, note_agent_offered
from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Earlier,
    Message,
    QueueOutcome,
    QueueVisit,
    replace,
)
from callrouter.testing import TUESDAY_10

AT = TUESDAY_10
CALL = Call(
    call_id="1",
    client="acme",
    plan_version="0",
    did="+33199000010",
    caller=CallerId(),
    state=CallState.PLAYING,
    clocks=Clocks(ringing_at=AT),
)
QUEUED = QueueVisit(queue="sales", entered_at=AT)
ANSWERED = replace(QUEUED, answered_at=AT, agent="agent-1")
RINGING = DialAttempt(target="doctor", started_at=AT)
ACCEPTED = replace(RINGING, answered_at=AT)
MESSAGE = Message(recording="1-0", node="message", deliver="", started_at=AT, seconds=5)


@pytest.mark.parametrize(
    ("queue", "dial", "message", "verdict", "state"),
    [
        *product(
            [None, QUEUED, ANSWERED],
            [None, RINGING, ACCEPTED],
            [None, MESSAGE],
            [None, Disposition.REJECTED, Disposition.FAILED],
            [CallState.PLAYING, CallState.HANGING_UP],
        )
    ],
)
def test_precedence(
    queue: QueueVisit | None,
    dial: DialAttempt | None,
    message: Message | None,
    verdict: Disposition | None,
    state: CallState,
) -> None:
    """answered > redirected > message left > the tree's verdict > abandoned > self served or left early."""
    call = replace(
        CALL,
        state=state,
        queue_visits=(queue,) if queue else (),
        dials=(dial,) if dial else (),
        messages=(message,) if message else (),
        verdict=verdict,
        clocks=replace(CALL.clocks, entered_service_at=AT if queue or dial else None),
    )
    table = [
        (queue is ANSWERED, Disposition.ANSWERED),
        (dial is ACCEPTED, Disposition.REDIRECTED),
        (message is not None, Disposition.MESSAGE_LEFT),
        (verdict is not None, verdict),
        (bool(queue or dial), Disposition.ABANDONED),
        (state is CallState.HANGING_UP, Disposition.SELF_SERVED),
        (True, Disposition.LEFT_EARLY),
    ]

    assert conclude(call) is next(outcome for holds, outcome in table if holds)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (Earlier(attempts=1, agent="agent-1"), Disposition.ANSWERED),
        (Earlier(attempts=1, agent="", redirected=True), Disposition.ANSWERED),
        (Earlier(attempts=1, redirected=True), Disposition.REDIRECTED),
        (Earlier(attempts=1), Disposition.ABANDONED),
    ],
)
def test_precedence_of_what_was_summed_up(earlier: Earlier, expected: Disposition) -> None:
    """A successor concludes as the first engine would have."""
    call = replace(CALL, earlier=earlier, clocks=replace(CALL.clocks, entered_service_at=AT))

    assert conclude(call) is expected


def test_who_was_answered_was_answered_whatever_the_switch_calls_the_end() -> None:
    """And who was not, was not."""
    later = AT + timedelta(seconds=5)
    answered, visit, dial = close_open_visits(replace(CALL, queue_visits=(ANSWERED,)), later)
    lost, lost_visit, _ = close_open_visits(replace(CALL, queue_visits=(QUEUED,)), later, queue=QueueOutcome.ANSWERED)
    _, _, lost_dial = close_open_visits(replace(CALL, dials=(RINGING,)), later, dial=DialOutcome.ANSWERED)

    assert visit
    assert visit.outcome is QueueOutcome.ANSWERED
    assert dial is None
    assert answered.talk_seconds() == 5
    assert lost_visit
    assert lost_visit.outcome is QueueOutcome.FAILED
    assert lost.talk_seconds() == 0
    assert lost_dial
    assert lost_dial.outcome is DialOutcome.FAILED


def test_a_bridge_nobody_asked_for_is_the_fallbacks() -> None:
    """Asterisk's own dialplan rang somebody while it had the call."""
    adrift = replace(CALL, state=CallState.ADRIFT)

    by_agent, by_number = bridge(adrift, AT, "agent-1"), bridge(adrift, AT, None)

    assert by_agent.queue_visits[0].queue == "(fallback)"
    assert conclude(by_agent) is Disposition.ANSWERED
    assert by_number.dials[0].target == "(fallback)"
    assert conclude(by_number) is Disposition.REDIRECTED
    assert by_agent.state is by_number.state is CallState.ADRIFT


def test_told_twice_the_first_time_counts() -> None:
    """Of an answer, and an offer after it counts no more."""
    adrift = replace(CALL, state=CallState.ADRIFT, queue_visits=(QUEUED,))
    once = bridge(adrift, AT + timedelta(seconds=3), "agent-1")

    twice = note_agent_offered(bridge(once, AT + timedelta(seconds=9), "agent-2"), AT + timedelta(seconds=9))

    assert twice.queue_visits == once.queue_visits
    assert twice.clocks == once.clocks
