"""Calls as the core leaves them, for tests that need some: answered, abandoned, and one whose caller is hostile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Message,
    QueueOutcome,
    QueueVisit,
    Visit,
    replace,
)

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOSTILE_NAME = (
    'Jean"; DROP TABLE calls; -- ${SHELL(id)}\r\nAction: Logoff\r\n <script>alert(1)</script> 📞 ' + "x" * 400
)


def after(seconds: float, start: datetime = TUESDAY) -> datetime:
    """An instant of the story."""
    return start + timedelta(seconds=seconds)


def live(call_id: str = "1795427775-42-518203", *, name: str = "Jeanne Martin", start: datetime = TUESDAY) -> Call:
    """A caller who has been waiting in a queue since the twelfth second."""
    return Call(
        call_id=call_id,
        client="cabinet-moreau",
        plan_version="5f2d3c9a10be",
        did="+33199000010",
        caller=CallerId(number="+33612340001", name=name),
        state=CallState.QUEUED,
        node="secretaries",
        variables={"postcode": "75011"},
        clocks=Clocks(ringing_at=start, answered_at=after(0.5, start), entered_service_at=after(12, start)),
        visits=(
            Visit(node="hours", exit="open", because="Tue 10:00", at=after(0.5, start)),
            Visit(node="welcome", exit="key:2", because="key 2", at=after(12, start)),
        ),
        queue_visits=(QueueVisit(queue="medical", entered_at=after(12, start)),),
    )


def _ended(call: Call, at: datetime, disposition: Disposition, visit: QueueVisit) -> Call:
    return replace(
        call,
        state=CallState.ENDED,
        node="",
        clocks=replace(call.clocks, bridged_at=visit.answered_at, offered_at=visit.offered_at, ended_at=at),
        queue_visits=(replace(visit, left_at=at),),
        disposition=disposition,
        hangup_cause=16,
    )


def answered(
    call_id: str, *, wait: float = 8, start: datetime = TUESDAY, name: str = "Jeanne Martin", client: str = ""
) -> Call:
    """Answered by agent-1 after `wait` seconds, for a minute."""
    call = live(call_id, name=name, start=start)
    visit = replace(
        call.queue_visits[0],
        offers=1,
        offered_at=after(13, start),
        answered_at=after(12 + wait, start),
        agent="agent-1",
        outcome=QueueOutcome.ANSWERED,
    )
    call = replace(call, client=client or call.client)
    return _ended(call, after(72 + wait, start), Disposition.ANSWERED, visit)


def abandoned(call_id: str, *, wait: float = 9, start: datetime = TUESDAY) -> Call:
    """Hung up after waiting for `wait` seconds."""
    call = live(call_id, start=start)
    visit = replace(call.queue_visits[0], outcome=QueueOutcome.ABANDONED)
    return _ended(call, after(12 + wait, start), Disposition.ABANDONED, visit)


def message_left(call_id: str, *, start: datetime = TUESDAY) -> Call:
    """Nobody accepted; a message of 4.2 s was left."""
    call = live(call_id, start=start)
    dial = DialAttempt(
        target="on_call", started_at=after(12, start), ended_at=after(32, start), outcome=DialOutcome.NO_ANSWER
    )
    message = Message(
        recording=f"{call_id}-1", node="take_message", deliver="email_doctor", started_at=after(40, start), seconds=4.2
    )
    return replace(
        call,
        state=CallState.ENDED,
        node="",
        queue_visits=(),
        dials=(dial,),
        messages=(message,),
        clocks=replace(call.clocks, ended_at=after(45, start)),
        disposition=Disposition.MESSAGE_LEFT,
    )
