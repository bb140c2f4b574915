"""Rows of months of which only some days are asked for, or each day by itself: journeys are told apart by their day.

Where a whole month is asked for, its rows are read as those of days are (`rows`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.service_level import Promise
from callrouter.store.figures.asking import Grouping, Part
from callrouter.store.figures.days import Days, begins_at, days_of_month, month_of, next_month
from callrouter.store.figures.encoding import QUARTER_SECONDS, Bytes, bytes_of, split
from callrouter.store.figures.making import Kind
from callrouter.store.figures.summed import APART, OF_DAYS, PROMISE, Promises, Summed
from callrouter.store.figures.zones import Zones

_LEFT_OUT: Final = -1
_DAYS: Final = 32
"""A place for each number of a day, and one for 0."""


@dataclass(frozen=True, slots=True)
class Months:
    """Those that a period touches."""

    whole: Sequence[date]
    """Asked for as they are: their first days."""
    parts: Sequence[date]
    """Of which some days are asked for, or each by itself."""


def months_of(days: Days, by: Collection[Grouping]) -> Months:
    """Those of a period, by what is asked for."""
    touched = sorted({month_of(day) for day in days})
    if not OF_DAYS.isdisjoint({*by} - {Grouping.MONTH}):
        return Months((), touched)
    cut = {month_of(day) for day in days.cut}
    partly = {month for month in touched if month in cut or month < days.first or next_month(month) > days.after}
    return Months([month for month in touched if month not in partly], sorted(partly))


@dataclass(slots=True)
class Found:
    """What was read of them."""

    rows: list[Summed] = field(default_factory=list)
    cut: set[tuple[str, date]] = field(default_factory=set)
    """Clients, and days that are not whole in the period, on which some of their journeys rang."""


@dataclass(slots=True, kw_only=True)
class _Alike:
    """Rows whose journeys are told apart in one way."""

    promise_id: int | None
    promise: Promise | None
    days: list[bytes] = field(default_factory=list)
    kept: list[Mapping[str, bytes]] = field(default_factory=list)
    """By column."""


async def read_parts(  # noqa: PLR0913, RUF100
    connection: AsyncConnection,
    zones: Zones,
    part: Part,
    days: Days,
    kind: Kind,
    by: Sequence[Grouping],
    joined: Sequence[str],
    *,
    unkept: Collection[str],
    stale: Collection[tuple[str, date]],
) -> Found:
    """Journeys of months, as `rows.read_summed` gives them, but for stale days and those that are not whole.

    Args:
        connection: in a transaction that sees one instant.
        zones: of all clients.
        part: whose.
        days: of the period.
        kind: of what.
        by: the groupings.
        joined: the columns whose bytes are asked for.
        unkept: clients of whom nothing is read but what is frozen.
        stale: clients and days that are left out, unless they are frozen.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        DaysAlone: a part of a day is asked for of which nothing but the whole is known.
    """
    months = months_of(days, by)
    stale_of: dict[tuple[str, date], set[int]] = {}
    for client, day in stale:
        stale_of.setdefault((client, month_of(day)), set()).add(day.day)
    also = [pair for pair in stale_of if pair[1] in months.whole]
    found = Found()
    if not months.parts and not also:
        return found
    names = sorted({*joined, *kind.counted_by, "quarters"})
    cut_of: dict[date, set[int]] = {}
    for day in days.cut:
        cut_of.setdefault(month_of(day), set()).add(day.day)
    alike: dict[tuple[Any, ...], _Alike] = {}
    promises = Promises()
    for row in await _rows(connection, part, kind, months.parts, also, sorted(unkept), names):
        client, version, apart, month, first_at, frozen, its_days, *kept = row[len(PROMISE) :]
        cut = {number for number in cut_of.get(month, ()) if number in its_days}
        if frozen:
            for number in cut:
                zones.must_be_whole(client, month.replace(day=number), first_at)
        else:
            found.cut.update((client, month.replace(day=number)) for number in cut)
        stale_days = set() if frozen else stale_of.get((client, month), set())
        left_out = frozenset(cut_of.get(month, set()) | stale_days)
        promise_id, promise = promises.of(row[: len(PROMISE)])
        keys = (
            client if Grouping.CLIENT in by else "",
            version if Grouping.VERSION in by else None,
            apart if not APART.keys().isdisjoint(by) else None,
        )
        group = alike.setdefault((*keys, promise_id, month, left_out), _Alike(promise_id=promise_id, promise=promise))
        group.days.append(its_days)
        group.kept.append(dict(zip(names, kept, strict=True)))
    for (client, version, apart, _, month, left_out), group in alike.items():
        in_rows = {Grouping.VERSION: version, **dict.fromkeys(APART, apart)}
        found.rows.extend(_told_apart(group, client, in_rows, days, month, left_out, kind, by, joined))
    return found


def _told_apart(  # noqa: PLR0913, RUF100
    group: _Alike,
    client: str,
    in_rows: Mapping[Grouping, Any],
    days: Days,
    month: date,
    left_out: Collection[int],
    kind: Kind,
    by: Sequence[Grouping],
    joined: Sequence[str],
) -> Iterator[Summed]:
    """Journeys of alike rows of a month, by what is asked of their days."""
    labels, meant = _labels(days, month, left_out, by)
    its_days = bytes_of(b"".join(group.days))
    of_each = labels[its_days]
    together = {name: b"".join(one[name] for one in group.kept) for name in group.kept[0]}
    for label, values in split(kind.each, together, of_each):
        of_day, changing_day = meant[label]
        yield Summed(
            client=client,
            keys=tuple((in_rows if one in in_rows else of_day)[one] for one in by if one not in _NOT_KEYS),
            changing_day=changing_day,
            promise_id=group.promise_id,
            promise=group.promise,
            first_at=_first_at(days.zone, month, its_days[of_each == label], values["quarters"]),
            sums=kind.counted(values),
            joined=[values[name] for name in joined],
        )


def _first_at(zone: ZoneInfo, month: date, days: Bytes, quarters: bytes) -> datetime:
    """The quarter of an hour of the first of some journeys."""
    day, quarter = divmod(int((days.astype(np.int32) * 256 + bytes_of(quarters)).min()), 256)
    return begins_at(month.replace(day=day), zone) + timedelta(seconds=quarter * QUARTER_SECONDS)


_NOT_KEYS: Final = (Grouping.CLIENT, Grouping.HOUR)
_OfDay = Mapping[Grouping, Any]


def _labels(
    days: Days, month: date, left_out: Collection[int], by: Sequence[Grouping]
) -> tuple[NDArray[np.int16], Sequence[tuple[_OfDay, date | None]]]:
    """By number of the day, which group it is of; and what the groups are: values of groupings, and with hours the day
    if clocks change on it.
    """
    labels = np.full(_DAYS, _LEFT_OUT, dtype=np.int16)
    meant: list[tuple[_OfDay, date | None]] = []
    numbers: dict[tuple[Any, ...], int] = {}
    changing = set(days.changing) if Grouping.HOUR in by else set()
    for day in _within(days, month):
        if day.day in left_out:
            continue
        values = {Grouping.DAY: day, Grouping.WEEKDAY: day.isoweekday(), Grouping.MONTH: month}
        changes = day if day in changing else None
        key = (*(values[one] for one in by if one in values), changes)
        if key not in numbers:
            numbers[key] = len(meant)
            meant.append((values, changes))
        labels[day.day] = numbers[key]
    return labels, meant


def _within(days: Days, month: date) -> Iterable[date]:
    return (day for day in days_of_month(month) if days.first <= day <= days.last)


async def _rows(
    connection: AsyncConnection,
    part: Part,
    kind: Kind,
    months: Sequence[date],
    also: Sequence[tuple[str, date]],
    unkept: Sequence[str],
    names: Sequence[str],
) -> Sequence[Row[Any]]:
    """Of these months, and of some months of clients."""
    # By the index on months first: mostly nothing is kept by month of those that are asked for in part.
    touched = sorted({*months, *(month for _, month in also)})
    values: dict[str, Any] = {"touched": touched, "months": list(months), "unkept": list(unkept), **part.values}
    which = "month = ANY(CAST(:months AS date[]))"
    if also:
        which = (  # made of our own words
            f"({which} OR {kind.unfrozen} AND (client, month) IN (SELECT * FROM"  # noqa: S608
            " unnest(CAST(:also_clients AS text[]), CAST(:also_months AS date[]))))"
        )
        values |= {"also_clients": [client for client, _ in also], "also_months": [month for _, month in also]}
    query = f"""
        SELECT {", ".join(f"promises.{name}" for name in PROMISE)}, kept.* FROM (
            SELECT client, plan_version, {kind.key_column}, month, first_at, NOT {kind.unfrozen} AS frozen, days,
                {", ".join(names)}
            FROM {kind.months} AS kept
            WHERE month = ANY(CAST(:touched AS date[])) AND {which} AND {part.where("client")}
                AND (client <> ALL(CAST(:unkept AS text[])) OR NOT {kind.unfrozen})
        ) AS kept
            LEFT JOIN plans ON plans.client = kept.client AND plans.version = kept.plan_version
            LEFT JOIN promises ON promises.promise_id = plans.promise_id
    """  # noqa: S608 - made of our own words
    return (await connection.execute(text(query), values)).all()
