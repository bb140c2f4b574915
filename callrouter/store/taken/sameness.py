"""Whether a message that is sent is one that is kept: a desk repeats what it had no answer to, under the same id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from callrouter.store.messages import MessageChange, StoredMessage, TakenMessage

Kept = tuple[StoredMessage, list[MessageChange]]
"""A message as the record has it, with what was changed of it since."""

_CONTENT: Final = ("client", "call_id", "form", "text", "urgent", "caller_number", "caller_name", "deliver")
"""What its sender says of it. When it was taken is ours, and labels are the form's; who sent it may differ: a desk that
was given another token repeats all the same."""


def content_of(message: TakenMessage) -> Mapping[str, Any]:
    """What makes it this message and no other."""
    return _cleared({name: getattr(message, name) for name in (*_CONTENT, "fields")})


def content_of_kept(kept: Kept) -> Mapping[str, Any]:
    """The same of one in the record, as it was when it was taken: whatever was corrected since."""
    stored, changes = kept
    now = {name: getattr(stored, name) for name in (*_CONTENT, "fields")}
    before = _replaced(changes)
    return _cleared({name: before.get(name, value) for name, value in now.items()})


def is_same(message: TakenMessage, kept: Kept) -> bool:
    """Whether they are one, sent twice."""
    return content_of(message) == content_of_kept(kept)


def _replaced(changes: Sequence[MessageChange]) -> dict[str, Any]:
    """What stood there before the first change of each."""
    before: dict[str, Any] = {}
    for change in sorted(changes, key=lambda one: -one.number):
        before |= change.before
    return before


def _cleared(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is empty is the same, however it is written."""
    return {name: value or None for name, value in content.items()}
