"""What the record says of agents in a period, read in one statement, as columns of bytes.

To make an object of each value would take longer than PostgreSQL takes to find them.

Rows are found by when they began, an hour before the period at most, and what lasted longer than an hour by an index
of its own: few do. So nothing is too long to be found.

A conversation is a leg. Of calls that no engine had, and of those from before there were legs, only the visit is there:
one in which the agent has no leg just then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.agents.preference import team_of
from callrouter.core.agents.sessions import SessionKind
from callrouter.core.call import OfferOutcome
from callrouter.store.agents.spans import NO_SPANS, Integers, Numbers, Spans, instant, instants, near
from callrouter.store.agents.work import OUTCOMES, AgentRows


class WorkBy(StrEnum):
    """By what an agent's work is told apart."""

    CLIENT = "client"
    QUEUE = "queue"


class RowReader:
    """Reads agents' rows of one period, all by one connection."""

    def __init__(
        self,
        connection: AsyncConnection,
        bounds: Sequence[datetime],
        *,
        now: datetime,
        by: WorkBy | None,
        present: Mapping[str, str],
    ) -> None:
        """`bounds` are those of the period's parts, `present` a client's name by each that it had before."""
        self._connection = connection
        self._period = {"from_at": bounds[0], "to_at": bounds[-1]}
        self._bounds = np.array([instant(at) for at in bounds], dtype=np.int64)
        self._now = instant(now)
        self._by = by
        self._present = present

    async def everybody(self) -> list[str]:
        """Who has worked, was rung, or was logged in, at any time: by leaps through indexes."""
        return sorted(name for name in (await self._connection.execute(_EVERYBODY)).scalars() if name)

    async def rows_of(self, agents: Sequence[str]) -> list[tuple[str, AgentRows]]:
        """By agent, in their order. What lasts has lasted until now."""
        found = await self._connection.execute(_STATEMENTS[self._by], {**self._period, "agents": list(agents)})
        return [(row["agent"], await self._read(row)) for row in found.mappings().all()]

    async def _read(self, row: Mapping[Any, Any]) -> AgentRows:
        keys = _Keys()
        legs = self._spans(row, "leg", keys)
        visits = self._spans(row, "visit", keys)
        others = visits.where(~near(visits.starts, legs)).with_more(self._spans(row, "callback", keys))
        held = np.frombuffer(row["held"] or b"", dtype=">f8").astype(np.float64)
        sessions = self._spans(row, "session", _Keys(), row["session_pbxs"])
        kinds, outcomes = _small(row["session_kinds"]), _small(row["offer_outcomes"])
        pausing, after = (kinds == _KINDS[kind] for kind in (SessionKind.PAUSE, SessionKind.WRAP_UP))
        wrap_ups, reasons = sessions.where(after), _Keys()
        offered_at = instants(row["offer_starts"])
        offered = keys.codes(self._names(row, "offer", len(offered_at)))
        return AgentRows(
            conversations=legs.with_more(others),
            held_seconds=np.concatenate((held, np.zeros(len(others)))),
            holds=await self._holds(legs, held, row["held_legs"] or ()) if held.any() else NO_SPANS,
            elsewhere=self._spans(row, "asked", _Keys()).with_more(self._spans(row, "dialled", _Keys())),
            wrap_ups=Spans(wrap_ups.starts, wrap_ups.ends, keys.codes(self._names(row, "wrap_up", len(wrap_ups)))),
            offers={
                outcome: (offered_at[ended], offered[ended])
                for code, outcome in enumerate(OUTCOMES)
                if (ended := outcomes == code).any()
            },
            log_ins=sessions.where(kinds == _KINDS[SessionKind.LOGIN]),
            breaks=sessions.where(pausing | after),
            pauses=Spans(sessions.starts, sessions.ends, reasons.codes(row["session_reasons"] or ())).where(pausing),
            reasons=[reason or "" for reason in reasons.names],
            keys=keys.names or [None],
        )

    def _spans(self, row: Mapping[Any, Any], kind: str, keys: _Keys, names: Sequence[str] | None = None) -> Spans:
        starts, ends = instants(row[f"{kind}_starts"]), instants(row[f"{kind}_ends"])
        codes = keys.codes(self._names(row, kind, len(starts)) if names is None else names)
        return Spans.until(starts, ends, codes, now=self._now)

    def _names(self, row: Mapping[Any, Any], kind: str, count: int) -> Sequence[str | None]:
        """Clients, by their present names, or teams; where nothing is told apart, nobody's."""
        names = row.get(f"{kind}_keys")
        if names is None:
            return [None] * count
        if self._by is WorkBy.QUEUE:
            return [team_of(name) if name else None for name in names]
        return [self._present.get(name, name) if name else None for name in names]

    async def _holds(self, legs: Spans, held: Numbers, ids: Sequence[str]) -> Spans:
        """Of conversations that a part's end cuts: when they were on hold."""
        places = np.flatnonzero(held > 0)
        after = np.searchsorted(self._bounds, legs.starts[places], side="right")
        before = np.searchsorted(self._bounds, legs.ends[places], side="left")
        wanted = {ids[at]: int(places[at]) for at in np.flatnonzero(after < before).tolist()}
        if not wanted:
            return NO_SPANS
        rows = (await self._connection.execute(_HOLDS, {"legs": list(wanted)})).all()
        found = []
        for leg_id, began_at, ended_at in rows:
            place = wanted[leg_id]
            over = int(legs.ends[place]) if ended_at is None else instant(ended_at)
            found.append((instant(began_at), min(over, int(legs.ends[place])), place))
        return Spans.of(found)


