"""Recordings of conversations: asked for when the caller begins to wait, begun when somebody answers them. Pure.

The switch records while the caller talks to somebody, and goes on through transfers, until their channel ends or the
queue has let them go. The caller may object from the announcement to the end: nothing more is recorded then, and the
file is deleted. Who objected once is not asked again in this call, and nothing of them is recorded.

Each turn is stamped in the journey, as a passage of the node that asked for the recording (`STAMP`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callrouter.core.call import Call, CallState, Recording, Visit, replace
from callrouter.core.inputs import RecordingSign, RecordingTold

STAMP: Final = "recording"
"""The exit of a stamp; the value says what happened."""
MAX_PAUSES: Final = 20
"""Of one recording: each leaves two stamps, and they travel with the call."""
MOST_KEEP_DAYS: Final = 183
"""Six months: the CNIL's limit for recordings of conversations."""


def name_of(call_id: str, number: int) -> str:
    """The name of a conversation's recording, without folder or suffix."""
    return f"{call_id}-c{number}"


def ask(call: Call, key: str, keep_days: int, at: datetime) -> Call:
    """The conversation that the caller waits for is to be recorded; one that went on through a transfer ends."""
    call = close(call, at)
    number = call.recordings_made + 1
    asked = Recording(number=number, key=key, keep_days=keep_days)
    return replace(call, recordings=(*call.recordings, asked), recordings_made=number)


def object_ahead(call: Call, key: str, at: datetime) -> Call:
    """The caller objects before anything was asked for."""
    call = ask(call, key, 0, at)
    return _objected(call, call.recordings[-1], at)


def is_asked_for(call: Call) -> bool:
    """Whether what the caller waits for, or the conversation they are in, is to be recorded."""
    one = _current(call)
    return one is not None and one.objected_at is None


def objected(call: Call) -> bool:
    """Whether the caller has objected."""
    return any(one.objected_at is not None for one in call.recordings)


def begin(call: Call, at: datetime) -> Call:
    """Somebody has answered."""
    one = _current(call)
    if one is None or one.began_at is not None or one.objected_at is not None:
        return call
    leg = max((leg.number for leg in call.legs if leg.open), default=0)
    return _put(call, replace(one, began_at=at, leg=leg), at, "began")


def hear(call: Call, told: RecordingTold) -> Call:
    """A recording was paused, resumed or objected to; what changes nothing is ignored."""
    one = _current(call)
    if one is None or one.objected_at is not None:
        return call
    by = f" by {told.by}" if told.by else ""
    match told.sign:
        case RecordingSign.OBJECTED:
            return _objected(call, one, told.at)
        case RecordingSign.PAUSED if one.runs and one.paused_at is None and one.pauses < MAX_PAUSES:
            return _put(call, replace(one, paused_at=told.at, pauses=one.pauses + 1), told.at, f"paused{by}")
        case RecordingSign.RESUMED if one.runs and one.paused_at is not None:
            return _put(call, _resumed(one, told.at), told.at, f"resumed{by}")
        case _:
            return call


def press(call: Call, digit: str, at: datetime) -> Call:
    """A key of the caller's while they wait or talk: it may object."""
    one = _current(call)
    if one is None or one.key != digit or one.objected_at is not None or call.state not in _MAY_OBJECT:
        return call
    return _objected(call, one, at)


def close(call: Call, at: datetime) -> Call:
    """The wait, or the conversation, is over."""
    one = _current(call)
    return call if one is None else _replace(call, replace(_resumed(one, at), ended_at=at))


def kept(call: Call) -> tuple[Recording, ...]:
    """What a successor must know: what is open, and that the caller objected."""
    return tuple(one for one in call.recordings if one.ended_at is None or one.objected_at is not None)


def made(call: Call) -> tuple[Recording, ...]:
    """Those of which there is, or was, a file."""
    return tuple(one for one in call.recordings if one.began_at is not None)


def changed(before: Call, after: Call) -> list[Recording]:
    """Those of which something new is known since."""
    if after.recordings is before.recordings:
        return []
    known = {one.number: one for one in before.recordings}
    return [one for one in after.recordings if known.get(one.number) != one]


_MAY_OBJECT: Final = frozenset({CallState.QUEUED, CallState.CONNECTED, CallState.DIALLING})
"""While they are rung through to a colleague, the recording goes on, too."""


def _current(call: Call) -> Recording | None:
    last = call.recordings[-1] if call.recordings else None
    return last if last is not None and last.ended_at is None else None


def _objected(call: Call, one: Recording, at: datetime) -> Call:
    return _put(call, replace(_resumed(one, at), objected_at=at, ended_at=at), at, f"objected (key {one.key})")


def _resumed(one: Recording, at: datetime) -> Recording:
    if one.paused_at is None:
        return one
    paused = max(0.0, (at - one.paused_at).total_seconds())
    return replace(one, paused_at=None, paused_seconds=one.paused_seconds + paused)


def _put(call: Call, one: Recording, at: datetime, what: str) -> Call:
    stamp = Visit(node=call.node, exit=STAMP, because=what, at=at)
    return replace(_replace(call, one), visits=(*call.visits, stamp))


def _replace(call: Call, one: Recording) -> Call:
    return replace(call, recordings=(*call.recordings[:-1], one))
