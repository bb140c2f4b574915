"""A call that has ended as rows for COPY: tuples in the order of the columns, JSON as text.

This runs for every call in the engine's own loop, so it is written for speed: about eight microseconds a call. The
check for what PostgreSQL cannot hold is left to PostgreSQL, unless the call was refused once (`Rows.add`).

Instants are integers here, microseconds after `POSTGRES_EPOCH`, which is how PostgreSQL sends and stores them: asyncpg
takes half a microsecond for a datetime, and a call has ten. A connection that writes rows is told by `expect_rows`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from callrouter.core.books.recordings import made as made_recordings
from callrouter.core.books.recordings import name_of
from callrouter.core.call import Call, CallerId, Hold, Leg, Message, Offer, Recording, Revision, message_id_of
from callrouter.core.explain import nodes_reached
from callrouter.core.forms import filled_of
from callrouter.store import tables
from callrouter.store.trace import cleaned, queue_parts, trace_json, variables_json

CALL_COLUMNS = tuple(column.name for column in tables.calls.columns)
QUEUE_VISIT_COLUMNS = tuple(column.name for column in tables.queue_visits.columns)
LEG_COLUMNS = (
    *("leg_id", "call_id", "number", "pbx", "purpose", "direction", "party", "began_at", "answered_at", "ended_at"),
    *("talk_seconds", "hold_seconds", "ended_by", "cause", "identity", "tech_cause", "trunk"),
    *("epoch", "revision"),
)
"""What a call knows of its legs."""
OFFER_COLUMNS = tuple(column.name for column in tables.offers.columns)
MESSAGE_COLUMNS = (
    *("message_id", "call_id", "position", "client", "recording", "seconds", "deliver", "started_at", "node", "state"),
    *("taken_at", "caller_number", "caller_name"),
    *("form", "fields", "labels", "text", "urgent"),
    "plan_version",
)
"""What a client's tree knows of a message that it took."""
CALLBACK_COLUMNS = ("call_id", "position", "client", "number", "node", "asked_at", "state")
"""What is known when a call ends; what becomes of a callback is written later (`outgoing.book`)."""
HOLD_COLUMNS = tuple(column.name for column in tables.holds.columns)
RECORDING_COLUMNS = (
    *("recording_id", "kind", "call_id", "client", "started_at", "seconds", "leg", "delete_after"),
    *("number", "paused_seconds", "objected_at", "epoch", "revision"),
)
"""What is known when a call ends; what its file holds is looked at later (`access.keeping`)."""

Row = tuple[Any, ...]

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_MESSAGE, _CONVERSATION = tables.RecordingKind.MESSAGE.value, tables.RecordingKind.CONVERSATION.value
_OF_NO_CONVERSATION = (None, None, None, None, None, 0, 1)
"""What stands for a message in the columns of conversations; whoever told it first, it is never changed."""
_BY_VOICE = (None, None, None, "", False)
"""What stands for a spoken message in the columns of forms."""
_INT64 = struct.Struct("!q")


