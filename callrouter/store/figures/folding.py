"""Months that are over: rows of a client's days become one, and days of it that are marked afterwards are put into it.

A month has one row where its days have some thirty, each with its own client, version and number, which are longer than
what most days have to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import RowMapping, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.figures.days import days_of_month, month_of, piece_of
from callrouter.store.figures.encoding import bytes_of, split
from callrouter.store.figures.making import KINDS, OF_JOURNEYS, Kind, Pieces
from callrouter.store.figures.zones import Zones
from callrouter.store.outgoing.worklist import AGAIN
from callrouter.store.tables.columns import metadata

AT_ONCE: Final = 200
"""Months of clients, in one transaction."""
_OVER: Final = AGAIN + timedelta(days=2)
"""After the end of a month, in whatever zone. As long as a caller who gave up may be reached its days change."""

_MARKED: Final = text("SELECT DISTINCT client, quarter_at FROM figure_marks WHERE quarter_at < :until")
_UNFOLDED: Final = text(
    "SELECT DISTINCT client, date_trunc('month', day)::date FROM figure_days WHERE day < :open_from ORDER BY 2, 1"
)
_WITHOUT_RINGS: Final = text(
    """
    SELECT DISTINCT client FROM figure_queue_days AS kept
    WHERE client = ANY(:clients) AND octet_length(rings) <> 2 * octet_length(kinds)
        AND first_at >= coalesce((SELECT from_at FROM kept_from WHERE kept_from.client = kept.client), '-infinity')
    """
)
ClientMonth = tuple[str, date]


def open_from(now: datetime) -> date:
    """The first day of the first month that is not over yet, or not for long."""
    return month_of((now - _OVER).date())


async def fold_some(connection: AsyncConnection, zones: Zones, now: datetime) -> int:
    """Make rows of some months that are over, of clients whose days are right; how many months of clients.

    Days that stand beside the row of their month were made by a release that knows no months, as are visits of which
    nobody says how often each was offered: all days of such a client are made again.

    Args:
        connection: in a transaction that sees one instant, and beside which no other round is.
        zones: of all clients.
        now: the present instant.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    rows = await connection.execute(_UNFOLDED, {"open_from": open_from(now)})
    found = [(client, month) for client, month in rows if zones.is_kept(client) and not zones.cuts(client, month)]
    if not found:
        return 0
    if doubtful := await _of_before(connection, found):
        unread = "UPDATE figure_zones SET basis = '' WHERE client = ANY(:clients)"
        await connection.execute(text(unread), {"clients": sorted(doubtful)})
        return len(doubtful)
    marked = {
        (client, month_of(at.date() + timedelta(days=beside)))
        for client, at in await connection.execute(_MARKED, {"until": now})
        for beside in (-1, 0, 1)
    }
    folded = [one for one in found if one not in marked][:AT_ONCE]
    values = _these(folded)
    for kind in KINDS if folded else ():
        await connection.execute(text(kind.fold_kept), values)
    return len(folded)


async def _of_before(connection: AsyncConnection, found: Collection[ClientMonth]) -> set[str]:
    query = f"SELECT DISTINCT client FROM {_of_these(OF_JOURNEYS)}"  # noqa: S608
    doubled = (await connection.execute(text(query), _these(found))).scalars()
    without = (await connection.execute(_WITHOUT_RINGS, {"clients": sorted({client for client, _ in found})})).scalars()
    return {*doubled, *without}


async def folded_of(connection: AsyncConnection, pieces: Pieces) -> set[ClientMonth]:
    """Which months of clients, of those of pieces, are kept as rows of months that may be made again.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    asked = sorted({(client, month_of(day)) for client, day in zip(pieces.clients, pieces.days, strict=True)})
    query = f"SELECT DISTINCT client, month FROM {_of_these(OF_JOURNEYS)}"  # noqa: S608
    return {(client, month) for client, month in await connection.execute(text(query), _these(asked))}


def _of_these(kind: Kind) -> str:
    """Rows of months of clients that may be made again."""
    return f"""
        {kind.months} AS kept WHERE {kind.unfrozen} AND (client, month) IN (
            SELECT * FROM unnest(CAST(:clients AS text[]), CAST(:months AS date[])))
    """  # noqa: S608 - made of our own words


def _these(months: Collection[ClientMonth]) -> dict[str, Any]:
    """Its parameters."""
    return {"clients": [client for client, _ in months], "months": [month for _, month in months]}


async def _take(connection: AsyncConnection, kind: Kind, months: Collection[ClientMonth]) -> Sequence[dict[str, Any]]:
    """Take them away."""
    query = f"DELETE FROM {_of_these(kind)} RETURNING kept.*"  # noqa: S608
    return [dict(row) for row in (await connection.execute(text(query), _these(months))).mappings()]


async def remake_days(connection: AsyncConnection, zones: Zones, pieces: Pieces) -> None:
    """Put days into the rows of their months, instead of what these have of them.

    Args:
        connection: as for `fold_some`.
        zones: of all clients.
        pieces: the days, each whole, all of months that are kept so.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    for kind in KINDS:
        names = zones.names if kind is OF_JOURNEYS else {}
        made = (await connection.execute(text(kind.select()), pieces.values | names)).mappings().all()
        await _put(connection, kind, pieces, made)


