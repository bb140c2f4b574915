"""What a month would have cost by another tariff: nothing is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callrouter.consumption.document import ReadTariff
from callrouter.consumption.items import Item, Needs, with_known
from callrouter.consumption.rating import Part, lines_of, rate
from callrouter.consumption.statement import Statement, Terms, counts_of
from callrouter.store.consumption.billing import period_of
from callrouter.store.consumption.frozen import items_billed
from callrouter.store.consumption.measuring import measure
from callrouter.store.consumption.tariffs import all_names, parts_of
from callrouter.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same month by two tariffs, without corrections of others."""

    now: Statement | None
    """By the tariff that the client has; None: it has none in that month."""
    by_other: Statement


async def what_if(
    database: Database, client: str, month: date, other: ReadTariff, *, name: str, now: datetime
) -> Comparison:
    """What a client would pay for a month, and what it pays.

    What the record does not have any more is taken from the month's invoice, as it was measured for that.

    Raises:
        ConsumptionRefused: the client is called otherwise now.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    assert other.tariff is not None
    async with database.connection() as connection:
        names = await all_names(connection, client)
        parts = await parts_of(connection, names, month)
        zone, from_at, to_at = await period_of(connection, names, month, now)
        whole = [
            Part(
                since=month,
                until=(month + timedelta(days=31)).replace(day=1),
                version=other.version,
                tariff=other.tariff,
            )
        ]
        tariffs = [part.tariff for part in [*parts, *whole]]
        items = {key: one.item for key, one in (await items_billed(connection, names, month)).items()}
        for one in await measure(connection, names, from_at, to_at, Needs.of(tariffs)):
            items[one.key] = with_known(one, items[one.key]) if one.key in items else one

    def by(these: list[Part]) -> Statement:
        return _statement(list(items.values()), these, zone, client, name, month, (from_at, to_at))

    return Comparison(now=by(parts) if parts else None, by_other=by(whole))


def _statement(
    items: list[Item],
    parts: list[Part],
    zone: ZoneInfo,
    client: str,
    name: str,
    month: date,
    period: tuple[datetime, datetime],
) -> Statement:
    rated = rate(items, parts, zone)
    billed, not_billed = counts_of(rated)
    return Statement(
        client=client,
        name=name,
        month=month,
        zone=zone.key,
        from_at=period[0],
        to_at=period[1],
        currency=parts[0].tariff.currency,
        terms=[Terms(since=one.since, until=one.until, version=one.version, tariff=one.tariff.name) for one in parts],
        lines=lines_of(rated, parts, month).lines,
        counted=billed,
        not_billed=not_billed,
    )
