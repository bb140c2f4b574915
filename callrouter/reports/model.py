"""A report as plain values: what was asked, what the figures were made with, rows of cells, and what is missing.

Renderings differ in nothing but their looks: every number of a report stands in its cells, in the columns' own units.
Shares are 0 to 1, durations seconds, and what there was nothing to compute from is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from callrouter.core.service_level import ServiceLevelTarget
from callrouter.periods import Comparison
from callrouter.reports.lines import Line

Key = str | int | date
"""What a row is about: a name, a number, a version; a day or the first of a month; an hour that clocks show, 0 to 23; a
weekday, 1 is Monday (ISO 8601)."""
Value = int | float | None


class By(StrEnum):
    """What a report has a row for."""

    CLIENT = "client"
    DID = "did"
    VERSION = "version"
    QUEUE = "queue"
    AGENT = "agent"
    NODE = "node"
    DAY = "day"
    WEEKDAY = "weekday"
    HOUR = "hour"
    MONTH = "month"

    @property
    def is_time(self) -> bool:
        """Whether its rows follow each other in time: they are in that order, and drawn upright."""
        return self in _TIMES


_TIMES: Final = frozenset({By.DAY, By.WEEKDAY, By.HOUR, By.MONTH})


class Unit(StrEnum):
    """Of a column's cells."""

    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of every row; `words` has its names and what it means."""

    name: str
    unit: Unit
    of: Callable[[Line], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The period as the clocks of one zone show it."""

    zone: str
    """IANA name."""
    from_at: datetime
    """In the zone: included."""
    to_at: datetime
    """Not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What service levels were made with: a promise, or the default that stands in where none is known."""

    target: ServiceLevelTarget
    promised: bool
    """Whether the client was promised it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A time in which calls may be missing."""

    from_at: datetime
    until_at: datetime | None
    """None: it lasts."""
    reason: str
    pbx: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a report."""

    key: Key | None
    """None: a total, the others, or a part of the row above."""
    client: str | None = None
    """Whose number, version or node it is."""
    cells: Sequence[Value]
    """In the order of the columns."""
    before: Sequence[Value] | None = None
    """The same of the period that it is compared with; None where there is nothing to compare with."""
    basis: int | None = None
    """Which of the report's bases the service level was made with, from 1 on; None: with several."""
    reached: bool | None = None
    """Whether the target was reached; None where there is none, or no call."""
    calls: Sequence[str] = ()
    """Queries of /api/calls that list exactly the calls of this row; none where no query does."""
    parts: Sequence[Row] = ()
    """Under each promise, where there were several."""
    folded: int = 0
    """How many rows this one stands for."""


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column rows are, the largest first unless it is said."""

    column: str
    ascending: bool = False

    @classmethod
    def parse(cls, text: str) -> Sort:
        """From `service_level`, or `service_level:asc` for the smallest first; `key` is by name, A first.

        Raises:
            ValueError: what follows the colon is no direction.
        """
        column, _, direction = text.partition(":")
        if direction not in ("", "asc", "desc"):
            raise ValueError(f"{text!r} is no order: write a column, such as offered, or offered:asc")
        return cls(column, direction == "asc" or (column == "key" and direction != "desc"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report, ready to be rendered in any form and language."""

    by: By
    clients: Sequence[str] | None
    """Whose calls; None: everybody's."""
    names: Sequence[str] = ()
    """How these clients are called, where it is known."""
    spans: Sequence[Span]
    """One for each zone whose clocks it follows; the zone that most clients have first."""
    columns: Sequence[Column]
    rows: Sequence[Row]
    others: Row | None = None
    """What `top` left out, together."""
    total: Row | None = None
    """None where rows cannot be added: a call may be in several of them."""
    bases: Sequence[Basis] = ()
    missing: Sequence[Missing] = ()
    comparison: Comparison | None = None
    compared: Sequence[Span] = ()
    """The period that it is compared with, on the same clocks."""
    sort: Sort | None = None
    top: int | None = None
    made_at: datetime

    @property
    def is_empty(self) -> bool:
        """Whether nobody called."""
        return not any(self.cell(row, "received") for row in self.rows)

    def place(self, name: str) -> int | None:
        """Where a column stands in the cells; None: it has none of that name."""
        return next((place for place, column in enumerate(self.columns) if column.name == name), None)

    def cell(self, row: Row, name: str) -> Value:
        """A row's figure by the name of its column; None also where there is no such column."""
        place = self.place(name)
        return None if place is None else row.cells[place]
