"""Asterisk's words become our enums; what is unknown is a failure."""

from __future__ import annotations

import pytest

from callrouter.asterisk.causes import (
    dial_outcome,
    hang_up_cause,
    presentation,
    queue_key,
    queue_outcome,
    record_outcome,
)
from callrouter.core.call import DialOutcome, Presentation, QueueOutcome, RecordOutcome


def test_the_key_that_left_a_queue() -> None:
    """It stands after the word; no other status has one."""
    assert [queue_key(status) for status in ("KEY:5", "KEY:#", "KEY", "TIMEOUT", "")] == ["5", "#", "", "", ""]


@pytest.mark.parametrize(
    ("cause", "tech_cause", "expected"),
    [
        ("16", "", 16),
        ("17", "486", 17),
        ("18", "408", 18),
        ("19", "408", 18),  # a contact did not answer before, now the caller's telephone does not
        ("21", "408", 18),
        ("", "", None),
    ],
)
def test_a_line_that_answers_nothing_is_known_by_its_sip_status(
    cause: str, tech_cause: str, expected: int | None
) -> None:
    """The cause may still be that of somebody who was dialled."""
    assert hang_up_cause(cause, tech_cause) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("TIMEOUT", QueueOutcome.TIMEOUT),
        ("FULL", QueueOutcome.FULL),
        ("JOINEMPTY", QueueOutcome.EMPTY),
        ("LEAVEUNAVAIL", QueueOutcome.EMPTY),
        ("CONTINUE", QueueOutcome.ANSWERED),
        ("KEY:5", QueueOutcome.EXITED),
        ("KEY", QueueOutcome.EXITED),
        ("", QueueOutcome.FAILED),
        ("SOMETHING NEW", QueueOutcome.FAILED),
    ],
)
def test_queue_status(status: str, expected: QueueOutcome) -> None:
    """QUEUESTATUS."""
    assert expected is queue_outcome(status)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ANSWER", DialOutcome.ANSWERED),
        ("NOANSWER", DialOutcome.NO_ANSWER),
        ("BUSY", DialOutcome.BUSY),
        ("CONGESTION", DialOutcome.UNAVAILABLE),
        ("CHANUNAVAIL", DialOutcome.UNAVAILABLE),
        ("CANCEL", DialOutcome.ABANDONED),
        ("SOMETHING NEW", DialOutcome.FAILED),
    ],
)
def test_dial_status(status: str, expected: DialOutcome) -> None:
    """DIALSTATUS."""
    assert expected is dial_outcome(status)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("DTMF", RecordOutcome.FINISHED),
        ("SILENCE", RecordOutcome.FINISHED),
        ("HANGUP", RecordOutcome.HUNG_UP),
        ("ERROR", RecordOutcome.FAILED),
    ],
)
def test_record_status(status: str, expected: RecordOutcome) -> None:
    """RECORD_STATUS."""
    assert expected is record_outcome(status)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, Presentation.ALLOWED),
        (3, Presentation.ALLOWED),
        (32, Presentation.WITHHELD),
        (33, Presentation.WITHHELD),
        (34, Presentation.UNAUTHENTICATED),
        (2, Presentation.ALLOWED),
        (35, Presentation.WITHHELD),
        (67, Presentation.UNAVAILABLE),
    ],
)
def test_presentation(code: int, expected: Presentation) -> None:
    """AST_PRES_* of callerid.h."""
    assert expected is presentation(code)
