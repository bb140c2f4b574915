"""Rows of days from the rows of calls: for the tables that keep them, and for whoever reads a day that is not kept; and
rows of months from those of days.

Both are made by one statement each, so that what is read of a marked day is what will be kept of it. A piece is a
client's day, or a part of it; pieces are joined one by one (LATERAL), each by the index on client and time: a join of
all at once reads the whole table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from callrouter.core.call import Disposition, QueueOutcome
from callrouter.store.figures.days import Piece
from callrouter.store.figures.encoding import (
    DISPOSITIONS,
    EACH_JOURNEY,
    EACH_VISIT,
    LAST_QUARTER,
    OFFERED,
    OUTCOMES,
    QUARTER_SECONDS,
    REACHED_LATER,
    UNSEEN,
    Each,
    journeys_counted,
    visits_counted,
)
from callrouter.store.outgoing.worklist import AGAIN

MOST_RINGS: Final = 32_767
"""More offers of one visit than two bytes can say are so many."""
REACHED: Final = "disposition IN ('answered', 'redirected')"

DOUBLES: Final = frozenset({"talk_seconds"})
"""Columns of sums that are no whole numbers."""

_PIECES: Final = """
    unnest(
        CAST(:clients AS text[]), CAST(:days AS date[]), CAST(:froms AS timestamptz[]),
        CAST(:tos AS timestamptz[]), CAST(:begins AS timestamptz[])
    ) AS piece(client, day, from_at, to_at, begins_at)
"""


@dataclass(kw_only=True)
class Pieces:
    """Those that are to be counted from the calls."""

    kept_from: Mapping[str, datetime] = field(default_factory=dict)
    """By client: what lies before is counted from none, since calls of then may be gone (`Zones.kept_from`)."""
    clients: list[str] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    froms: list[datetime] = field(default_factory=list)
    tos: list[datetime] = field(default_factory=list)
    begins: list[datetime] = field(default_factory=list)

    def add(self, client: str, piece: Piece) -> None:
        """One of a client's, as far as its calls are there."""
        border_at = self.kept_from.get(client)
        from_at = piece.from_at if border_at is None else max(piece.from_at, border_at)
        if from_at < piece.to_at:
            self.clients.append(client)
            self.days.append(piece.day)
            self.froms.append(from_at)
            self.tos.append(piece.to_at)
            self.begins.append(piece.begins_at)

    def __len__(self) -> int:
        return len(self.clients)

    def apart(self, which: Callable[[str, date], bool]) -> tuple[Pieces, Pieces]:
        """Those of clients and days of which it is true, and the others."""
        parts = (Pieces(), Pieces())
        for client, day, *instants in zip(self.clients, self.days, self.froms, self.tos, self.begins, strict=True):
            parts[not which(client, day)].add(client, Piece(day, *instants))
        return parts

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the statements, beside the names of `Zones`."""
        return {
            "clients": self.clients,
            "days": self.days,
            "froms": self.froms,
            "tos": self.tos,
            "begins": self.begins,
        }


def _byte(number: str) -> str:
    return f"substring(int2send(({number})::int2) FROM 2)"


def _number(column: str, numbers: Mapping[Any, int]) -> str:
    cases = " ".join(f"WHEN '{value.value}' THEN {number}" for value, number in numbers.items())
    return f"CASE {column} {cases} ELSE {UNSEEN} END"


def _quarter(at: str) -> str:
    """Before its day's beginning, as a clock that was set may have it, is its first quarter."""
    since = f"floor(extract(epoch FROM {at} - piece.begins_at) / {QUARTER_SECONDS})"
    return f"greatest(least({since}, {LAST_QUARTER}), 0)"


def _joined(made: str, order: str, which: str = "") -> str:
    filtered = f" FILTER (WHERE {which})" if which else ""
    return f"coalesce(string_agg({made}, ''::bytea ORDER BY {order}){filtered}, ''::bytea)"


