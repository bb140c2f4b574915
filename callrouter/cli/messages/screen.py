"""A message as lines for a person: what it says, and everything that was done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from callrouter.logs import safe_text
from callrouter.store.messages import MessageChange, StoredMessage
from callrouter.store.taken.composing import labelled

_LONGEST: Final = 4_000
"""Characters of a line: a text may be one."""
_WORDS: Final = {"caller_number": "number", "caller_name": "name", "deliver": "for"}


def line_of(message: StoredMessage) -> str:
    """One line of a list."""
    urgent = "  URGENT" if message.urgent else ""
    to = f"  for {message.deliver}" if message.deliver else ""
    said = message.text.replace("\n", " ") or (f"{message.seconds or 0:.0f} s by voice" if message.recording else "")
    said = said or ", ".join(value for *_, value in labelled(message))
    shown = said if len(said) <= 80 else f"{said[:79]}…"
    whose = f"{message.client}  {_caller(message)}  {message.message_id}"
    return safe_text(f"{at_second(message.started_at)}  {message.state:<4}  {whose}{urgent}{to}: {shown}")


def screen_of(message: StoredMessage, changes: list[MessageChange]) -> Iterator[str]:
    """All of one."""
    urgent = ", urgent" if message.urgent else ""
    yield safe_text(f"{message.message_id}: {message.state}{urgent}")
    by = message.taken_by or (f"the tree ({message.node})" if message.node else "the tree")
    call = f" in call {message.call_id}" if message.call_id else ""
    yield safe_text(f"{message.client}, for {message.deliver or 'nobody named'}, from {_caller(message)}")
    form = f", form {message.form}" if message.form else ""
    yield safe_text(f"taken {at_second(message.taken_at)} by {by}{call}{form}")
    if message.recording:
        yield safe_text(f"recording {message.recording}, {message.seconds or 0:.0f} s")
    fields = labelled(message)
    width = max((len(label) for _, label, _ in fields), default=0)
    for _, label, value in fields:
        yield safe_text(f"    {label:<{width}}  {value}", _LONGEST)
    if not message.form:
        for line in message.text.splitlines():
            yield safe_text(f"    {line}", _LONGEST)
    if message.transcript:
        yield safe_text(f"transcript, by a machine ({message.transcript_by}):")
        for line in message.transcript.splitlines():
            yield safe_text(f"    {line}", _LONGEST)
    for change, after in zip(changes, _afterwards(message, changes), strict=True):
        note = f": {change.note}" if change.note else ""
        yield safe_text(f"{at_second(change.at)}  {change.principal}  {change.change}{note}")
        if change.change in ("done", "reopened"):
            continue
        for what, before, now in _replaced(change.before, after, dict(message.labels)):
            yield safe_text(f"    {what}: {before or 'nothing'} → {now or 'nothing'}", _LONGEST)


def _afterwards(message: StoredMessage, changes: list[MessageChange]) -> list[Mapping[str, Any]]:
    """By change: the values that it put in the place of those that stood there."""
    standing = {name: getattr(message, name) for name in ("fields", "text", "urgent", "deliver", "state")}
    standing |= {"caller_number": message.caller_number, "caller_name": message.caller_name}
    found: list[Mapping[str, Any]] = []
    for change in reversed(changes):
        found.append({name: standing.get(name) for name in change.before})
        standing |= change.before
    return found[::-1]


def _replaced(
    before: Mapping[str, Any], after: Mapping[str, Any], labels: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    fields = "fields" in before
    for name in [one for one in labels if fields]:
        old, new = ((values["fields"] or {}).get(name, "") for values in (before, after))
        if old != new:
            yield labels[name], old, new
    for name, value in before.items():
        # What the fields say is said by them.
        if name != "fields" and not (fields and name in ("text", "caller_number", "caller_name")):
            yield _WORDS.get(name, name), _shown(value), _shown(after[name])


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).replace("\n", " ")


def _caller(message: StoredMessage) -> str:
    return " ".join(part for part in (message.caller_name, message.caller_number) if part) or "nobody knows whom"


def at_second(at: datetime) -> str:
    """An instant, for a person."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
