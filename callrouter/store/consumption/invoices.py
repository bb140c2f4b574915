"""Reads invoices: one as it was issued, those of a client, what one line bills, and which invoices have a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.rating import Rated
from callrouter.consumption.statement import Statement, Terms
from callrouter.permissions import EVERYTHING, Scope
from callrouter.store.consumption.frozen import line_of, rated_of
from callrouter.store.database import Database
from callrouter.store.paging import bounds, cut, page, within
from callrouter.store.tables import consumption_invoices, consumption_items, consumption_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One of a list."""

    number: str
    client: str
    name: str
    month: date
    currency: str
    net: Decimal
    gross: Decimal
    issued_at: datetime
    issued_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePage:
    """Invoices, the newest first, and where the next page begins (None: there is none)."""

    invoices: Sequence[Invoice]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledItem:
    """What an invoice says of one call, callback, message or SMS."""

    number: str
    month: date
    """In which it is counted."""
    rated: Rated
    lines: Sequence[int]
    """Positions, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """Items, the newest first, and where the next page begins (None: there is none)."""

    items: Sequence[BilledItem]
    next_cursor: str | None


async def find_invoice(database: Database, number: str) -> Statement | None:
    """An invoice by its number; None: there is none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await statement_of(connection, number)


async def statement_of(connection: AsyncConnection, number: str) -> Statement | None:
    """The same, on an open connection."""
    query = select(consumption_invoices).where(consumption_invoices.c.number == number)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    lines = consumption_lines.c
    told = await connection.execute(select(consumption_lines).where(lines.number == number).order_by(lines.position))
    zone = ZoneInfo(row.zone)
    return Statement(
        client=row.client,
        name=row.name,
        month=row.month,
        zone=row.zone,
        from_at=row.from_at.astimezone(zone),
        to_at=row.to_at.astimezone(zone),
        currency=row.currency,
        terms=msgspec.convert(row.terms, list[Terms]),
        lines=[line_of(one) for one in told],
        counted=row.counted,
        not_billed=row.not_billed,
        number=row.number,
        issued_at=row.issued_at,
        issued_by=row.issued_by,
    )


async def list_invoices(
    database: Database,
    *,
    client: str | None = None,
    scope: Scope = EVERYTHING,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> InvoicePage:
    """Invoices by when they were issued (`from_at` included, `to_at` not), the newest first.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    table = consumption_invoices
    rows, next_cursor = await page(
        database,
        table,
        (table.c.issued_at, table.c.number),
        client=client,
        filters=within(table, scope),
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    names = Invoice.__dataclass_fields__
    return InvoicePage(
        invoices=[Invoice(**{name: row[name] for name in names}) for row in rows], next_cursor=next_cursor
    )


async def list_items(
    database: Database, number: str, *, line: int | None = None, limit: int = 100, cursor: str | None = None
) -> ItemPage:
    """What an invoice bills, or one line of it (its position, from 1), the newest first; without a line, also what it
    does not bill.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    items = consumption_items.c
    order = (items.at, items.item_id, items.kind)
    query = (
        select(consumption_items)
        .where(items.number == number, *bounds(order, None, None, cursor))
        .order_by(*(column.desc() for column in order))
        .limit(limit + 1)
    )
    if line is not None:
        query = query.where(items.lines.contains([line]))
    async with database.connection() as connection:
        rows = (await connection.execute(query)).all()
    _, next_cursor = cut([row._mapping for row in rows], order, limit)
    return ItemPage(items=[_item(row) for row in rows[:limit]], next_cursor=next_cursor)


async def invoices_with(database: Database, item_id: str) -> list[tuple[Invoice, BilledItem]]:
    """What invoices say of a call, callback, message or SMS, the earliest first.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    invoices, items = consumption_invoices, consumption_items
    query = (
        select(items, *(invoices.c[name] for name in Invoice.__dataclass_fields__ if name not in ("number", "month")))
        .add_columns(invoices.c.month.label("of_month"))
        .join(invoices, invoices.c.number == items.c.number)
        .where(items.c.item_id == item_id)
        .order_by(invoices.c.place)
    )
    names = [name for name in Invoice.__dataclass_fields__ if name != "month"]
    async with database.connection() as connection:
        return [
            (Invoice(month=row.of_month, **{name: getattr(row, name) for name in names}), _item(row))
            for row in await connection.execute(query)
        ]


def _item(row: Any) -> BilledItem:
    return BilledItem(number=row.number, month=row.month, rated=rated_of(row), lines=row.lines)
