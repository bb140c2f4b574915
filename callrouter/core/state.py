"""The serialised call: all that another process needs to go on with it.

A flat JSON array without names, base64-encoded (and deflated before, once it would be too long otherwise: that costs
as much as the rest of a step), at most `MAX_ENCODED` characters, because it travels in one channel variable of the
switch. Nodes are written by their position in the plan, instants as microseconds since the call rang, so both must
be known to read it; `peek` gives the client and version that lead to the plan.

Of offers, legs and recordings only those are kept that are open, and how many there were (`Call.offers_made`,
`legs_made`, `recordings_made`); of holds, what their legs know.

A journey too long to fit loses its oldest visits (`Call.visits_dropped` says how many), then its oldest open offers (of
a team that is rung all at once), then its oldest completed queue visits and dials, of which `Call.earlier` keeps the
sums, then the end of the caller's name. It never loses what decides: state, node, variables, messages, the visit or
dial that is open, the disposition and the waiting time.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from callrouter.core.books.legs import open_legs
from callrouter.core.books.offers import open_offers
from callrouter.core.books.recordings import kept as kept_recordings
from callrouter.core.call import (
    NOTHING_EARLIER,
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    Disposition,
    Earlier,
    Presentation,
    QueueVisit,
    Revision,
    replace,
)
from callrouter.core.parts import (
    MICROSECOND,
    PartsReader,
    counted,
    seconds,
    text,
    text_or_none,
    whole,
    write_callbacks,
    write_dials,
    write_legs,
    write_messages,
    write_offers,
    write_queue_visits,
    write_recordings,
    write_visits,
)
from callrouter.core.plan import Plan
from callrouter.errors import CoreError, StateDecodeError

FORMAT = 3
"""Raised by one with every change to the order or meaning of the fields."""

MAX_ENCODED = 900
"""Characters of base64: what is safe in an AGI or AMI value (a line is at most 1,024 bytes)."""

MAX_DECODED = 65_536
"""Bytes of JSON that a serialised call may unpack to; stops a forged one from unpacking to gigabytes."""

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
    if rung := open_offers(call):
        return replace(call, offers=rung[1 + surplus // 16 :])
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
    by_agent = queued or bool(attempt.agent)
    earlier = Earlier(
        attempts=call.earlier.attempts + 1,
        waiting_seconds=call.earlier.waiting_seconds + attempt.waiting_seconds(began),
        talk_seconds=call.earlier.talk_seconds + attempt.talk_seconds(),
        agent=(attempt.agent or "") if by_agent and answered else call.earlier.agent,
        redirected=call.earlier.redirected or (answered and not by_agent),
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
    if isinstance(fields, list) and len(fields) == _FIELDS_BEFORE and fields[0] == FORMAT - 1:
        return [*fields, *_NEW_FIELDS]
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
    # Written for speed, as is all that happens at every step: most calls have no more than clocks and visits, and most
    # clocks have not been reached, which need no call of `offset`.
    base = call.clocks.ringing_at

    def offset(at: datetime | None) -> int | None:
        return None if at is None else (at - base) // MICROSECOND

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
        (base - _EPOCH) // MICROSECOND,
        [
            clocks.answered_at and offset(clocks.answered_at),
            clocks.entered_service_at and offset(clocks.entered_service_at),
            clocks.offered_at and offset(clocks.offered_at),
            clocks.bridged_at and offset(clocks.bridged_at),
            clocks.ended_at and offset(clocks.ended_at),
        ],
        write_visits(call.visits, base, index),
        call.visits_dropped,
        write_queue_visits(call.queue_visits, offset) if call.queue_visits else _NONE,
        write_dials(call.dials, offset) if call.dials else _NONE,
        write_messages(call.messages, offset, index) if call.messages else _NONE,
        call.recording_at and offset(call.recording_at),
        call.verdict,
        call.disposition,
        call.hangup_cause,
        [earlier.attempts, earlier.waiting_seconds, earlier.talk_seconds, earlier.agent, earlier.redirected]
        if earlier.attempts
        else 0,
        write_callbacks(call.callbacks, offset, index) if call.callbacks else 0,
        call.revision.epoch,
        call.revision.count,
        call.offers_made,
        write_offers(open_offers(call), offset) if call.offers else 0,
        call.legs_made,
        write_legs(open_legs(call), offset) if call.legs else 0,
        call.held_seconds,
        call.recordings_made,
        write_recordings(kept_recordings(call), offset) if call.recordings else 0,
    ]


_NONE: list[Any] = []


_NEW_FIELDS = (0, 1, 0, 0, 0, 0, 0.0, 0, 0)
"""What a state of the format before lacks: it has no epoch, and was learnt from a living channel."""

_FIELDS_BEFORE = 26
_FIELDS = _FIELDS_BEFORE + len(_NEW_FIELDS)


def _earlier(written: Any) -> Earlier:
    if written == 0:
        return NOTHING_EARLIER
    attempts, waiting, talk, agent, redirected = written
    return Earlier(
        attempts=counted(attempts),
        waiting_seconds=seconds(waiting),
        talk_seconds=seconds(talk),
        agent=text_or_none(agent),
        redirected=redirected is True,
    )


def _call(plan: Plan, fields: list[Any]) -> Call:
    base = _EPOCH + whole(fields[13]) * MICROSECOND
    read = PartsReader(base, plan.node_names)
    number, name, presentation = fields[5]
    answered_at, entered_service_at, offered_at, bridged_at, ended_at = map(read.at_or_none, fields[14])
    node = read.node(fields[9])
    if node not in plan.nodes:
        raise KeyError(f"the plan has no node {node!r}")
    return Call(
        call_id=text(fields[3]),
        revision=Revision(counted(fields[26]), counted(fields[27])),
        offers_made=counted(fields[28]),
        offers=tuple(map(read.offer, fields[29])) if fields[29] != 0 else (),
        legs_made=counted(fields[30]),
        legs=tuple(map(read.leg, fields[31])) if fields[31] != 0 else (),
        held_seconds=seconds(fields[32]),
        recordings_made=counted(fields[33]),
        recordings=tuple(map(read.recording, fields[34])) if fields[34] != 0 else (),
        client=text(fields[1]),
        plan_version=text(fields[2]),
        did=text(fields[4]),
        caller=CallerId(number=text_or_none(number), name=text(name), presentation=Presentation(presentation)),
        diverted_from=text_or_none(fields[6]),
        state=CallState(fields[7]),
        step=counted(fields[8]),
        node=node,
        memory={text(key): whole(value) for key, value in fields[10].items()},
        digits=text(fields[11]),
        variables={text(key): text(value) for key, value in fields[12].items()},
        clocks=Clocks(
            ringing_at=base,
            answered_at=answered_at,
            entered_service_at=entered_service_at,
            offered_at=offered_at,
            bridged_at=bridged_at,
            ended_at=ended_at,
        ),
        visits=tuple(map(read.visit, fields[15])),
        visits_dropped=counted(fields[16]),
        queue_visits=tuple(map(read.queue_visit, fields[17])),
        dials=tuple(map(read.dial, fields[18])),
        earlier=_earlier(fields[24]),
        messages=tuple(map(read.message, fields[19])),
        callbacks=tuple(map(read.callback, fields[25])) if fields[25] != 0 else (),
        recording_at=read.at_or_none(fields[20]),
        verdict=None if fields[21] is None else Disposition(fields[21]),
        disposition=None if fields[22] is None else Disposition(fields[22]),
        hangup_cause=None if fields[23] is None else counted(fields[23]),
    )
