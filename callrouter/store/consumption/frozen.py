"""What invoices have billed, item by item: written with an invoice, in its transaction, and read from then on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.items import Item, Kind
from callrouter.consumption.rating import Charge, Line, Rated
from callrouter.store.tables import consumption_invoices, consumption_items, consumption_lines

_FACTS: Final = (
    *("kind", "item_id", "at", "outcome", "waiting_seconds", "talk_seconds", "put_through_seconds", "hold_seconds"),
    *("wrap_up_seconds", "marked", "elsewhere"),
)
_COLUMNS: Final = {
    "kind": "text",
    "item_id": "text",
    "at": "timestamptz",
    "outcome": "text",
    "waiting_seconds": "float8",
    "talk_seconds": "float8",
    "put_through_seconds": "float8",
    "hold_seconds": "float8",
    "wrap_up_seconds": "float8",
    "marked": "bool",
    "elsewhere": "bool",
    "month": "date",
    "part": "int2",
    "why": "text",
    "billed_seconds": "int4",
    "surcharge": "text",
    "lines": "text",
}
"""Of items, with their types in PostgreSQL."""


async def items_billed(connection: AsyncConnection, names: Sequence[str], month: date) -> dict[tuple[str, str], Rated]:
    """Those of a month, by their keys, by all invoices of a client: the later one stands."""
    items, invoices = consumption_items.c, consumption_invoices.c
    query = (
        select(*(items[name] for name in _COLUMNS if name != "lines"))
        .join(consumption_invoices, invoices.number == items.number)
        .where(invoices.client.in_(names), items.month == month)
        .order_by(invoices.place)
    )
    return {(row.kind, row.item_id): rated_of(row) for row in await connection.execute(query)}


async def lines_billed(connection: AsyncConnection, names: Sequence[str], month: date) -> list[Line]:
    """All lines of a month that invoices of a client have, corrections among them."""
    lines, invoices = consumption_lines.c, consumption_invoices.c
    query = (
        select(consumption_lines)
        .join(consumption_invoices, invoices.number == lines.number)
        .where(invoices.client.in_(names), lines.month == month)
        .order_by(invoices.place, lines.position)
    )
    return [line_of(row) for row in await connection.execute(query)]


async def months_of(
    connection: AsyncConnection, names: Sequence[str], keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], date]:
    """Of those keys that invoices of a client have billed: in which month they are counted."""
    if not keys:
        return {}
    query = text(_MONTHS)
    rows = await connection.execute(query, {"names": list(names), "ids": [item_id for _, item_id in keys]})
    return {(row.kind, row.item_id): row.month for row in rows if (row.kind, row.item_id) in keys}


_MONTHS: Final = """
SELECT items.kind, items.item_id, items.month
FROM unnest(CAST(:ids AS text[])) AS asked (item_id)
CROSS JOIN LATERAL (
    SELECT kind, item_id, month, number FROM consumption_items WHERE consumption_items.item_id = asked.item_id
) AS items
JOIN consumption_invoices USING (number)
WHERE consumption_invoices.client = ANY(:names)
"""


async def freeze(
    connection: AsyncConnection,
    number: str,
    lines: Sequence[Line],
    items: Sequence[tuple[date, Rated, Sequence[int]]],
) -> None:
    """Write the lines and items of an invoice that this transaction has made.

    Args:
        connection: in that transaction.
        number: of the invoice.
        lines: all of them, in order.
        items: each with the month in which it is counted, and the positions of its lines.
    """
    if lines:
        rows = [{"number": number, "position": place, **_line(one)} for place, one in enumerate(lines, start=1)]
        await connection.execute(consumption_lines.insert(), rows)
    if not items:
        return
    arrays: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for month, one, positions in items:
        for name in _FACTS:
            arrays[name].append(getattr(one.item, name))
        arrays["month"].append(month)
        arrays["part"].append(one.part)
        arrays["why"].append(one.why)
        arrays["billed_seconds"].append(one.seconds)
        arrays["surcharge"].append(one.surcharge)
        arrays["lines"].append("{" + ",".join(map(str, positions)) + "}")
    await connection.execute(text(_FREEZE), {"number": number, **arrays})


_NAMES: Final = ", ".join(_COLUMNS)
_FREEZE: Final = f"""
INSERT INTO consumption_items (number, {_NAMES})
SELECT :number, {", ".join("CAST(lines AS int2[])" if name == "lines" else name for name in _COLUMNS)}
FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())}) AS told ({_NAMES})
"""  # noqa: S608 - made of our own words


def rated_of(row: Any) -> Rated:
    """An item of a row of `consumption_items`."""
    item = Item(
        kind=Kind(row.kind),
        item_id=row.item_id,
        at=row.at,
        outcome=row.outcome,
        waiting_seconds=row.waiting_seconds,
        talk_seconds=row.talk_seconds,
        put_through_seconds=row.put_through_seconds,
        hold_seconds=row.hold_seconds,
        wrap_up_seconds=row.wrap_up_seconds,
        marked=row.marked,
        elsewhere=row.elsewhere,
    )
    return Rated(item, row.why, row.billed_seconds, row.surcharge, row.part)


def line_of(row: Any) -> Line:
    """A line of a row of `consumption_lines`."""
    return Line(
        month=row.month,
        since=row.since,
        charge=Charge(row.charge),
        place=row.place,
        name=row.name,
        quantity=row.quantity,
        per=row.per,
        price=row.price,
        amount=row.amount,
        vat=row.vat,
        correction=row.correction,
    )


def _line(line: Line) -> dict[str, Any]:
    return {
        "month": line.month,
        "since": line.since,
        "charge": line.charge.value,
        "place": line.place,
        "name": line.name,
        "quantity": line.quantity,
        "per": line.per,
        "price": line.price,
        "amount": line.amount,
        "vat": line.vat,
        "correction": line.correction,
    }