class _Keys:
    """Codes of names, in the order in which they come."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self._codes: dict[str | None, int] = {}

    def codes(self, names: Sequence[str | None]) -> Integers:
        """Of each of these."""
        for name in dict.fromkeys(names):
            if name not in self._codes:
                self._codes[name] = len(self.names)
                self.names.append(name)
        return np.fromiter(map(self._codes.__getitem__, names), dtype=np.int64, count=len(names))


def _small(sent: bytes | None) -> Integers:
    """Codes that PostgreSQL has sent one behind the other (`int2send`)."""
    return np.frombuffer(sent or b"", dtype=">i2").astype(np.int64)


# ------------------------------------------------------------------------------------------------------ how it is asked

_KINDS: Final = {kind: code for code, kind in enumerate(SessionKind, start=1)}

_CLIENT: Final = "(SELECT calls.client FROM calls WHERE calls.call_id = {call_id})"
_VISIT: Final = (
    "(SELECT queue_visits.queue FROM queue_visits WHERE queue_visits.call_id = {call_id}"
    " AND queue_visits.agent = {agent} AND {which} ORDER BY position DESC LIMIT 1)"
)
_CALLED_BACK: Final = "(SELECT outgoing_calls.{key} FROM outgoing_calls WHERE outgoing_id = work.call_id)"
_KEYS: Final[Mapping[WorkBy | None, Mapping[str, str]]] = {
    None: {},
    WorkBy.CLIENT: {
        "leg": _CLIENT.format(call_id="work.call_id"),
        "offer": _CLIENT.format(call_id="work.call_id"),
        "visit": _CLIENT.format(call_id="work.call_id"),
        "callback": "work.client",
        "wrap_up": f"coalesce({_CLIENT.format(call_id='work.call_id')}, {_CALLED_BACK.format(key='client')})",
    },
    WorkBy.QUEUE: {
        "leg": _VISIT.format(
            call_id="work.call_id", agent="work.party", which="queue_visits.answered_at = work.answered_at"
        ),
        "offer": "work.queue",
        "visit": "work.queue",
        "callback": "work.queue",
        "wrap_up": "coalesce("
        + _VISIT.format(call_id="work.call_id", agent="work.agent", which="queue_visits.answered_at IS NOT NULL")
        + f", {_CALLED_BACK.format(key='queue')})",
    },
}
"""What tells work apart, of each kind of rows."""


def _columns(kind: str, starts: str, ends: str, by: WorkBy | None, which: str = "true") -> str:
    """When rows of a kind began and ended, one behind the other as bytes, and their keys in the same order."""
    columns = [f"string_agg(timestamptz_send({starts}), ''::bytea) FILTER (WHERE {which}) AS {kind}_starts"]
    if ends:
        columns.append(f"string_agg(timestamptz_send({ends}), ''::bytea) FILTER (WHERE {which}) AS {kind}_ends")
    return ", ".join([*columns, *_key(kind, by, which)])


def _key(kind: str, by: WorkBy | None, which: str) -> list[str]:
    key = _KEYS[by].get(kind)
    return [f"array_agg({key}) FILTER (WHERE {which}) AS {kind}_keys"] if key else []


def _code(column: str, values: Sequence[str]) -> str:
    """A column's value as the number of its place; 0: it has none."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"string_agg(int2send(coalesce(array_position(ARRAY[{listed}], {column}), 0)::int2), ''::bytea)"


_EARLIEST: Final = "CAST(:from_at AS timestamptz) - interval '1 hour'"


