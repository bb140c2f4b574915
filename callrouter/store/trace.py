"""A call as JSON and back, exactly: the `trace` column, and the lines of the spool.

The trace holds what the columns of `calls` do not: the visits with the value that decided each, queue visits, dials,
messages and callbacks, each as an array whose places have fixed meanings (`core.parts`), nodes by their names.

    {"visits": [["hours", "open", "Mon 09:12", 10000], …],
     "queues": [["medical", 21500000, 1, 21600000, "anne", 30100000, 95000000, "answered"]],
     "dials": [["on_call", 1000000, null, 21000000, "no_answer"]],
     "messages": [["…", "take", "email", 40200000, 14.0]],
     "callbacks": [["+33612340001", "offer", 41000000]],
     "step": 5, "node": "secretaries", "rest": {…}}

`step` and `node` are where it ended; `rest` holds what else a call has, where it is not empty. Arrays, because JSONB
sorts the names of every object: with names PostgreSQL spends twice the time on a row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import structs

from callrouter.core.call import (
    DEFAULT_PBX,
    NOTHING_EARLIER,
    Call,
    CallerId,
    CallState,
    Clocks,
    Disposition,
    Earlier,
    Hold,
    Leg,
    Offer,
    Presentation,
    Recording,
    Revision,
)
from callrouter.core.parts import (
    BY_NAME,
    MICROSECOND,
    PartsReader,
    write_callbacks,
    write_dials,
    write_holds,
    write_legs,
    write_messages,
    write_offers,
    write_queue_visits,
    write_recordings,
    write_visits,
)

BLANK_TRACE: Final[Mapping[str, Any]] = {"gone": True}
"""What stands in a row whose trace was deleted because its time was over, or with the person whose call it was."""

CLOCKS = ("ringing_at", "answered_at", "entered_service_at", "offered_at", "bridged_at", "ended_at")
"""The columns of the clocks, by the names of `Clocks`."""

_encode = msgspec.json.Encoder().encode
_encode_odd = json.JSONEncoder(ensure_ascii=False).encode


_decode = msgspec.json.Decoder().decode


def _json(value: object) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, from a caller's name: text to Python, and to nobody else
        return _encode_odd(value)


def trace_json(call: Call, queues: list[Any] | None = None) -> str:
    """The trace of a call as a JSON text; `queues` are its `queue_parts`, where somebody has made them already."""
    return _json(_trace(call, queue_parts(call) if queues is None else queues))


def queue_parts(call: Call) -> list[Any]:
    """The queue visits of a call as they stand in its trace."""
    return write_queue_visits(call.queue_visits, _offset(call.clocks.ringing_at)) if call.queue_visits else []


def variables_json(call: Call) -> str:
    """The variables of a call as a JSON text."""
    return _json(call.variables) if call.variables else "{}"


def call_json(call: Call) -> str:
    """A whole call on one line."""
    head = {
        "call_id": call.call_id,
        "pbx": call.pbx,
        "epoch": call.revision.epoch,
        "revision": call.revision.count,
        "client": call.client,
        "plan_version": call.plan_version,
        "did": call.did,
        "caller_number": call.caller.number,
        "caller_name": call.caller.name,
        "presentation": call.caller.presentation,
        "diverted_from": call.diverted_from,
        "disposition": call.disposition,
        "hangup_cause": call.hangup_cause,
        "variables": dict(call.variables),
    }
    for name in CLOCKS:
        at: datetime | None = getattr(call.clocks, name)
        head[name] = at.isoformat() if at else None
    base = call.clocks.ringing_at
    after = _offset(base)
    parts = {
        "offers": write_offers(call.offers, after),
        "legs": write_legs(call.legs, after),
        "holds": write_holds(call.holds, after),
        "recordings": write_recordings(call.recordings, after),
    }
    return _json(
        head | {"trace": _trace(call, queue_parts(call))} | {name: part for name, part in parts.items() if part}
    )


def _offset(base: datetime) -> Callable[[datetime | None], int | None]:
    return lambda at: None if at is None else (at - base) // MICROSECOND


def call_from_json(line: str) -> Call:
    """The call of a line that `call_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: it did not.
    """
    fields = _read(line)
    for name in CLOCKS:
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    read = PartsReader(fields["ringing_at"].astimezone(UTC))
    grown = Grown(
        offers=tuple(map(read.offer, fields.get("offers", ()))),
        legs=tuple(map(read.leg, fields.get("legs", ()))),
        holds=tuple(map(read.hold, fields.get("holds", ()))),
        recordings=tuple(map(read.recording, fields.get("recordings", ()))),
    )
    return call_from_fields(fields, grown)


def _read(line: str) -> Any:
    try:
        return _decode(line)
    except ValueError:  # half of a surrogate pair again, or no JSON: Python's own says what it is
        return json.loads(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What has grown with a call: rows of their own."""

    offers: tuple[Offer, ...] = ()
    legs: tuple[Leg, ...] = ()
    holds: tuple[Hold, ...] = ()
    recordings: tuple[Recording, ...] = ()


NOTHING_GROWN: Final = Grown()


_GONE: Final[Mapping[str, Any]] = {"visits": (), "step": 0, "node": ""}
"""How a call reads whose trace is gone: its row says what it was, and nothing how it came there."""


def call_from_fields(fields: Mapping[Any, Any], grown: Grown = NOTHING_GROWN) -> Call:
    """The call of a row of `calls`: its columns by name, instants as datetimes, variables and trace as parsed JSON.

    Raises:
        ValueError, KeyError, TypeError: it is no such row.
    """
    clocks: dict[str, Any] = {name: None if fields[name] is None else fields[name].astimezone(UTC) for name in CLOCKS}
    read = PartsReader(clocks["ringing_at"])
    trace = _GONE if fields["trace"] == BLANK_TRACE else fields["trace"]
    rest = trace.get("rest", {})
    disposition = fields["disposition"]
    return Call(
        call_id=fields["call_id"],
        # A line that the release before spooled has neither, and in its rows they may be empty.
        pbx=fields.get("pbx") or DEFAULT_PBX,
        revision=Revision(fields.get("epoch") or 0, 1 if fields.get("revision") is None else fields["revision"]),
        client=fields["client"],
        plan_version=fields["plan_version"],
        did=fields["did"],
        caller=CallerId(
            number=fields["caller_number"],
            name=fields["caller_name"],
            presentation=Presentation(fields["presentation"]),
        ),
        diverted_from=fields["diverted_from"],
        state=CallState(rest.get("state", CallState.ENDED)),
        step=trace["step"],
        node=trace["node"],
        memory=rest.get("memory", {}),
        digits=rest.get("digits", ""),
        variables=fields["variables"],
        clocks=Clocks(**clocks),
        visits=tuple(map(read.visit, trace["visits"])),
        visits_dropped=rest.get("visits_dropped", 0),
        queue_visits=tuple(map(read.queue_visit, trace.get("queues", ()))),
        dials=tuple(map(read.dial, trace.get("dials", ()))),
        earlier=Earlier(**rest["earlier"]) if "earlier" in rest else NOTHING_EARLIER,
        offers=grown.offers,
        offers_made=rest.get("offers_made", 0),
        legs=grown.legs,
        legs_made=rest.get("legs_made", 0),
        holds=grown.holds,
        recordings=grown.recordings,
        recordings_made=rest.get("recordings_made", 0),
        held_seconds=rest.get("held_seconds", 0.0),
        messages=tuple(map(read.message, trace.get("messages", ()))),
        callbacks=tuple(map(read.callback, trace.get("callbacks", ()))),
        recording_at=read.at_or_none(rest.get("recording_at")),
        verdict=Disposition(rest["verdict"]) if "verdict" in rest else None,
        disposition=Disposition(disposition) if disposition else None,
        hangup_cause=fields["hangup_cause"],
    )


def cleaned(call: Call) -> Call:
    """The same call without what PostgreSQL's text and JSON cannot hold.

    NUL and lone surrogates (a caller's name in a wrong encoding) become U+FFFD, the sign for an unreadable character.
    """
    return call_from_json(json.dumps(_cleaned(json.loads(call_json(call)))))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


def _trace(call: Call, queues: list[Any]) -> dict[str, object]:
    base = call.clocks.ringing_at
    after = _offset(base)
    # Integers, because they are written four times as fast as floats, and a call has a dozen of them.
    trace: dict[str, object] = {"visits": write_visits(call.visits, base, BY_NAME)}
    if queues:
        trace["queues"] = queues
    if call.dials:
        trace["dials"] = write_dials(call.dials, after)
    if call.messages:
        trace["messages"] = write_messages(call.messages, after, BY_NAME)
    if call.callbacks:
        trace["callbacks"] = write_callbacks(call.callbacks, after, BY_NAME)
    trace["step"] = call.step
    trace["node"] = call.node
    if rest := _rest(call, after(call.recording_at)):
        trace["rest"] = rest
    return trace


def _rest(call: Call, recording_at: int | None) -> dict[str, object]:
    """What an ended call has at most a little of."""
    rest: dict[str, object] = {}
    if call.state is not CallState.ENDED:
        rest["state"] = call.state
    if call.memory:
        rest["memory"] = dict(call.memory)
    if call.digits:
        rest["digits"] = call.digits
    if call.visits_dropped:
        rest["visits_dropped"] = call.visits_dropped
    if call.earlier is not NOTHING_EARLIER:
        rest["earlier"] = structs.asdict(call.earlier)
    if call.offers_made:
        rest["offers_made"] = call.offers_made
    if call.legs_made:
        rest["legs_made"] = call.legs_made
    if call.recordings_made:
        rest["recordings_made"] = call.recordings_made
    if call.held_seconds:
        rest["held_seconds"] = call.held_seconds
    if recording_at is not None:
        rest["recording_at"] = recording_at
    if call.verdict:
        rest["verdict"] = call.verdict
    return rest
