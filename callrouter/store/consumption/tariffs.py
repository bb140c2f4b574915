"""Tariffs as they are kept, and which a client has on which days.

What is set is kept by what is written in it: a file that is changed later changes nothing until it is set again, and
never what was issued. Days of a month that an invoice has billed keep their tariff.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.document import ReadTariff, read_tariff
from callrouter.consumption.rating import Part
from callrouter.errors import ConsumptionRefused
from callrouter.permissions import By
from callrouter.store.access.audit import Deed, write_deed
from callrouter.store.database import Database
from callrouter.store.plans import names_of, present_names
from callrouter.store.tables import AuditOutcome, client_tariffs, consumption_invoices, consumption_tariffs

SET = "consumption.tariff"
"""In the audit trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSince:
    """From a day on, a client has a tariff, or has none any more."""

    client: str
    since: date
    version: str | None
    tariff: str
    """Its name; empty: it has none."""
    set_at: datetime
    set_by: str


async def hold_client(connection: AsyncConnection, client: str) -> tuple[str, ...]:
    """Wait until nobody else bills a client or sets its tariff, and keep others from it to the end of the transaction.

    Returns:
        Its name, and those it had before.

    Raises:
        ConsumptionRefused: the name was handed on: the client is called otherwise now.
    """
    names = await all_names(connection, client)
    for name in sorted(names):
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended('consumption of ' || :name, 0))")
        await connection.execute(lock, {"name": name})
    return names


async def all_names(connection: AsyncConnection, client: str) -> tuple[str, ...]:
    """A client's name, and those it had before.

    Raises:
        ConsumptionRefused: the name was handed on: the client is called otherwise now.
    """
    heir = (await present_names(connection)).get(client)
    if heir is not None:
        raise ConsumptionRefused(f"client {client} is called {heir} now: what it consumes is that of {heir}")
    return await names_of(connection, client)


async def set_tariff(
    database: Database, client: str, since: date, read: ReadTariff | None, *, by: By, now: datetime
) -> str | None:
    """From a day on, a client has this tariff; None: it has none from then on.

    Returns:
        The version by which it is kept.

    Raises:
        ConsumptionRefused: an invoice has billed days from then on, or those before it were in another currency.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    assert read is None or read.tariff is not None
    async with database.connection() as connection:
        names = await hold_client(connection, client)
        await _must_be_open(connection, names, since)
        version = None
        if read is not None and read.tariff is not None:
            version = read.version
            await _must_be_of_one_currency(connection, names, read.tariff.currency, since)
            kept = {"version": version, "name": read.tariff.name, "document": read.text}
            values = {**kept, "kept_at": now, "kept_by": by.principal}
            await connection.execute(insert(consumption_tariffs).values(values).on_conflict_do_nothing())
        row = {"client": client, "since": since, "version": version, "set_at": now, "set_by": by.principal}
        statement = insert(client_tariffs).values(row)
        again = {name: statement.excluded[name] for name in ("version", "set_at", "set_by")}
        await connection.execute(statement.on_conflict_do_update(index_elements=["client", "since"], set_=again))
        said = f"{read.tariff.name} {version} from {since}" if read and read.tariff else f"none from {since}"
        deed = Deed(
            principal=by.principal,
            action=SET,
            object=said,
            client=client,
            outcome=AuditOutcome.DONE,
            address=by.address,
        )
        await write_deed(connection, deed, now)
    return version


async def _must_be_open(connection: AsyncConnection, names: Sequence[str], since: date) -> None:
    query = select(func.max(consumption_invoices.c.month)).where(consumption_invoices.c.client.in_(names))
    last: date | None = (await connection.execute(query)).scalar_one()
    if last is not None and since < (begins := _next_month(last)):
        raise ConsumptionRefused(
            f"{last:%Y-%m} is issued for {names[0]}: what it was billed by stays. Set it from {begins} on, or later"
        )


async def _must_be_of_one_currency(
    connection: AsyncConnection, names: Sequence[str], currency: str, since: date
) -> None:
    """With all that stays beside it: what was set from that very day on is replaced."""
    for one in await _rows(connection, names):
        if one.version is None or one.since == since:
            continue
        other = (await _kept(connection, one.version)).tariff
        if other is not None and other.currency != currency:
            raise ConsumptionRefused(
                f"the tariff of {names[0]} from {one.since} on is in {other.currency}, and this one in {currency}: "
                "an invoice corrects earlier ones, so that all are in one currency"
            )


async def tariffs_since(database: Database, client: str) -> list[TariffSince]:
    """Which tariff a client has had from which day on, the earliest first.

    Raises:
        ConsumptionRefused: the client is called otherwise now.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        return await _rows(connection, await all_names(connection, client))


async def clients_with_tariff(database: Database, month: date) -> list[str]:
    """Clients, by their present names, who have a tariff on a day of a month.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(client_tariffs.c.client).where(client_tariffs.c.since < _next_month(month)).distinct()
    async with database.connection() as connection:
        present = await present_names(connection)
        known = {present.get(name, name) for name in (await connection.execute(query)).scalars()}
        return [name for name in sorted(known) if await parts_of(connection, await names_of(connection, name), month)]


async def find_tariff(database: Database, version: str) -> str | None:
    """A tariff as it was written, by the beginning of its version; None: there is none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(consumption_tariffs.c.document).where(consumption_tariffs.c.version == version)
    async with database.connection() as connection:
        return (await connection.execute(query)).scalar_one_or_none()


async def parts_of(connection: AsyncConnection, names: Sequence[str], month: date) -> list[Part]:
    """The days of a month with their tariffs, in order; days without any are left out.

    Args:
        connection: open.
        names: the client's, all that it has had.
        month: its first day.
    """
    end = _next_month(month)
    rows = await _rows(connection, names)
    found = []
    for one, until in pairwise([*((row, row.since) for row in rows), (None, end)]):
        row, _ = one
        assert row is not None
        since, stop = max(row.since, month), min(until[1], end)
        if row.version is not None and since < stop:
            tariff = (await _kept(connection, row.version)).tariff
            assert tariff is not None
            found.append(Part(since=since, until=stop, version=row.version, tariff=tariff))
    return found


async def part_by(connection: AsyncConnection, since: date, until: date, version: str) -> Part:
    """Days of a month as an invoice billed them."""
    tariff = (await _kept(connection, version)).tariff
    assert tariff is not None, f"tariff {version} is kept, and cannot be read"
    return Part(since=since, until=until, version=version, tariff=tariff)


async def _rows(connection: AsyncConnection, names: Sequence[str]) -> list[TariffSince]:
    """Of a day on which two names have one, that of the client's present name stands."""
    query = (
        select(client_tariffs, consumption_tariffs.c.name)
        .join(consumption_tariffs, isouter=True)
        .where(client_tariffs.c.client.in_(names))
        .order_by(client_tariffs.c.since)
    )
    found: dict[date, TariffSince] = {}
    for row in await connection.execute(query):
        one = TariffSince(
            client=row.client,
            since=row.since,
            version=row.version,
            tariff=row.name or "",
            set_at=row.set_at,
            set_by=row.set_by,
        )
        if row.since not in found or row.client == names[0]:
            found[row.since] = one
    return list(found.values())


async def _kept(connection: AsyncConnection, version: str) -> ReadTariff:
    query = select(consumption_tariffs.c.document).where(consumption_tariffs.c.version == version)
    document: str = (await connection.execute(query)).scalar_one()
    return read_tariff(document.encode(), f"tariff {version}")


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)
