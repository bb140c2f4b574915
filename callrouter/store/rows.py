"""A call that has ended as rows for COPY: tuples in the order of the columns, JSON as text.

This runs for every call in the engine's own loop, so it is written for speed: about ten microseconds a call. The
check for what PostgreSQL cannot hold is left to PostgreSQL, unless the call was refused once (`Rows.add`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from callrouter.core.call import Call
from callrouter.core.explain import nodes_reached
from callrouter.store import tables
from callrouter.store.trace import cleaned, trace_json, variables_json

CALL_COLUMNS = tuple(column.name for column in tables.calls.columns)
QUEUE_VISIT_COLUMNS = tuple(column.name for column in tables.queue_visits.columns)
MESSAGE_COLUMNS = tuple(column.name for column in tables.messages.columns)
CALLBACK_COLUMNS = tuple(column.name for column in tables.callbacks.columns)

Row = tuple[Any, ...]


@dataclass(slots=True)
class Rows:
    """The rows of a batch of calls, by table."""

    calls: list[Row] = field(default_factory=list)
    queue_visits: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    callbacks: list[Row] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Add a call, cleaned of what PostgreSQL cannot hold.

        Raises:
            ValueError: the call has not ended.
        """
        row = call_row(call)
        if not _storable(row):
            call = cleaned(call)
            row = call_row(call)
        self.calls.append(row)
        self.add_parts(call)

    def add_parts(self, call: Call) -> None:
        """Add the queue visits, messages and callbacks of a call that has ended."""
        ended_at = call.clocks.ended_at
        assert ended_at is not None
        for position, visit in enumerate(call.queue_visits, start=1):
            self.queue_visits.append(
                (
                    call.call_id,
                    position,
                    visit.queue,
                    visit.entered_at,
                    visit.offered_at,
                    visit.offers,
                    visit.agent,
                    visit.answered_at,
                    visit.left_at,
                    visit.outcome,
                    visit.waiting_seconds(ended_at),
                )
            )
        for position, message in enumerate(call.messages, start=1):
            self.messages.append(
                (
                    call.call_id,
                    position,
                    call.client,
                    message.recording,
                    message.seconds,
                    message.deliver,
                    message.started_at,
                    message.node,
                    "recorded",
                )
            )
        for position, callback in enumerate(call.callbacks, start=1):
            self.callbacks.append(
                (call.call_id, position, call.client, callback.number, callback.node, callback.asked_at, "open")
            )


def call_row(call: Call) -> Row:
    """The row of `calls`.

    Raises:
        ValueError: the call has not ended.
    """
    clocks, caller = call.clocks, call.caller
    if clocks.ended_at is None or call.disposition is None:
        raise ValueError(f"call {call.call_id} has not ended: it has no row yet")
    return (
        call.call_id,
        call.client,
        call.plan_version,
        call.did,
        caller.number,
        caller.name,
        caller.presentation,
        call.diverted_from,
        call.disposition,
        call.hangup_cause,
        clocks.ringing_at,
        clocks.answered_at,
        clocks.entered_service_at,
        clocks.offered_at,
        clocks.bridged_at,
        clocks.ended_at,
        call.waiting_seconds(clocks.ended_at),
        call.talk_seconds(),
        call.agent if call.queue_visits else None,
        " → ".join(nodes_reached(call)),
        variables_json(call),
        trace_json(call),
    )


_TEXTS = [
    CALL_COLUMNS.index(name)
    for name in ("call_id", "client", "plan_version", "did", "caller_number", "caller_name", "diverted_from", "agent")
]
_NODE_PATH, _VARIABLES, _TRACE = (CALL_COLUMNS.index(name) for name in ("node_path", "variables", "trace"))


def _storable(row: Row) -> bool:
    """Whether PostgreSQL can hold the texts of a row; what the visits and messages say stands in the trace too."""
    plain = "".join([row[index] or "" for index in _TEXTS]) + row[_NODE_PATH]
    # NUL is \u0000 in JSON; a caller who spells those six characters only causes a needless look.
    if "\x00" in plain or "\\u0000" in row[_TRACE] or "\\u0000" in row[_VARIABLES]:
        return False
    try:
        for text in (plain, row[_TRACE], row[_VARIABLES]):
            if not text.isascii():
                text.encode()
    except UnicodeEncodeError:
        return False
    return True
