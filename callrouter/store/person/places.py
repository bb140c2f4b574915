"""Where persons are in the record: rows of theirs, and texts in which their number may stand.

A person's own calls are those that rang by their number. What hangs on them is theirs: what was said, written, told and
asked for. Elsewhere their number may stand in a text, which somebody else's row has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

OWN: Final[Mapping[str, str]] = {
    "calls": "caller_number = ANY(:numbers)",
    "superseded_calls": "call_id = ANY(:calls)",
    "messages": "caller_number = ANY(:numbers) OR (call_id <> '' AND call_id = ANY(:calls))",
    "recordings": "call_id = ANY(:calls) OR recording_id = ANY(:recordings)",
    "callbacks": "number = ANY(:numbers) OR call_id = ANY(:calls)",
    "outgoing_calls": "number = ANY(:numbers)",
    "deliveries": "call_id = ANY(:calls) OR message_id = ANY(:messages)",
}
"""Rows of a person, by table."""
WITH_THEM: Final[Mapping[str, str]] = {
    "queue_visits": "call_id = ANY(:calls)",
    "offers": "call_id = ANY(:calls)",
    "follow_ups": "call_id = ANY(:calls)",
    "message_changes": "message_id = ANY(:messages)",
    "dispatch_events": "message_id = ANY(:messages)",
}
"""What is exported beside them: nothing in it tells who they are, or it is blanked with its message."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Columns of a table in which a number may stand."""

    table: str
    key: str
    """The first column of its primary key, a text: by ranges of it the table is read."""
    columns: Sequence[str]
    json: Sequence[str] = ()
    """Those of them that are JSON."""


TEXTS: Final = (
    Texts("calls", "call_id", ("diverted_from", "variables", "trace"), ("variables", "trace")),
    Texts("superseded_calls", "call_id", ("record",), ("record",)),
    Texts("messages", "message_id", ("text", "fields", "transcript"), ("fields",)),
    Texts("message_changes", "message_id", ("note", "before"), ("before",)),
    Texts("deliveries", "delivery_id", ("body", "address", "answer", "receipt_id")),
    Texts("dispatch_events", "message_id", ("detail", "contact", "principal")),
    Texts("legs", "leg_id", ("party",)),
    Texts("replies", "reply_id", ("sender",)),
    Texts("audit", "audit_id", ("object", "principal")),
)
"""Every text of the record that others than its own people may have written a number into."""
AT_ONCE: Final = 20_000
"""Rows that are looked through in one statement."""
