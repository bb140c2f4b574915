"""A call as JSON and back, exactly: the `trace` column, and the lines of the spool.

The trace holds what the columns of `calls` do not: the visits with the value that decided each, queue visits, dials,
messages and callbacks. Instants in it are microseconds after `ringing_at`. It is written by hand, because it is
made for every call, and by the standard library's own escaper; it is read by `json`.

    {"visits": [{"node": "hours", "exit": "open", "because": "Mon 09:12", "at": 10000}, …],
     "queues": [{"queue": "medical", "entered": 21500000, "offers": 1, "offered": 21600000, "agent": "anne",
                 "answered": 30100000, "left": 95000000, "outcome": "answered"}],
     "dials": [{"target": "on_call", "started": 1000000, "answered": null, "ended": 21000000, "outcome": "no_answer"}],
     "messages": [{"recording": "…", "node": "take", "deliver": "email", "started": 40200000, "seconds": 14.0}],
     "callbacks": [{"number": "+33612340001", "node": "offer", "asked": 41000000}],
     "step": 5, "node": "secretaries", "rest": {…}}

`step` and `node` are where it ended; `rest` holds what else a living call has, where it is not empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring as _quote
from typing import Any

from callrouter.core.call import (
    Call,
    Callback,
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

CLOCKS = ("ringing_at", "answered_at", "entered_service_at", "offered_at", "bridged_at", "ended_at")
"""The columns of the clocks, by the names of `Clocks`."""

_encode = json.JSONEncoder(ensure_ascii=False).encode


def trace_json(call: Call) -> str:
    """The trace of a call as a JSON text."""
    base = call.clocks.ringing_at
    visits = ",".join(
        [
            f'{{"node":{_quote(v.node)},"exit":{_quote(v.exit)},"because":{_quote(v.because)},'
            f'"at":{_micros(v.at - base)}}}'
            for v in call.visits
        ]
    )
    parts = [f'{{"visits":[{visits}]']
    if call.queue_visits:
        parts.append(f'"queues":[{",".join([_queue_visit(v, base) for v in call.queue_visits])}]')
    if call.dials:
        parts.append(f'"dials":[{",".join([_dial(d, base) for d in call.dials])}]')
    if call.messages:
        parts.append(f'"messages":[{",".join([_message(m, base) for m in call.messages])}]')
    if call.callbacks:
        parts.append(f'"callbacks":[{",".join([_callback(c, base) for c in call.callbacks])}]')
    parts.append(_rest(call))
    return ",".join(parts)


def variables_json(call: Call) -> str:
    """The variables of a call as a JSON text."""
    if not call.variables:
        return "{}"
    return f"{{{','.join([f'{_quote(name)}:{_quote(value)}' for name, value in call.variables.items()])}}}"


def call_json(call: Call) -> str:
    """A whole call on one line."""
    head = {
        "call_id": call.call_id,
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
    return f'{_encode(head)[:-1]}, "trace": {trace_json(call)}}}'


def call_from_json(line: str) -> Call:
    """The call of a line that `call_json` wrote.

    Raises:
        ValueError, KeyError, TypeError: it did not.
    """
    fields = json.loads(line)
    for name in CLOCKS:
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    return call_from_fields(fields)


def call_from_fields(fields: Mapping[Any, Any]) -> Call:
    """The call of a row of `calls`: its columns by name, instants as datetimes, variables and trace as parsed JSON.

    Raises:
        ValueError, KeyError, TypeError: it is no such row.
    """
    clocks: dict[str, Any] = {name: None if fields[name] is None else fields[name].astimezone(UTC) for name in CLOCKS}
    base: datetime = clocks["ringing_at"]
    trace = fields["trace"]
    rest = trace.get("rest", {})
    disposition = fields["disposition"]
    return Call(
        call_id=fields["call_id"],
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
        visits=tuple(
            Visit(node=v["node"], exit=v["exit"], because=v["because"], at=_at(base, v["at"])) for v in trace["visits"]
        ),
        visits_dropped=rest.get("visits_dropped", 0),
        queue_visits=tuple(_read_queue_visit(v, base) for v in trace.get("queues", ())),
        dials=tuple(_read_dial(d, base) for d in trace.get("dials", ())),
        messages=tuple(
            Message(
                recording=m["recording"],
                node=m["node"],
                deliver=m["deliver"],
                started_at=_at(base, m["started"]),
                seconds=m["seconds"],
            )
            for m in trace.get("messages", ())
        ),
        callbacks=tuple(
            Callback(number=c["number"], node=c["node"], asked_at=_at(base, c["asked"]))
            for c in trace.get("callbacks", ())
        ),
        recording_at=_maybe(base, rest.get("recording_at")),
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


def _offset(at: datetime | None, base: datetime) -> str:
    return "null" if at is None else str(_micros(at - base))


def _micros(after: timedelta) -> int:
    # Integers print four times as fast as floats, and a call has a dozen of them.
    return after.seconds * 1_000_000 + after.microseconds + after.days * 86_400_000_000


def _maybe_quote(text: str | None) -> str:
    return "null" if text is None else _quote(text)


def _queue_visit(v: QueueVisit, base: datetime) -> str:
    return (
        f'{{"queue":{_quote(v.queue)},"entered":{_offset(v.entered_at, base)},"offers":{v.offers},'
        f'"offered":{_offset(v.offered_at, base)},"agent":{_maybe_quote(v.agent)},'
        f'"answered":{_offset(v.answered_at, base)},"left":{_offset(v.left_at, base)},'
        f'"outcome":{_maybe_quote(v.outcome)}}}'
    )


def _dial(d: DialAttempt, base: datetime) -> str:
    return (
        f'{{"target":{_quote(d.target)},"started":{_offset(d.started_at, base)},'
        f'"answered":{_offset(d.answered_at, base)},"ended":{_offset(d.ended_at, base)},'
        f'"outcome":{_maybe_quote(d.outcome)}}}'
    )


def _message(m: Message, base: datetime) -> str:
    return (
        f'{{"recording":{_quote(m.recording)},"node":{_quote(m.node)},"deliver":{_quote(m.deliver)},'
        f'"started":{_offset(m.started_at, base)},"seconds":{m.seconds!r}}}'
    )


def _callback(c: Callback, base: datetime) -> str:
    return f'{{"number":{_quote(c.number)},"node":{_quote(c.node)},"asked":{_offset(c.asked_at, base)}}}'


def _rest(call: Call) -> str:
    """What an ended call has at most a little of, behind the step and the node it ended in."""
    rest: dict[str, Any] = {}
    if call.state is not CallState.ENDED:
        rest["state"] = call.state
    if call.memory:
        rest["memory"] = dict(call.memory)
    if call.digits:
        rest["digits"] = call.digits
    if call.visits_dropped:
        rest["visits_dropped"] = call.visits_dropped
    if call.recording_at:
        rest["recording_at"] = _micros(call.recording_at - call.clocks.ringing_at)
    if call.verdict:
        rest["verdict"] = call.verdict
    more = f',"rest":{_encode(rest)}' if rest else ""
    return f'"step":{call.step},"node":{_quote(call.node)}{more}}}'


def _at(base: datetime, micros: int) -> datetime:
    return base + timedelta(microseconds=micros)


def _maybe(base: datetime, micros: int | None) -> datetime | None:
    return None if micros is None else _at(base, micros)


def _read_queue_visit(v: Mapping[str, Any], base: datetime) -> QueueVisit:
    return QueueVisit(
        queue=v["queue"],
        entered_at=_at(base, v["entered"]),
        offers=v["offers"],
        offered_at=_maybe(base, v["offered"]),
        agent=v["agent"],
        answered_at=_maybe(base, v["answered"]),
        left_at=_maybe(base, v["left"]),
        outcome=QueueOutcome(v["outcome"]) if v["outcome"] else None,
    )


def _read_dial(d: Mapping[str, Any], base: datetime) -> DialAttempt:
    return DialAttempt(
        target=d["target"],
        started_at=_at(base, d["started"]),
        answered_at=_maybe(base, d["answered"]),
        ended_at=_maybe(base, d["ended"]),
        outcome=DialOutcome(d["outcome"]) if d["outcome"] else None,
    )