_FLAGS: Final = (
    f"CASE WHEN entered_service_at IS NULL THEN 0 ELSE {OFFERED} END"
    f" + CASE WHEN later.seconds IS NULL THEN 0 ELSE {REACHED_LATER} END"
)
_IN_ORDER: Final = "calls.ringing_at, calls.call_id"
_MADE_OF_CALLS: Final[Mapping[str, str]] = {
    "plan_version": "calls.plan_version",
    "did": "calls.did",
    "first_at": "min(calls.ringing_at)",
    "last_at": "max(calls.ringing_at)",
    "received": "count(*)::int",
    "offered": "count(entered_service_at)::int",
    **{one.value: f"(count(*) FILTER (WHERE disposition = '{one.value}'))::int" for one in Disposition},
    "talk_seconds": f"coalesce(sum(talk_seconds ORDER BY {_IN_ORDER}) FILTER (WHERE {REACHED}), 0)",
    "waits": _joined("float8send(waiting_seconds)", _IN_ORDER, REACHED),
    "lost": _joined("float8send(waiting_seconds)", _IN_ORDER, "disposition = 'abandoned'"),
    "talks": _joined("float8send(talk_seconds)", _IN_ORDER, REACHED),
    "quarters": _joined(_byte(_quarter("calls.ringing_at")), _IN_ORDER),
    "kinds": _joined(_byte(f"{_number('disposition', DISPOSITIONS)} + {_FLAGS}"), _IN_ORDER),
    "reached_after": _joined("float8send(later.seconds)", _IN_ORDER, "later.seconds IS NOT NULL"),
}

_ENTERED: Final = "entered_at, visit.call_id, position"
_MADE_OF_VISITS: Final[Mapping[str, str]] = {
    "plan_version": "calls.plan_version",
    "queue": "queue",
    "first_at": "min(calls.ringing_at)",
    "last_at": "max(calls.ringing_at)",
    "entered": "count(*)::int",
    **{f"was_{one.value}": f"(count(*) FILTER (WHERE outcome = '{one.value}'))::int" for one in QueueOutcome},
    "offers": "coalesce(sum(offers), 0)::int",
    "waits": _joined("float8send(visit.waiting_seconds)", _ENTERED, "outcome = 'answered'"),
    "lost": _joined("float8send(visit.waiting_seconds)", _ENTERED, "outcome = 'abandoned'"),
    "quarters": _joined(_byte(_quarter("entered_at")), _ENTERED),
    "kinds": _joined(_byte(_number("outcome", OUTCOMES)), _ENTERED),
    "rings": _joined(f"int2send(least(coalesce(offers, 0), {MOST_RINGS})::int2)", _ENTERED),
}

_SAME_CLIENT: Final = """
    ({other} = calls.client OR (calls.client, {other}) IN (
        SELECT * FROM unnest(CAST(:names AS text[]), CAST(:other_names AS text[]))
    ))
"""
FIRST_ANSWERED: Final = 5
"""Calls of a caller who rang again, as they rang: of two the later one may be answered first. All of a week are many
where a number is shared, as that of a house that forwards its callers.
"""
_AGAIN: Final = f"interval '{AGAIN.days} days'"
_LATER: Final = f"""
        SELECT greatest(extract(epoch FROM min(delay)), 0)::float8 AS seconds FROM (
            SELECT wish.settled_at - wish.asked_at AS delay FROM callbacks AS wish
            WHERE calls.disposition NOT IN ('answered', 'redirected') AND wish.call_id = calls.call_id
                AND (wish.settled_by IN ('called_back', 'rang_again')
                    OR (wish.settled_by = 'by_hand' AND wish.state = 'done'))
            UNION ALL
            SELECT answered.bridged_at - calls.ended_at FROM (
                SELECT again.bridged_at FROM calls AS again
                WHERE calls.disposition = 'abandoned' AND again.caller_number = calls.caller_number
                    AND again.ringing_at > calls.ringing_at AND again.ringing_at < calls.ringing_at + {_AGAIN}
                    AND again.bridged_at IS NOT NULL AND {_SAME_CLIENT.format(other="again.client")}
                ORDER BY again.ringing_at LIMIT {FIRST_ANSWERED}
            ) AS answered
            UNION ALL
            SELECT placed.answered_at - calls.ended_at FROM outgoing_calls AS placed
            WHERE calls.disposition = 'abandoned' AND placed.purpose = 'callback'
                AND placed.number = calls.caller_number AND placed.answered_at IS NOT NULL
                AND placed.placed_at > calls.ringing_at AND placed.placed_at < calls.ringing_at + {_AGAIN}
                AND {_SAME_CLIENT.format(other="placed.client")}
            UNION ALL
            SELECT said.at - calls.ended_at FROM follow_ups AS said
            WHERE calls.disposition = 'abandoned' AND said.call_id = calls.call_id AND said.result = 'reached'
        ) AS reached
        HAVING count(*) > 0
"""  # noqa: S608 - made of our own words
"""The caller asked to be called back, or gave up, and was reached afterwards: by a callback, by somebody who called, or
because they rang again and were answered. Who went on waiting and was answered in that very call is no such caller:
their journey is an answered one. It is a figure of its own: the journey stays what it was. The time is from the wish,
or from when they gave up, until they were reached (kpi: called back).
"""

