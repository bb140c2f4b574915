"""Makes a report of lines: compares, sorts, cuts off after the first ones, numbers what was promised, adds up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from msgspec.structs import fields

from callrouter.core.service_level import ServiceLevelTarget
from callrouter.periods import Comparison
from callrouter.reports.columns import columns_of
from callrouter.reports.lines import NOTHING, Line, alone, together
from callrouter.reports.model import Basis, By, Column, Key, Missing, Report, Row, Sort, Span, Unit, Value


@dataclass(frozen=True, slots=True)
class Subject:
    """What one row is about."""

    key: Key
    client: str | None = None
    """Whose number, version or node it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was read of one period."""

    lines: Mapping[Subject, Line]
    """In their natural order."""
    total: Line | None
    """Of all of them; None where they cannot be added."""
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which rows are shown, and in which order."""

    sort: Sort | None = None
    top: int | None = None
    """Only so many; the others together in one row. None: all."""


ALL_ROWS: Final = Order()
"""In their natural order."""


def check_order(by: By, order: Order) -> None:
    """Look at what is asked for before anything is read.

    Raises:
        ValueError: there is no such column, or the number is none of rows.
    """
    names = [column.name for column in columns_of(by)]
    if order.sort is not None and order.sort.column not in ("key", *names):
        raise ValueError(f"there is no column {order.sort.column!r}: sort by key, {', '.join(names)}")
    if order.top is not None and order.top < 1:
        raise ValueError("top is how many rows are shown: 1 or more")


def make(  # noqa: PLR0913, RUF100  # all that a report says
    by: By,
    now: Measured,
    *,
    clients: Sequence[str] | None,
    made_at: datetime,
    names: Sequence[str] = (),
    before: Measured | None = None,
    comparison: Comparison | None = None,
    order: Order | None = None,
    missing: Sequence[Missing] = (),
    calls: Callable[[Subject], Sequence[str]] = lambda subject: (),
) -> Report:
    """The report of what was read.

    Args:
        by: what it has a row for.
        now: the period.
        clients: whose calls; None: everybody's.
        made_at: the present instant.
        names: how the clients are called.
        before: what it is compared with.
        comparison: why with that.
        order: which rows are shown.
        missing: times in which calls may be missing.
        calls: the queries that list the calls of a row.
    """
    order = order or ALL_ROWS
    columns = columns_of(by)
    bases = _Bases()
    earlier = {} if before is None else _aligned(by, now, before)

    def row(line: Line, was: Line | None, subject: Subject | None = None, folded: int = 0) -> Row:
        several = subject is not None and len(line.promises) > 1 and (by in _OF_ONE or len(clients or ()) == 1)
        return Row(
            key=subject.key if subject else None,
            client=subject.client if subject else None,
            cells=_cells(columns, line),
            before=None if before is None else _cells(columns, was or NOTHING),
            basis=bases.number(line),
            reached=line.reached,
            calls=tuple(calls(subject)) if subject else (),
            parts=[row_of_part(part) for part in map(alone, line.promises)] if several else (),
            folded=folded,
        )

    def row_of_part(line: Line) -> Row:
        return Row(key=None, cells=_cells(columns, line), basis=bases.number(line), reached=line.reached)

    subjects = _ordered(by, now.lines, columns, order)
    shown = subjects if order.top is None else subjects[: order.top]
    left_out = subjects[len(shown) :]
    rows = [row(now.lines[subject], earlier.get(subject), subject) for subject in shown]
    others = None
    if left_out:
        were = [earlier[subject] for subject in left_out if subject in earlier]
        others = row(
            together([now.lines[subject] for subject in left_out]),
            together(were) if were else None,
            folded=len(left_out),
        )
    total = None
    if now.total is not None:
        total = row(now.total, before.total if before else None, folded=len(subjects))
    return Report(
        by=by,
        clients=clients,
        names=names,
        spans=now.spans,
        columns=columns,
        rows=rows,
        others=others,
        total=total,
        bases=bases.found,
        missing=missing,
        comparison=comparison if before is not None else None,
        compared=before.spans if before is not None else (),
        sort=order.sort,
        top=order.top,
        made_at=made_at,
    )


_OF_ONE: Final = frozenset({By.CLIENT, By.DID, By.VERSION})
"""Rows that are one client's: a row under all promises of all clients would be no help to anybody."""


class _Bases:
    """What service levels were made with, each once, in the order in which rows name them."""

    def __init__(self) -> None:
        self.found: list[Basis] = []

    def number(self, line: Line) -> int | None:
        """Of a line, from 1 on; None when its parts differ."""
        numbers = {self._number(part.target, part.promise is not None) for part in line.promises}
        return numbers.pop() if len(numbers) == 1 else None

    def _number(self, target: ServiceLevelTarget, promised: bool) -> int:
        # Zones apart: they say when days begin, and the report's periods do.
        values = {field.name: getattr(target, field.name) for field in fields(ServiceLevelTarget)}
        basis = Basis(target=ServiceLevelTarget(**values), promised=promised)
        if basis not in self.found:
            self.found.append(basis)
        return self.found.index(basis) + 1


def _cells(columns: Sequence[Column], line: Line) -> tuple[Value, ...]:
    return tuple(column.of(line) for column in columns)


def _ordered(by: By, lines: Mapping[Subject, Line], columns: Sequence[Column], order: Order) -> list[Subject]:
    """All of them; what has no value is last, whatever the direction. Alike ones keep their natural order."""
    subjects = list(lines)
    sort = order.sort or (Sort(_first_count(columns)) if order.top is not None and not by.is_time else None)
    if sort is None:
        return subjects
    if sort.column == "key":
        return subjects if sort.ascending else subjects[::-1]
    column = next(one for one in columns if one.name == sort.column)
    values = {subject: column.of(line) for subject, line in lines.items()}
    sign = 1 if sort.ascending else -1
    return sorted(subjects, key=lambda one: (values[one] is None, sign * (values[one] or 0)))


def _first_count(columns: Sequence[Column]) -> str:
    names = [column.name for column in columns if column.unit is Unit.COUNT]
    return "offered" if "offered" in names else names[0]


def _aligned(by: By, now: Measured, before: Measured) -> dict[Subject, Line]:
    """By each subject: what it is compared with. Days and months stand beside those at the same place of the period."""
    if by not in (By.DAY, By.MONTH) or not now.spans or not before.spans:
        return dict(before.lines)
    start, was = now.spans[0].from_at.date(), before.spans[0].from_at.date()
    return {
        Subject(_moved(by, subject.key, was, start), subject.client): line for subject, line in before.lines.items()
    }


def _moved(by: By, key: Key, from_: date, to: date) -> Key:
    assert isinstance(key, date)
    if by is By.DAY:
        return key + timedelta(days=(to - from_).days)
    months = key.year * 12 + key.month - 1 + (to.year - from_.year) * 12 + to.month - from_.month
    return date(months // 12, months % 12 + 1, 1)
