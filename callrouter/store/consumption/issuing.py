"""Issues invoices: once for each client and month, whoever asks and however often; and shows what one would say now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.statement import Statement
from callrouter.errors import ConsumptionRefused
from callrouter.permissions import By
from callrouter.store.access.audit import Deed, write_deed
from callrouter.store.consumption.billing import Billed, bill
from callrouter.store.consumption.frozen import freeze
from callrouter.store.consumption.invoices import statement_of
from callrouter.store.consumption.tariffs import all_names, hold_client
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome, consumption_invoices, consumption_numbers

ISSUED = "consumption.issue"
"""In the audit trail."""


async def preview(database: Database, client: str, month: date, *, name: str, now: datetime) -> Statement:
    """What an invoice of a month would say now: as issued, where it is; of a month that goes on, so far.

    Raises:
        ConsumptionRefused: the client has no tariff in that month, or is called otherwise now.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        names = await all_names(connection, client)
        issued = await _issued(connection, names, month)
        return issued or (await bill(connection, names, month, name=name, now=now)).statement


async def issue(
    database: Database, client: str, month: date, *, name: str, by: By, now: datetime
) -> tuple[Statement, bool]:
    """Issue the invoice of a month, and whether it was issued now: it may have been before.

    Args:
        database: open.
        client: by its present name.
        month: its first day; it must be over.
        name: how people call the client.
        by: who does it.
        now: the present instant, by the clock of calls.

    Raises:
        ConsumptionRefused: the client has no tariff in that month, is called otherwise now, or the month goes on.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        names = await hold_client(connection, client)
        issued = await _issued(connection, names, month)
        if issued is not None:
            return issued, False
        billed = await bill(connection, names, month, name=name, now=now)
        made = billed.statement
        if made.to_at > now:
            raise ConsumptionRefused(
                f"{month:%Y-%m} goes on until {made.to_at:%Y-%m-%d %H:%M} ({made.zone}): it is issued when it is over; "
                f"`callrouter consumption preview {client}` says what it comes to so far"
            )
        return await _frozen(connection, billed, by, now), True


async def _issued(connection: AsyncConnection, names: Sequence[str], month: date) -> Statement | None:
    invoices = consumption_invoices.c
    query = select(invoices.number).where(invoices.client.in_(names), invoices.month == month).order_by(invoices.place)
    number = (await connection.execute(query.limit(1))).scalar_one_or_none()
    return None if number is None else await statement_of(connection, number)


async def _frozen(connection: AsyncConnection, billed: Billed, by: By, now: datetime) -> Statement:
    made = billed.statement
    number = await _number(connection, f"{now.astimezone(ZoneInfo(made.zone)):%Y}")
    issued = replace(made, number=number, issued_at=now, issued_by=by.principal)
    await connection.execute(insert(consumption_invoices).values(_row(issued)))
    await freeze(connection, number, made.lines, billed.items)
    deed = Deed(
        principal=by.principal,
        action=ISSUED,
        object=f"{number} of {made.month:%Y-%m}",
        client=made.client,
        outcome=AuditOutcome.DONE,
        address=by.address,
    )
    await write_deed(connection, deed, now)
    return issued


async def _number(connection: AsyncConnection, series: str) -> str:
    """The next of a series. Whoever asks holds its row to the end of the transaction: there are no gaps."""
    statement = insert(consumption_numbers).values(series=series, last=1)
    again = statement.on_conflict_do_update(index_elements=["series"], set_={"last": consumption_numbers.c.last + 1})
    last: int = (await connection.execute(again.returning(consumption_numbers.c.last))).scalar_one()
    return f"{series}-{last:05}"


def _row(issued: Statement) -> dict[str, Any]:
    return {
        "number": issued.number,
        "client": issued.client,
        "month": issued.month,
        "name": issued.name,
        "zone": issued.zone,
        "from_at": issued.from_at,
        "to_at": issued.to_at,
        "currency": issued.currency,
        "terms": msgspec.to_builtins(issued.terms),
        "counted": dict(issued.counted),
        "not_billed": dict(issued.not_billed),
        "net": issued.net,
        "gross": issued.gross,
        "issued_at": issued.issued_at,
        "issued_by": issued.issued_by,
    }
