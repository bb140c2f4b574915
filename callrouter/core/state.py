"""The serialised call: all that another process needs to go on with it.

A flat JSON array without names, base64-encoded (and deflated before, once it would be too long otherwise: that costs
as much as the rest of a step), at most `MAX_ENCODED` characters, because it travels in one channel variable of the
switch. Nodes are written by their position in the plan, instants as microseconds since the call rang, so both must
be known to read it; `peek` gives the client and version that lead to the plan.

A journey too long to fit loses its oldest visits (`Call.visits_dropped` says how many), then its oldest completed
queue visits and dials, of which `Call.earlier` keeps the sums, then the end of the caller's name. It never loses what
decides: state, node, variables, messages, whatever is still open, the disposition and the waiting time.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import msgspec

from callrouter.core.call import (
    NOTHING_EARLIER,
    Call,
    Callback,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Earlier,
    Message,
    Presentation,
    QueueOutcome,
    QueueVisit,
    Visit,
    replace,
)
from callrouter.core.plan import Plan
from callrouter.errors import CoreError, StateDecodeError

FORMAT = 2
"""Raised by one with every change to the order or meaning of the fields."""

MAX_ENCODED = 900
"""Characters of base64: what is safe in an AGI or AMI value (a line is at most 1,024 bytes)."""

MAX_DECODED = 65_536
"""Bytes of JSON behind a serialised call; stops a forged one from unpacking to gigabytes."""

_MAX_PLAIN = MAX_ENCODED // 4 * 3

_WORDS = (
    b'hung_upfinished, "abandoned""redirected""self_served""left_early""failed""rejected""unavailable""no_answer"'
    b'"refused""exited""full""empty","silent ,"no_match","otherwise","in no list","closed","hanging_up""dialling"'
    b'"recording""connected""queued""answering","end","conversation over",0]"overflow","timeout","done","open",'
    b'"Mon Tue Wed Thu Fri Sat Sun ["key:1","key 1","welcome","next","no_input","withheld"]"allowed"],null,"collecting"'
    b'"playing","message_left""answered",,{"no_input":{"next":1},"",{},[null,null,null,null,null],[],0,[],[],null,null,'
    b"null,null,null,null]"
)
"""What serialised calls are full of, for deflate to begin with; changing it changes `FORMAT`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(plan: Plan, call: Call) -> bytes:
    """The call as base64 of at most `MAX_ENCODED` characters.

    Raises:
        CoreError: what must be kept does not fit.
    """
    while True:
        encoded = _pack(_fields(plan, call))
        surplus = len(encoded) - MAX_ENCODED
        if surplus <= 0:
            return encoded
        shorter = _shorten(call, surplus)
        if shorter is None:
            raise CoreError(f"the state of call {call.call_id} needs {len(encoded)} characters of {MAX_ENCODED}")
        call = shorter


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
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StateDecodeError(f"the state of a call does not read back: {error}") from error