def _statement(by: WorkBy | None) -> str:
    """Each agent's rows, as one row."""
    talked, asked = (
        "purpose = 'agent' AND answered_at IS NOT NULL",
        "purpose = 'consultation' AND answered_at IS NOT NULL",
    )
    return f"""
SELECT * FROM unnest(CAST(:agents AS text[])) AS who(agent)
CROSS JOIN LATERAL (
    SELECT {_columns("leg", "answered_at", "coalesce(ended_at, answered_at)", by, talked)},
        {_columns("asked", "answered_at", "coalesce(ended_at, answered_at)", None, asked)},
        string_agg(float8send(hold_seconds), ''::bytea) FILTER (WHERE {talked}) AS held,
        array_agg(leg_id) FILTER (WHERE {talked} AND hold_seconds > 0) AS held_legs
    FROM (
        SELECT * FROM legs WHERE party = who.agent AND purpose IN ('agent', 'consultation')
            AND began_at >= {_EARLIEST} AND began_at < :to_at
        UNION ALL
        SELECT * FROM legs WHERE party = who.agent AND purpose IN ('agent', 'consultation')
            AND began_at < {_EARLIEST} AND ended_at - began_at > interval '1 hour' AND ended_at > :from_at
    ) AS work
) AS of_legs
CROSS JOIN LATERAL (
    SELECT {_columns("visit", "answered_at", "coalesce(left_at, answered_at)", by)}
    FROM queue_visits AS work
    WHERE work.agent = who.agent AND answered_at IS NOT NULL AND entered_at < :to_at
        AND entered_at >= CAST(:from_at AS timestamptz) - interval '1 day'
) AS of_visits
CROSS JOIN LATERAL (
    SELECT {_columns("callback", "answered_at", "coalesce(ended_at, 'infinity')", by, "answered_at IS NOT NULL")},
        {_columns("dialled", "rung_at", "coalesce(answered_at, ended_at, 'infinity')", None)}
    FROM outgoing_calls AS work
    WHERE work.agent = who.agent AND purpose = 'callback' AND rung_at < :to_at
        AND rung_at >= CAST(:from_at AS timestamptz) - interval '1 day'
) AS of_callbacks
CROSS JOIN LATERAL (
    SELECT {_columns("offer", "began_at", "", by)}, {_code("outcome", list(OfferOutcome))} AS offer_outcomes
    FROM offers AS work WHERE work.agent = who.agent AND began_at >= :from_at AND began_at < :to_at
) AS of_offers
CROSS JOIN LATERAL (
    SELECT {_columns("session", "started_at", "coalesce(ended_at, 'infinity')", None)},
        {_code("kind", list(SessionKind))} AS session_kinds,
        array_agg(pbx) AS session_pbxs, array_agg(reason) AS session_reasons
        {"".join(f", {one}" for one in _key("wrap_up", by, "kind = 'wrap_up'"))}
    FROM (
        SELECT * FROM agent_sessions WHERE agent_sessions.agent = who.agent
            AND started_at >= {_EARLIEST} AND started_at < :to_at
        UNION ALL
        SELECT * FROM agent_sessions WHERE agent_sessions.agent = who.agent AND started_at < {_EARLIEST}
            AND (ended_at IS NULL OR ended_at - started_at > interval '1 hour')
            AND coalesce(ended_at, 'infinity') > :from_at
    ) AS work
) AS of_sessions
"""  # noqa: S608 - made of our own words


_STATEMENTS: Final = {by: text(_statement(by)) for by in (None, *WorkBy)}

_HOLDS: Final = text(
    "SELECT leg_id, began_at, ended_at FROM holds WHERE leg_id = ANY(CAST(:legs AS text[])) ORDER BY began_at"
)


def _leaps(table: str, column: str, which: str = "true") -> str:
    """Each value of a column that an index begins with, by one look for each."""
    return f"""(
        WITH RECURSIVE leap(value) AS (
            (SELECT {column} FROM {table} WHERE {which} ORDER BY {column} LIMIT 1)
            UNION ALL
            SELECT (SELECT {column} FROM {table} WHERE {which} AND {column} > leap.value ORDER BY {column} LIMIT 1)
            FROM leap WHERE leap.value IS NOT NULL
        ) SELECT value FROM leap
    )"""  # noqa: S608 - made of our own words


_EVERYBODY: Final = text(
    " UNION ".join(
        (
            _leaps("legs", "party", "purpose = 'agent'"),
            _leaps("queue_visits", "agent", "answered_at IS NOT NULL"),
            _leaps("offers", "agent"),
            _leaps("agent_sessions", "agent"),
            _leaps("outgoing_calls", "agent", "agent IS NOT NULL AND purpose = 'callback'"),
        )
    )
)
