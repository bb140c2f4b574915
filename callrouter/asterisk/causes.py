"""Asterisk's words to our enums. Whatever is not in a table is a failure, never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from callrouter.asterisk.codec import whole_number
from callrouter.core.call import DialOutcome, Presentation, QueueOutcome, RecordOutcome

_FAILED_SCREENING: Final = 0x02
_NO_ANSWER_AT_ALL: Final = "408"
_NO_USER_RESPONDING: Final = 18
QUEUE_STATUS: Final[Mapping[str, QueueOutcome]] = {
    # app_queue.c, queue_results
    "TIMEOUT": QueueOutcome.TIMEOUT,
    "FULL": QueueOutcome.FULL,
    "JOINEMPTY": QueueOutcome.EMPTY,
    "LEAVEEMPTY": QueueOutcome.EMPTY,
    "JOINUNAVAIL": QueueOutcome.EMPTY,
    "LEAVEUNAVAIL": QueueOutcome.EMPTY,
    "CONTINUE": QueueOutcome.ANSWERED,
    "WITHDRAW": QueueOutcome.EXITED,
    # callrouter-queue-key in extensions.conf
    "KEY": QueueOutcome.EXITED,
}

DIAL_STATUS: Final[Mapping[str, DialOutcome]] = {
    # app_dial.c, DIALSTATUS
    "ANSWER": DialOutcome.ANSWERED,
    "NOANSWER": DialOutcome.NO_ANSWER,
    "BUSY": DialOutcome.BUSY,
    "CHANUNAVAIL": DialOutcome.UNAVAILABLE,
    "CONGESTION": DialOutcome.UNAVAILABLE,
    "CANCEL": DialOutcome.ABANDONED,
    "DONTCALL": DialOutcome.REFUSED,
    "TORTURE": DialOutcome.REFUSED,
}

RECORD_STATUS: Final[Mapping[str, RecordOutcome]] = {
    # app_record.c, RECORD_STATUS
    "DTMF": RecordOutcome.FINISHED,
    "SILENCE": RecordOutcome.FINISHED,
    "TIMEOUT": RecordOutcome.FINISHED,
    "OPERATOR": RecordOutcome.FINISHED,
    "HANGUP": RecordOutcome.HUNG_UP,
}


def hang_up_cause(cause: str, tech_cause: str) -> int | None:
    """Q.850's cause of a hang-up that was requested, by `Cause` and `TechCause`; None: there was none.

    A channel that has a cause of somebody who was dialled for it (busy: 17) keeps that one when its own telephone
    answers no more; only SIP's status says so then (chan_pjsip.c, chan_pjsip_session_end).
    """
    if tech_cause == _NO_ANSWER_AT_ALL:
        return _NO_USER_RESPONDING
    return whole_number(cause)


def queue_outcome(status: str) -> QueueOutcome:
    """QUEUESTATUS as our routine reports it; `KEY:5` where the caller left by that key."""
    return QUEUE_STATUS.get(status.partition(":")[0], QueueOutcome.FAILED)


def queue_key(status: str) -> str:
    """The key by which the caller left the queue; empty: by none."""
    word, _, key = status.partition(":")
    return key if word == "KEY" else ""


def dial_outcome(status: str) -> DialOutcome:
    """DIALSTATUS as our routine reports it."""
    return DIAL_STATUS.get(status, DialOutcome.FAILED)


def record_outcome(status: str) -> RecordOutcome:
    """RECORD_STATUS as our routine reports it."""
    return RECORD_STATUS.get(status, RecordOutcome.FAILED)


def presentation(code: int) -> Presentation:
    """agi_callingpres: presentation in bits 6 and 7, screening in bits 1 and 2 (callerid.h, AST_PRES_*; Q.931, 4.5.10).

    A number that is restricted and failed screening is one that callrouter-identity has found not to be authenticated.
    """
    match code & 0x60:
        case 0x00:
            return Presentation.ALLOWED
        case 0x20:
            return Presentation.UNAUTHENTICATED if code & 0x03 == _FAILED_SCREENING else Presentation.WITHHELD
        case _:
            return Presentation.UNAVAILABLE