async def _put(connection: AsyncConnection, kind: Kind, pieces: Pieces, made: Sequence[RowMapping]) -> None:
    days_of: dict[ClientMonth, set[int]] = {}
    for client, day in zip(pieces.clients, pieces.days, strict=True):
        days_of.setdefault((client, month_of(day)), set()).add(day.day)
    parts: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in await _take(connection, kind, sorted(days_of)):
        key = (row["client"], row["month"], row["plan_version"], row[kind.key_column])
        parts.setdefault(key, []).append(_without(kind, row, days_of[row["client"], row["month"]]))
    for one in made:
        key = (one["client"], month_of(one["day"]), one["plan_version"], one[kind.key_column])
        days = bytes([one["day"].day]) * len(one["kinds"])
        parts.setdefault(key, []).append({**one, "days": days})
    rows = [
        {"client": client, "month": month, **_joined(kind, [one for one in its if one["days"]])}
        for (client, month, _, _), its in parts.items()
        if any(one["days"] for one in its)
    ]
    if rows:
        await connection.execute(insert(metadata.tables[kind.months]), rows)


async def unfold(connection: AsyncConnection, zones: Zones, client: str, at: datetime) -> None:
    """Have the days of the month in which an instant lies stand by themselves again: those before it are about to be
    frozen, and the others are not. Where the instant is the beginning of a month nothing is done.

    Args:
        connection: as for `fold_some`.
        zones: of all clients.
        client: whose, as its calls name it.
        at: when a day of the client's zone begins.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    zone = zones.of(client)
    first = at.astimezone(zone).date()
    month = month_of(first)
    asked = Pieces()
    asked.add(client, piece_of(first, zone))
    if first == month or not await folded_of(connection, asked):
        return
    whole = Pieces()
    for day in days_of_month(month):
        if day >= first:
            whole.add(client, piece_of(day, zone))
    for kind in KINDS:
        rows = await _take(connection, kind, [(client, month)])
        days = [one for row in rows for one in _days_of(kind, row, zone) if one["day"] < first]
        if days:
            await connection.execute(insert(metadata.tables[kind.table]), days)
        names = zones.names if kind is OF_JOURNEYS else {}
        await connection.execute(text(kind.keep), {**whole.values, **names})


def _days_of(kind: Kind, row: dict[str, Any], zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """A row for each day. When its first and last journey rang is not known any more: at any time of the day."""
    named = [name for name in kind.columns if name not in kind.each]
    fixed = ("plan_version", kind.key_column, "first_at", "last_at")
    labels = bytes_of(row["days"]).astype(np.int16)
    for number, kept in split(kind.each, {name: row[name] for name in kind.each}, labels):
        day = row["month"].replace(day=number)
        whole = piece_of(day, zone)
        yield {
            "client": row["client"],
            "day": day,
            "plan_version": row["plan_version"],
            kind.key_column: row[kind.key_column],
            "first_at": whole.from_at,
            "last_at": whole.to_at - timedelta(microseconds=1),
            **dict(zip([name for name in named if name not in fixed], kind.counted(kept), strict=True)),
            **kept,
        }


def _without(kind: Kind, row: dict[str, Any], days: Collection[int]) -> dict[str, Any]:
    """A month's row that has no journeys of some days; when its first and last one rang is left as it is."""
    its_days = bytes_of(row["days"])
    stay = ~np.isin(its_days, list(days))
    return {**row, **_chosen(kind, row, stay), "days": its_days[stay].tobytes()}


def _chosen(kind: Kind, row: Mapping[str, Any], stay: np.ndarray[Any, Any]) -> dict[str, bytes]:
    kinds = bytes_of(row["kinds"])
    return {
        name: np.frombuffer(row[name], each.dtype)[stay[each.whose(kinds)]].tobytes()
        for name, each in kind.each.items()
    }


def _joined(kind: Kind, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row of several, its journeys in the order of their days."""
    days = bytes_of(b"".join(one["days"] for one in parts))
    kinds = bytes_of(b"".join(one["kinds"] for one in parts))
    kept: dict[str, bytes] = {}
    for name, each in kind.each.items():
        order = np.argsort(days[each.whose(kinds)], kind="stable")
        kept[name] = np.frombuffer(b"".join(one[name] for one in parts), each.dtype)[order].tobytes()
    named = [name for name in kind.columns if name not in kind.each]
    fixed = ("plan_version", kind.key_column, "first_at", "last_at")
    numbers = dict(zip([name for name in named if name not in fixed], kind.counted(kept), strict=True))
    return {
        "plan_version": parts[0]["plan_version"],
        kind.key_column: parts[0][kind.key_column],
        "first_at": min(one["first_at"] for one in parts),
        "last_at": max(one["last_at"] for one in parts),
        **numbers,
        **kept,
        "days": np.sort(days).tobytes(),
    }
