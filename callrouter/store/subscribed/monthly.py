"""Reports of months: whom each client has them sent to, which were, and each as one delivery."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Means
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker
from callrouter.store.dispatch.lease import Lease
from callrouter.store.tables import DeliveryKind, DeliveryState, deliveries, monthly_reports


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlySubscriber:
    """A contact who is sent a report of each month."""

    client: str
    contact: str
    minute: int
    """Of the first, by the client's clock, from which on it is sent."""
    timezone: str
    since: datetime
    """When a version went live first that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyMail:
    """One month's report for one contact, as it is sent."""

    client: str
    contact: str
    month: date
    """Its first day."""
    delivery_id: str
    address: str
    """`mailto:…`"""
    body: str
    """The whole mail but for its To."""


_SUBSCRIBERS: Final = text("""
    SELECT live.client, one.value ->> 'to' AS contact, (one.value ->> 'minute')::int AS minute,
        one.value ->> 'timezone' AS timezone,
        (SELECT min(past.live_at) FROM plan_history AS past JOIN plans AS was USING (client, version)
         WHERE past.client = live.client
            AND was.reports @> jsonb_build_array(jsonb_build_object('to', one.value ->> 'to'))) AS since
    FROM (SELECT DISTINCT ON (client) client, version FROM plan_history ORDER BY client, history_id DESC) AS live
        JOIN plans USING (client, version) CROSS JOIN jsonb_array_elements(plans.reports) AS one (value)
    WHERE plans.reports <> '[]'
    ORDER BY live.client, contact
""")


async def read_monthly(database: Database, since: date) -> tuple[list[MonthlySubscriber], set[tuple[str, str, date]]]:
    """Whom reports are sent to now; and by client, contact and month, those of months from then on that were.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    sent = monthly_reports.c
    async with database.connection() as connection:
        found = [MonthlySubscriber(**row) for row in (await connection.execute(_SUBSCRIBERS)).mappings()]
        were = await connection.execute(select(sent.client, sent.contact, sent.month).where(sent.month >= since))
        return found, {(row.client, row.contact, row.month) for row in were}


async def queue_monthly(database: Database, mail: MonthlyMail, now: datetime, lease: Lease | None) -> bool:
    """Queue a report, in one transaction with the note that it is; whether it was. With a lease, what was queued
    before is not again; without one, somebody wants it sent once more.

    Raises:
        LeaseLost: another worker does it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    key = {"client": mail.client, "contact": mail.contact, "month": mail.month}
    values = {"delivery_id": mail.delivery_id, "queued_at": now}
    note = insert(monthly_reports).values(**key, **values)
    async with database.connection() as connection:
        if lease is not None:
            await lease.check(connection)
            noted = await connection.execute(note.on_conflict_do_nothing().returning(monthly_reports.c.client))
            if noted.first() is None:
                return False
        else:
            await connection.execute(note.on_conflict_do_update(index_elements=list(key), set_=values))
        await connection.execute(insert(deliveries).values(_delivery(mail, now)))
        await _forget_bodies(connection, mail)
        await wake_worker(connection)
    return True


def _delivery(mail: MonthlyMail, now: datetime) -> dict[str, object]:
    return {
        "delivery_id": mail.delivery_id,
        "client": mail.client,
        "kind": DeliveryKind.EVENT.value,
        "contact": mail.contact,
        "means": Means.EMAIL.value,
        "address": mail.address,
        "body": mail.body,
        "last": True,  # nothing follows: it is tried for as long as anything is
        "state": DeliveryState.QUEUED.value,
        "queued_at": now,
        "next_attempt_at": now,
        "changed_at": now,
    }


_DONE: Final[Collection[str]] = (
    DeliveryState.ACCEPTED.value,
    DeliveryState.DELIVERED.value,
    DeliveryState.VIEWED.value,
)


async def _forget_bodies(connection: AsyncConnection, mail: MonthlyMail) -> None:
    """Mail of earlier months has arrived, and can be made again: it need not be kept."""
    sent, told = monthly_reports.c, deliveries.c
    earlier = select(sent.delivery_id).where(
        sent.client == mail.client, sent.contact == mail.contact, sent.month < mail.month
    )
    change = update(deliveries).where(told.delivery_id.in_(earlier), told.state.in_(_DONE)).values(body="")
    await connection.execute(change)