async def expect_rows(connection: Any) -> None:
    """Have a connection of asyncpg's own take the instants of rows, and give them back, as integers."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_INT64.pack,
        decoder=lambda data: _INT64.unpack(data)[0],
        format="binary",
    )


@dataclass(slots=True)
class Rows:
    """The rows of a batch of calls, by table."""

    calls: list[Row] = field(default_factory=list)
    queue_visits: list[Row] = field(default_factory=list)
    offers: list[Row] = field(default_factory=list)
    legs: list[Row] = field(default_factory=list)
    holds: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)
    message_recordings: list[Row] = field(default_factory=list)
    """Rows of `recordings`, those of messages."""
    recordings: list[Row] = field(default_factory=list)
    callbacks: list[Row] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Add a call, cleaned of what PostgreSQL cannot hold.

        Raises:
            ValueError: the call has not ended.
        """
        visits, messages, spoken = len(self.queue_visits), len(self.messages), len(self.message_recordings)
        recordings, callbacks = len(self.recordings), len(self.callbacks)
        row = self.take(call)
        people = [one.agent + one.queue for one in call.offers] + [one.party + one.identity for one in call.legs]
        if not _storable(row, "".join(people)):
            del self.queue_visits[visits:], self.messages[messages:], self.message_recordings[spoken:]
            del self.recordings[recordings:], self.callbacks[callbacks:]
            call = cleaned(call)
            row = self.take(call)
        self.calls.append(row)
        self.offers += offer_rows(call)
        self.legs += leg_rows(call)
        self.holds += hold_rows(call)

    def take(self, call: Call) -> Row:
        """Add the visits, messages, recordings and callbacks of a call, and give back its own row.

        Its offers, legs and holds (`GROWN`) need nothing of what is computed here.

        Raises:
            ValueError: the call has not ended.
        """
        clocks, caller = call.clocks, call.caller
        ended_at = clocks.ended_at
        if ended_at is None or call.disposition is None:
            raise ValueError(f"call {call.call_id} has not ended: it has no row yet")
        # A difference of minutes takes two thirds of the time of one of years, so that alone is made for each instant.
        rang_at = clocks.ringing_at
        rang = (rang_at - POSTGRES_EPOCH) // _MICROSECOND

        def instant(at: datetime | None) -> int | None:
            return None if at is None else rang + (at - rang_at) // _MICROSECOND

        queues = queue_parts(call)
        waiting, talk, agent = self._take_queue_visits(call, rang, ended_at, queues)
        if call.recordings:
            made = made_recordings(call)
            self.recordings += [recording_row(call.call_id, call.client, call.revision, one) for one in made]
        if call.messages or call.callbacks:
            self._take_parts(call)
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
            rang,
            instant(clocks.answered_at),
            instant(clocks.entered_service_at),
            instant(clocks.offered_at),
            instant(clocks.bridged_at),
            instant(ended_at),
            waiting,
            talk,
            agent,
            tables.PATH_ARROW.join(nodes_reached(call)),
            variables_json(call),
            trace_json(call, queues),
            call.pbx,
            call.revision.epoch,
            call.revision.count,
        )

    def _take_queue_visits(
        self, call: Call, rang: int, ended_at: datetime, queues: Sequence[Sequence[Any]]
    ) -> tuple[float, float, str | None]:
        """Add the queue visits; gives `Call`'s waiting and talk seconds and agent, which are sums over them anyhow.

        `queues` are their arrays in the trace, whose instants count from when the call `rang`: so they are computed
        once, and `QueueVisit.waiting_seconds` and `talk_seconds` are differences of integers here.
        """
        earlier = call.earlier
        waiting = talk = 0.0
        agent = earlier.agent
        for position, visit in enumerate(queues, start=1):
            queue, entered, offers, offered, rung, answered, left, outcome = visit
            if answered is not None or left is not None:
                waited = max(0, (left if answered is None else answered) - entered) / _SECOND
            else:
                waited = call.queue_visits[position - 1].waiting_seconds(ended_at)
            waiting += waited
            if answered is not None:
                talk += max(0, left - answered) / _SECOND if left is not None else 0.0
                agent = rung
            self.queue_visits.append(
                (
                    call.call_id,
                    position,
                    queue,
                    rang + entered,
                    None if offered is None else rang + offered,
                    offers,
                    rung,
                    None if answered is None else rang + answered,
                    None if left is None else rang + left,
                    outcome,
                    waited,
                    call.pbx,
                )
            )
        waiting += earlier.waiting_seconds
        talk += earlier.talk_seconds
        if call.dials:
            waiting += sum([dial.waiting_seconds(ended_at) for dial in call.dials])
            talk += sum([dial.talk_seconds() for dial in call.dials])
            if any(dial.agent for dial in call.dials):  # a colleague, whom an agent gave the caller to
                agent = call.agent
        return waiting, max(0.0, talk - call.held_seconds), agent

    def take_message(
        self, call_id: str, client: str, plan_version: str, caller: CallerId, position: int, message: Message
    ) -> None:
        """Add a message, and its recording if it has one: the `position`th of a call."""
        self.messages.append(message_row(call_id, client, plan_version, caller, position, message))
        if not message.recording:  # a form: there is nothing to be heard
            return
        known = (message.recording, _MESSAGE, call_id, client, _instant(message.started_at), message.seconds)
        self.message_recordings.append((*known, *_OF_NO_CONVERSATION))

    def _take_parts(self, call: Call) -> None:
        for position, message in enumerate(call.messages, start=1):
            self.take_message(call.call_id, call.client, call.plan_version, call.caller, position, message)
        for position, callback in enumerate(call.callbacks, start=1):
            self.callbacks.append(
                (
                    call.call_id,
                    position,
                    call.client,
                    callback.number,
                    callback.node,
                    _instant(callback.asked_at),
                    "open",
                )
            )