def _shorten(call: Call, surplus: int) -> Call | None:
    """The call with something less, by about so many characters; None when nothing may go any more."""
    if call.visits:
        dropped = min(len(call.visits), 1 + surplus // 24)
        return replace(call, visits=call.visits[dropped:], visits_dropped=call.visits_dropped + dropped)
    shorter = call
    for _ in range(1 + surplus // 48):
        first_of_each: tuple[QueueVisit | DialAttempt, ...] = (*shorter.queue_visits[:1], *shorter.dials[:1])
        complete = [attempt for attempt in first_of_each if attempt.outcome is not None]
        if complete:
            shorter = _sum_up(shorter, min(complete, key=_began_at))
    if shorter is not call:
        return shorter
    if call.caller.name:
        name = call.caller.name[: -(1 + surplus // 8)]
        return replace(
            call, caller=CallerId(number=call.caller.number, name=name, presentation=call.caller.presentation)
        )
    return None


def _began_at(attempt: QueueVisit | DialAttempt) -> datetime:
    return attempt.entered_at if isinstance(attempt, QueueVisit) else attempt.started_at


def _sum_up(call: Call, attempt: QueueVisit | DialAttempt) -> Call:
    """The call without its oldest, completed, queue visit or dial, whose times go into the sums."""
    began, answered = _began_at(attempt), attempt.answered_at is not None
    queued = isinstance(attempt, QueueVisit)
    earlier = Earlier(
        attempts=call.earlier.attempts + 1,
        waiting_seconds=call.earlier.waiting_seconds + attempt.waiting_seconds(began),
        talk_seconds=call.earlier.talk_seconds + attempt.talk_seconds(),
        agent=(attempt.agent or "") if isinstance(attempt, QueueVisit) and answered else call.earlier.agent,
        redirected=call.earlier.redirected or (answered and not queued),
    )
    if queued:
        return replace(call, earlier=earlier, queue_visits=call.queue_visits[1:])
    return replace(call, earlier=earlier, dials=call.dials[1:])


_to_json = msgspec.json.Encoder().encode
_to_odd_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _pack(fields: list[Any]) -> bytes:
    try:
        text = _to_json(fields)
    except UnicodeEncodeError:  # half of a surrogate pair, from a caller's name: text to Python, and to nobody else
        text = _to_odd_json(fields).encode("utf-8", "surrogatepass")
    if len(text) <= _MAX_PLAIN:
        return binascii.b2a_base64(text, newline=False)
    # A small window: deflate's usual quarter of a megabyte costs more to allocate than the text to compress.
    deflate = zlib.compressobj(5, zlib.DEFLATED, 12, 4, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return binascii.b2a_base64(deflate.compress(text) + deflate.flush(), newline=False)


def _unpack(encoded: bytes) -> list[Any]:
    try:
        text = base64.b64decode(encoded, validate=True)
        if not text.startswith(b"["):
            text = _inflate(text)
        fields = json.loads(text.decode("utf-8", "surrogatepass"))
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise StateDecodeError(f"the state of a call does not read back: {error}") from error
    if not isinstance(fields, list) or len(fields) != _FIELDS or fields[0] != FORMAT:
        raise StateDecodeError("the state of a call is of another release")
    return fields


def _inflate(deflated: bytes) -> bytes:
    inflate = zlib.decompressobj(12, _WORDS)
    text = inflate.decompress(deflated, MAX_DECODED)
    if not inflate.eof or inflate.unused_data:
        raise StateDecodeError("the state of a call is cut, or is none of ours")
    return text


def _fields(plan: Plan, call: Call) -> list[Any]:
    # Written for speed, as is all that happens at every step: most calls have no more than clocks and visits.
    base = call.clocks.ringing_at

    def offset(at: datetime | None) -> int | None:
        return None if at is None else (at - base) // _MICROSECOND

    index = plan.node_index.get
    clocks = call.clocks
    earlier = call.earlier
    return [
        FORMAT,
        call.client,
        call.plan_version,
        call.call_id,
        call.did,
        [call.caller.number, call.caller.name, call.caller.presentation],
        call.diverted_from,
        call.state,
        call.step,
        index(call.node, call.node),
        call.memory,
        call.digits,
        call.variables,
        (base - _EPOCH) // _MICROSECOND,
        [
            offset(clocks.answered_at),
            offset(clocks.entered_service_at),
            offset(clocks.offered_at),
            offset(clocks.bridged_at),
            offset(clocks.ended_at),
        ],
        _visits(call.visits, base, index),
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
        ]
        if call.queue_visits
        else _NONE,
        [[d.target, offset(d.started_at), offset(d.answered_at), offset(d.ended_at), d.outcome] for d in call.dials]
        if call.dials
        else _NONE,
        [[m.recording, index(m.node, m.node), m.deliver, offset(m.started_at), m.seconds] for m in call.messages]
        if call.messages
        else _NONE,
        offset(call.recording_at),
        call.verdict,
        call.disposition,
        call.hangup_cause,
        [earlier.attempts, earlier.waiting_seconds, earlier.talk_seconds, earlier.agent, earlier.redirected]
        if earlier.attempts
        else 0,
        [[c.number, index(c.node, c.node), offset(c.asked_at)] for c in call.callbacks] if call.callbacks else 0,
    ]


_NONE: list[Any] = []


def _visits(visits: tuple[Visit, ...], base: datetime, index: Callable[[str, str], int | str]) -> list[Any]:
    written = []
    at, after = base, 0
    for visit in visits:
        if visit.at is not at:  # the nodes of one walk share their instant
            at = visit.at
            after = (at - base) // _MICROSECOND
        written.append([index(visit.node, visit.node), visit.exit, visit.because, after])
    return written


_FIELDS = 26


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _seconds(value: object) -> float:
    if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type]  # type() has narrowed it
        raise TypeError(f"{value!r} is no number of seconds")
    return float(value)  # type: ignore[arg-type]


def _earlier(written: Any) -> Earlier:
    if written == 0:
        return NOTHING_EARLIER
    attempts, waiting, talk, agent, redirected = written
    return Earlier(
        attempts=_whole(attempts),
        waiting_seconds=_seconds(waiting),
        talk_seconds=_seconds(talk),
        agent=_text_or_none(agent),
        redirected=redirected is True,
    )


class _Reader:
    """Reads the entries that name nodes and instants; whatever has a wrong type raises TypeError or LookupError."""

    def __init__(self, plan: Plan, base: datetime) -> None:
        self._names = plan.node_names
        self._base = base

    def at(self, offset: object) -> datetime:
        return self._base + _whole(offset) * _MICROSECOND

    def at_or_none(self, offset: object) -> datetime | None:
        return None if offset is None else self.at(offset)

    def node(self, written: object) -> str:
        if isinstance(written, str):
            return written
        index = _whole(written)
        if not 0 <= index < len(self._names):
            raise IndexError(f"the plan has no node {index}")
        return self._names[index]

    def visit(self, written: Any) -> Visit:
        node, exit_name, because, at = written
        return Visit(node=self.node(node), exit=_text(exit_name), because=_text(because), at=self.at(at))

    def queue_visit(self, written: Any) -> QueueVisit:
        queue, entered_at, offers, offered_at, agent, answered_at, left_at, outcome = written
        return QueueVisit(
            queue=_text(queue),
            entered_at=self.at(entered_at),
            offers=_whole(offers),
            offered_at=self.at_or_none(offered_at),
            agent=_text_or_none(agent),
            answered_at=self.at_or_none(answered_at),
            left_at=self.at_or_none(left_at),
            outcome=None if outcome is None else QueueOutcome(outcome),
        )

    def dial(self, written: Any) -> DialAttempt:
        target, started_at, answered_at, ended_at, outcome = written
        return DialAttempt(
            target=_text(target),
            started_at=self.at(started_at),
            answered_at=self.at_or_none(answered_at),
            ended_at=self.at_or_none(ended_at),
            outcome=None if outcome is None else DialOutcome(outcome),
        )

    def message(self, written: Any) -> Message:
        recording, node, deliver, started_at, seconds = written
        return Message(
            recording=_text(recording),
            node=self.node(node),
            deliver=_text(deliver),
            started_at=self.at(started_at),
            seconds=_seconds(seconds),
        )

    def callback(self, written: Any) -> Callback:
        number, node, asked_at = written
        return Callback(number=_text(number), node=self.node(node), asked_at=self.at(asked_at))


def _call(plan: Plan, fields: list[Any]) -> Call:
    base = _EPOCH + _whole(fields[13]) * _MICROSECOND
    read = _Reader(plan, base)
    number, name, presentation = fields[5]
    answered_at, entered_service_at, offered_at, bridged_at, ended_at = map(read.at_or_none, fields[14])
    node = read.node(fields[9])
    if node not in plan.nodes:
        raise KeyError(f"the plan has no node {node!r}")
    return Call(
        call_id=_text(fields[3]),
        client=_text(fields[1]),
        plan_version=_text(fields[2]),
        did=_text(fields[4]),
        caller=CallerId(number=_text_or_none(number), name=_text(name), presentation=Presentation(presentation)),
        diverted_from=_text_or_none(fields[6]),
        state=CallState(fields[7]),
        step=_whole(fields[8]),
        node=node,
        memory={_text(key): _whole(value) for key, value in fields[10].items()},
        digits=_text(fields[11]),
        variables={_text(key): _text(value) for key, value in fields[12].items()},
        clocks=Clocks(
            ringing_at=base,
            answered_at=answered_at,
            entered_service_at=entered_service_at,
            offered_at=offered_at,
            bridged_at=bridged_at,
            ended_at=ended_at,
        ),
        visits=tuple(map(read.visit, fields[15])),
        visits_dropped=_whole(fields[16]),
        queue_visits=tuple(map(read.queue_visit, fields[17])),
        dials=tuple(map(read.dial, fields[18])),
        earlier=_earlier(fields[24]),
        messages=tuple(map(read.message, fields[19])),
        callbacks=tuple(map(read.callback, fields[25])) if fields[25] != 0 else (),
        recording_at=read.at_or_none(fields[20]),
        verdict=None if fields[21] is None else Disposition(fields[21]),
        disposition=None if fields[22] is None else Disposition(fields[22]),
        hangup_cause=None if fields[23] is None else _whole(fields[23]),
    )
