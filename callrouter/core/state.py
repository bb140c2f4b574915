"""The serialised call: all that another process needs to go on with it.

A flat JSON array without names, deflated and base64-encoded, at most `MAX_ENCODED` characters, because it travels
in one channel variable of the switch. Nodes are written by their position in the plan, instants as microseconds
since the call rang, so both must be known to read it; `peek` gives the client and version that lead to the plan.
A journey too long to fit loses its oldest visits (`Call.visits_dropped` says how many), never anything else:
a call whose variables alone are too large raises.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Message,
    Presentation,
    QueueOutcome,
    QueueVisit,
    Visit,
)
from callrouter.core.plan import Plan
from callrouter.errors import CoreError, StateDecodeError

FORMAT = 1
"""Raised by one with every change to the order or meaning of the fields."""

MAX_ENCODED = 900
"""Characters of base64: what is safe in an AGI or AMI value (a line is at most 1,024 bytes)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(plan: Plan, call: Call) -> bytes:
    """The call as base64 of at most `MAX_ENCODED` characters.

    Raises:
        CoreError: what must be kept does not fit.
    """
    while True:
        encoded = _pack(_fields(plan, call))
        if len(encoded) <= MAX_ENCODED:
            return encoded
        surplus = max(1, min(len(call.visits), (len(encoded) - MAX_ENCODED) // 16))
        if not call.visits:
            raise CoreError(f"the state of call {call.call_id} needs {len(encoded)} characters of {MAX_ENCODED}")
        call = replace(call, visits=call.visits[surplus:], visits_dropped=call.visits_dropped + surplus)


def peek(encoded: bytes) -> tuple[str, str]:
    """Client and plan version of a serialised call.

    Raises:
        StateDecodeError: it is none of ours.
    """
    fields = _unpack(encoded)
    return str(fields[1]), str(fields[2])


def decode(plan: Plan, encoded: bytes) -> Call:
    """The call again, by the plan it was encoded with.

    Raises:
        StateDecodeError: it is none of ours, was cut, or belongs to another plan.
    """
    fields = _unpack(encoded)
    if (fields[1], fields[2]) != (plan.client, plan.version):
        raise StateDecodeError(f"the state is of plan {fields[1]}@{fields[2]}, not {plan.client}@{plan.version}")
    try:
        return _call(plan, fields)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise StateDecodeError(f"the state of a call does not read back: {error}") from error


def _pack(fields: list[Any]) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 1))


def _unpack(encoded: bytes) -> list[Any]:
    try:
        # The bound stops a forged state from unpacking to gigabytes.
        text = zlib.decompressobj().decompress(base64.b64decode(encoded, validate=True), 65_536)
        fields = json.loads(text.decode("utf-8", "surrogatepass"))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise StateDecodeError(f"the state of a call does not read back: {error}") from error
    if not isinstance(fields, list) or len(fields) < 3 or fields[0] != FORMAT:
        raise StateDecodeError("the state of a call is of another release")
    return fields


def _fields(plan: Plan, call: Call) -> list[Any]:
    base = call.clocks.ringing_at

    def offset(at: datetime | None) -> int | None:
        return None if at is None else (at - base) // _MICROSECOND

    def node(name: str) -> int | str:
        return plan.node_index.get(name, name)

    clocks = call.clocks
    return [
        FORMAT,
        call.client,
        call.plan_version,
        call.call_id,
        call.did,
        [call.caller.number, call.caller.name, call.caller.presentation.value],
        call.diverted_from,
        call.state.value,
        call.step,
        node(call.node),
        call.memory,
        call.digits,
        dict(call.variables),
        (base - _EPOCH) // _MICROSECOND,
        [
            offset(at)
            for at in (
                clocks.answered_at,
                clocks.entered_service_at,
                clocks.offered_at,
                clocks.bridged_at,
                clocks.ended_at,
            )
        ],
        [[node(v.node), v.exit, v.because, offset(v.at)] for v in call.visits],
        call.visits_dropped,
        [
            [
                v.queue,
                offset(v.entered_at),
                v.offers,
                offset(v.offered_at),
                v.agent,
                offset(v.answered_at),
                offset(v.left_at),
                v.outcome,
            ]
            for v in call.queue_visits
        ],
        [[d.target, offset(d.started_at), offset(d.answered_at), offset(d.ended_at), d.outcome] for d in call.dials],
        [[m.recording, node(m.node), m.deliver, offset(m.started_at), m.seconds] for m in call.messages],
        offset(call.recording_at),
        call.verdict,
        call.disposition,
        call.hangup_cause,
    ]


def _call(plan: Plan, fields: list[Any]) -> Call:
    base: datetime = _EPOCH + int(fields[13]) * _MICROSECOND

    def instant(offset: int) -> datetime:
        return base + offset * _MICROSECOND

    def maybe(offset: int | None) -> datetime | None:
        return None if offset is None else instant(offset)

    def node(written: int | str) -> str:
        return plan.node_names[written] if isinstance(written, int) else written

    number, name, presentation = fields[5]
    answered, entered, offered, bridged, ended = fields[14]
    return Call(
        call_id=fields[3],
        client=fields[1],
        plan_version=fields[2],
        did=fields[4],
        caller=CallerId(number=number, name=name, presentation=Presentation(presentation)),
        diverted_from=fields[6],
        state=CallState(fields[7]),
        step=fields[8],
        node=node(fields[9]),
        memory=fields[10],
        digits=fields[11],
        variables=fields[12],
        clocks=Clocks(
            ringing_at=base,
            answered_at=maybe(answered),
            entered_service_at=maybe(entered),
            offered_at=maybe(offered),
            bridged_at=maybe(bridged),
            ended_at=maybe(ended),
        ),
        visits=tuple(Visit(node=node(n), exit=e, because=b, at=instant(at)) for n, e, b, at in fields[15]),
        visits_dropped=fields[16],
        queue_visits=tuple(
            QueueVisit(
                queue=queue,
                entered_at=instant(entered_at),
                offers=offers,
                offered_at=maybe(offered_at),
                agent=agent,
                answered_at=maybe(answered_at),
                left_at=maybe(left_at),
                outcome=None if outcome is None else QueueOutcome(outcome),
            )
            for queue, entered_at, offers, offered_at, agent, answered_at, left_at, outcome in fields[17]
        ),
        dials=tuple(
            DialAttempt(
                target=target,
                started_at=instant(started_at),
                answered_at=maybe(answered_at),
                ended_at=maybe(ended_at),
                outcome=None if outcome is None else DialOutcome(outcome),
            )
            for target, started_at, answered_at, ended_at, outcome in fields[18]
        ),
        messages=tuple(
            Message(recording=recording, node=node(n), deliver=deliver, started_at=instant(at), seconds=seconds)
            for recording, n, deliver, at, seconds in fields[19]
        ),
        recording_at=maybe(fields[20]),
        verdict=None if fields[21] is None else Disposition(fields[21]),
        disposition=None if fields[22] is None else Disposition(fields[22]),
        hangup_cause=fields[23],
    )