def offer_row(call_id: str, revision: Revision, offer: Offer) -> Row:
    """An offer as it was known when the call had this revision."""
    return (
        call_id,
        offer.number,
        offer.queue,
        offer.agent,
        _instant(offer.began_at),
        _instant(offer.ended_at),
        offer.outcome,
        offer.cause,
        revision.epoch,
        revision.count,
    )


def leg_row(call_id: str, pbx: str, revision: Revision, leg: Leg) -> Row:
    """A leg as it was known when the call had this revision."""
    return (
        f"{call_id}/{leg.number}",
        call_id,
        leg.number,
        pbx,
        leg.purpose,
        leg.direction,
        leg.party,
        _instant(leg.began_at),
        _instant(leg.answered_at),
        _instant(leg.ended_at),
        leg.talk_seconds(),
        leg.hold_seconds,
        leg.ended_by,
        leg.cause,
        leg.identity or None,
        str(leg.sip) if leg.sip else None,
        leg.trunk or None,
        revision.epoch,
        revision.count,
    )


def hold_row(call_id: str, revision: Revision, hold: Hold) -> Row:
    """A hold as it was known when the call had this revision."""
    return (
        f"{call_id}/{hold.leg}",
        hold.number,
        call_id,
        _instant(hold.began_at),
        _instant(hold.ended_at),
        revision.epoch,
        revision.count,
    )


def offer_rows(call: Call) -> list[Row]:
    """Of all offers of a call."""
    return [offer_row(call.call_id, call.revision, one) for one in call.offers]


def leg_rows(call: Call) -> list[Row]:
    """Of all its legs."""
    return [leg_row(call.call_id, call.pbx, call.revision, one) for one in call.legs]


def hold_rows(call: Call) -> list[Row]:
    """Of all its holds."""
    return [hold_row(call.call_id, call.revision, one) for one in call.holds]


def message_row(call_id: str, client: str, plan_version: str, caller: CallerId, position: int, message: Message) -> Row:
    """A message that the tree took, the `position`th of a call: whoever tells it, and when, it is the same row."""
    known = (
        message_id_of(call_id, position),
        call_id,
        position,
        client,
        message.recording,
        message.seconds,
        message.deliver,
        _instant(message.started_at),
        message.node,
        tables.MessageState.OPEN.value,
        _instant(message.started_at + timedelta(seconds=message.seconds)),
    )
    if not message.form:
        return (*known, caller.number, caller.name, *_BY_VOICE, plan_version)
    found = filled_of(message.values, caller_number=caller.number)
    return (
        *known,
        found.caller_number,
        found.caller_name or caller.name,
        message.form,
        json.dumps(dict(found.values), ensure_ascii=False),
        json.dumps([(value.name, value.label) for value in message.values], ensure_ascii=False),
        found.text,
        found.urgent,
        plan_version,
    )


GROWN: Final[Mapping[str, tuple[Sequence[str], Callable[[Call], list[Row]]]]] = {
    "offers": (OFFER_COLUMNS, offer_rows),
    "legs": (LEG_COLUMNS, leg_rows),
    "holds": (HOLD_COLUMNS, hold_rows),
}
"""Tables of what grows with a call: their columns, and the rows of a call."""


def recording_row(call_id: str, client: str, revision: Revision, recording: Recording) -> Row:
    """The recording of a conversation, one that was begun, as it was known when the call had this revision."""
    began_at = recording.began_at
    assert began_at is not None
    return (
        name_of(call_id, recording.number),
        _CONVERSATION,
        call_id,
        client,
        _instant(began_at),
        recording.seconds(),
        f"{call_id}/{recording.leg}" if recording.leg else None,
        _instant(began_at + timedelta(days=recording.keep_days)),
        recording.number,
        recording.paused_seconds,
        _instant(recording.objected_at),
        revision.epoch,
        revision.count,
    )


def _instant(at: datetime | None) -> int | None:
    return None if at is None else (at - POSTGRES_EPOCH) // _MICROSECOND


_TEXTS = [
    CALL_COLUMNS.index(name)
    for name in ("call_id", "client", "plan_version", "did", "caller_number", "caller_name", "diverted_from", "agent")
]
_NODE_PATH, _VARIABLES, _TRACE = (CALL_COLUMNS.index(name) for name in ("node_path", "variables", "trace"))


def _storable(row: Row, parts: str) -> bool:
    """Whether PostgreSQL can hold the texts of a row, and of the parts that do not stand in its trace too."""
    plain = "".join([row[index] or "" for index in _TEXTS]) + row[_NODE_PATH] + parts
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