_FROM_CALLS: Final = f"""
    calls CROSS JOIN LATERAL (
        SELECT CASE WHEN calls.disposition NOT IN ('answered', 'redirected') THEN ({_LATER}) END AS seconds OFFSET 0
    ) AS later
"""
"""Most calls are answered, and are not asked about; those that are, once for all that is made of it."""
_FROM_VISITS: Final = "calls JOIN queue_visits AS visit USING (call_id)"


_MONTH: Final = "date_trunc('month', day)::date"
_DAYS_OF_MONTH: Final = "decode(repeat(lpad(to_hex(extract(day FROM day)::int), 2, '0'), length(kinds)), 'hex')"
_FOLDED: Final[Mapping[str, str]] = {"plan_version": "{}", "first_at": "min({})", "last_at": "max({})"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of rows of days."""

    table: str
    months: str
    """The table of its rows of months."""
    key: str
    """What they are apart by, beside client, day and version."""
    key_column: str
    """The same, as their tables name it."""
    columns: Sequence[str]
    """All but client and day."""
    each: Mapping[str, Each]
    """Those of them that have something for each."""
    counted: Callable[[Mapping[str, bytes]], list[Any]]
    """What the numbers are, in the order of the columns, of what is kept of each."""
    counted_by: Sequence[str]
    """The columns that this needs."""
    made: Mapping[str, str]
    source: str

    def select(self, columns: Sequence[str] | None = None) -> str:
        """The statement that makes rows of pieces: client, day, and these columns, or all."""
        wanted = ", ".join(f"{self.made[name]} AS {name}" for name in columns or self.columns)
        return f"""
            SELECT piece.client, piece.day, made.* FROM {_PIECES} CROSS JOIN LATERAL (
                SELECT {wanted} FROM {self.source}
                WHERE calls.client = piece.client
                    AND calls.ringing_at >= piece.from_at AND calls.ringing_at < piece.to_at
                GROUP BY calls.plan_version, {self.key}
            ) AS made
        """  # noqa: S608 - made of our own words

    @property
    def keep(self) -> str:
        """The statement that keeps rows of pieces."""
        return f"INSERT INTO {self.table} (client, day, {', '.join(self.columns)}) {self.select()}"

    @property
    def keep_span(self) -> str:
        """The statement that keeps rows of many days, one after the other, of clients whose days are cut alike."""
        return f"INSERT INTO {self.table} (client, day, {', '.join(self.columns)}) {self._span}"

    @property
    def keep_months(self) -> str:
        """The same of whole months, as rows of months."""
        return f"INSERT INTO {self.months} (client, month, {', '.join(self.columns)}, days) {self.fold(self._span)}"

    @property
    def _span(self) -> str:
        """One look at the calls, where pieces need one each."""
        made = ", ".join(f"{self.made[name]} AS {name}" for name in self.columns)
        return f"""
            SELECT calls.client, piece.day, {made} FROM {self.source}
                JOIN unnest(CAST(:days AS date[]), CAST(:begins AS timestamptz[])) WITH ORDINALITY
                    AS piece(day, begins_at, place)
                ON piece.place = width_bucket(calls.ringing_at, CAST(:begins AS timestamptz[]))::bigint
            WHERE calls.client = ANY(CAST(:these AS text[]))
                AND calls.ringing_at >= :from_at AND calls.ringing_at < :to_at
                AND NOT EXISTS (
                    SELECT FROM kept_from WHERE kept_from.client = calls.client AND calls.ringing_at < kept_from.from_at
                )
            GROUP BY calls.client, piece.day, calls.plan_version, {self.key}
        """  # noqa: S608 - made of our own words

    def fold(self, days: str) -> str:
        """The statement that makes rows of months of rows of days: journeys are in the order in which they rang."""
        folded = [f"{self._folded(name)} AS {name}" for name in self.columns]
        return f"""
            SELECT client, {_MONTH} AS month, {", ".join(folded)},
                string_agg({_DAYS_OF_MONTH}, ''::bytea ORDER BY day, first_at) AS days
            FROM ({days}) AS kept GROUP BY client, {_MONTH}, plan_version, {self.key_column}
        """  # noqa: S608 - made of our own words

    def _folded(self, name: str) -> str:
        if name == self.key_column:
            return name
        if name in self.each:
            return f"string_agg({name}, ''::bytea ORDER BY day, first_at)"
        if name in _FOLDED:
            return _FOLDED[name].format(name)
        return f"sum({name} ORDER BY day, first_at)" if name in DOUBLES else f"sum({name})::int"

    @property
    def fold_kept(self) -> str:
        """The statement that puts kept rows of days of client's months into rows of months."""
        return f"""
            WITH gone AS (
                DELETE FROM {self.table} AS kept
                USING unnest(CAST(:clients AS text[]), CAST(:months AS date[])) AS folded(client, month)
                WHERE kept.client = folded.client
                    AND kept.day >= folded.month AND kept.day < folded.month + interval '1 month'
                RETURNING kept.*
            )
            INSERT INTO {self.months} (client, month, {", ".join(self.columns)}, days) {self.fold("SELECT * FROM gone")}
        """  # noqa: S608 - made of our own words

    @property
    def unfrozen(self) -> str:
        """The condition that the calls of a row, of a day or of a month, are all there."""
        return "first_at >= coalesce((SELECT from_at FROM kept_from WHERE kept_from.client = kept.client), '-infinity')"

    @property
    def forget(self) -> str:
        """The statement that takes the kept rows of pieces' days away, but for those whose calls may be gone."""
        return f"""
            DELETE FROM {self.table} AS kept
            USING unnest(CAST(:clients AS text[]), CAST(:days AS date[])) AS piece(client, day)
            WHERE kept.client = piece.client AND kept.day = piece.day AND {self.unfrozen}
        """  # noqa: S608


OF_JOURNEYS: Final = Kind(
    table="figure_days",
    months="figure_months",
    key="calls.did",
    key_column="did",
    each=EACH_JOURNEY,
    counted=journeys_counted,
    counted_by=("kinds", "talks"),
    columns=tuple(_MADE_OF_CALLS),
    made=_MADE_OF_CALLS,
    source=_FROM_CALLS,
)
OF_VISITS: Final = Kind(
    table="figure_queue_days",
    months="figure_queue_months",
    key="queue",
    key_column="queue",
    each=EACH_VISIT,
    counted=visits_counted,
    counted_by=("kinds", "rings"),
    columns=tuple(_MADE_OF_VISITS),
    made=_MADE_OF_VISITS,
    source=_FROM_VISITS,
)
KINDS: Final = (OF_JOURNEYS, OF_VISITS)
