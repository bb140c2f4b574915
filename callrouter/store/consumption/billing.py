"""Makes a client's statement of a month from the record, and what earlier months are corrected by.

An item belongs to the month in which it came, and to that in which it was billed first, whatever is learnt of it later:
so none is billed twice. An earlier month is billed anew, by the tariff of its invoice, from what that has frozen, with
what came late and what the record says otherwise now; what differs is a correction. What is not in the record any more
is as it was: a call that was deleted corrects nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.consumption.items import Kind, Needs, with_known
from callrouter.consumption.rating import Charge, Line, Part, Rated, lines_of, rate
from callrouter.consumption.statement import Statement, Terms, counts_of, difference
from callrouter.errors import ConsumptionRefused
from callrouter.periods import Period
from callrouter.store.consumption.frozen import items_billed, lines_billed, months_of
from callrouter.store.consumption.measuring import measure, measure_some
from callrouter.store.consumption.tariffs import part_by, parts_of
from callrouter.store.promises import operators_zone, zones_in_service
from callrouter.store.tables import consumption_invoices

LOOKS_BACK: Final = timedelta(days=400)
"""How old a month may be that is corrected: thirteen months, counted from the beginning of the one that is billed."""


@dataclass(frozen=True, kw_only=True)
class Billed:
    """A statement, and the items that it freezes when it is issued."""

    statement: Statement
    items: Sequence[tuple[date, Rated, Sequence[int]]] = field(default=())
    """Each with the month in which it is counted, and the positions of its lines, from 1."""


async def bill(connection: AsyncConnection, names: Sequence[str], month: date, *, name: str, now: datetime) -> Billed:
    """What a client is to pay for a month, as the record is now. Of one that has left, and has no tariff in that month,
    what earlier months are corrected by.

    Args:
        connection: open.
        names: the client's, all that it has had, its present one first.
        month: its first day.
        name: how people call it.
        now: the present instant, by the clock of calls.

    Raises:
        ConsumptionRefused: the client has no tariff in that month, and nothing is to be corrected.
    """
    parts = await parts_of(connection, names, month)
    zone, from_at, to_at = await period_of(connection, names, month, now)
    needs = Needs.of(part.tariff for part in parts)
    found = await measure(connection, names, from_at, to_at, needs) if parts else []
    others = await months_of(connection, names, {one.key for one in found})
    rated = rate([one for one in found if one.key not in others], parts, zone)
    made = lines_of(rated, parts, month)
    items: list[tuple[date, Rated, Sequence[int]]] = [
        (month, one, [place + 1 for place in made.of_items.get(one.item.key, ())]) for one in rated
    ]
    lines = list(made.lines)
    currency = parts[0].tariff.currency if parts else ""
    for earlier in await _invoices(connection, names):
        currency = earlier.currency
        if earlier.month != month and earlier.month >= month - LOOKS_BACK:
            corrected, changed = await _corrected(connection, names, earlier)
            items += [(earlier.month, one, [len(lines) + place for place in places]) for one, places in changed]
            lines += corrected
    if not parts and not lines:
        raise ConsumptionRefused(
            f"{names[0]} has no tariff in {month:%Y-%m}: "
            f"`callrouter consumption set FILE {names[0]} --from {month:%Y-%m-%d}` gives it one"
        )
    billed, not_billed = counts_of(rated)
    statement = Statement(
        client=names[0],
        name=name,
        month=month,
        zone=zone.key,
        from_at=from_at,
        to_at=to_at,
        currency=currency,
        terms=[Terms(since=one.since, until=one.until, version=one.version, tariff=one.tariff.name) for one in parts],
        lines=lines,
        counted=billed,
        not_billed=not_billed,
    )
    return Billed(statement=statement, items=items)


async def period_of(
    connection: AsyncConnection, names: Sequence[str], month: date, now: datetime
) -> tuple[ZoneInfo, datetime, datetime]:
    """The month by the client's clock. Where its zone has changed, it begins and ends where its neighbours do, as they
    were issued: no instant is in two months, or in none."""
    zones = await zones_in_service(connection, names[0])
    if not zones:
        zones = {names[0]: operators_zone(await zones_in_service(connection)).key}
    zone = ZoneInfo(zones[names[0]])
    from_at, to_at = Period.month(f"{month:%Y-%m}").within(zone, now)
    for one in await _invoices(connection, names):
        if _following(one.month) == month:
            from_at = one.to_at.astimezone(zone)
        if one.month == _following(month):
            to_at = one.from_at.astimezone(zone)
    return zone, from_at, to_at


def _following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


async def _invoices(connection: AsyncConnection, names: Sequence[str]) -> Sequence[Any]:
    query = select(consumption_invoices).where(consumption_invoices.c.client.in_(names))
    return (await connection.execute(query.order_by(consumption_invoices.c.month))).all()


async def _corrected(
    connection: AsyncConnection, names: Sequence[str], invoice: Any
) -> tuple[list[Line], list[tuple[Rated, list[int]]]]:
    """What a month that was issued is corrected by: lines, and the items that are new or count for something else, each
    with the positions of the lines that it may have made."""
    month, zone = invoice.month, ZoneInfo(invoice.zone)
    parts = [await _part(connection, terms) for terms in invoice.terms]
    needs = Needs.of(part.tariff for part in parts)
    frozen = await items_billed(connection, names, month)
    found = {one.key: one for one in await measure(connection, names, invoice.from_at, invoice.to_at, needs)}
    late = {key for key in found if key not in frozen}
    for key in await months_of(connection, names, late):  # what is billed in another month stays there
        del found[key]
    away = {key for key in frozen if key not in found}
    for one in await measure_some(connection, names, away, invoice.from_at, invoice.to_at, needs):
        found[one.key] = one
    told = [with_known(one, frozen[key].item) if key in frozen else one for key, one in found.items()]
    otherwise = [one for one in told if one.key not in frozen or one != frozen[one.key].item]
    changed = [
        one
        for one in rate(otherwise, parts, zone)
        if one.item.key not in frozen or one.counts != frozen[one.item.key].counts
    ]
    if not changed:
        return [], []
    whole = {**frozen, **{one.item.key: one for one in changed}}
    in_order = sorted(whole.values(), key=lambda one: (one.item.at, one.item.kind, one.item.item_id))
    made = lines_of(in_order, parts, month)
    corrections = difference(made.lines, await lines_billed(connection, names, month))
    since = [part.since for part in parts]
    return corrections, [(one, _places(one, since, corrections)) for one in changed]


_CHARGES: Final = {
    Kind.CALL: {
        *(Charge.CALLS_INCLUDED, Charge.CALLS, Charge.CALLS_SURCHARGE),
        *(Charge.MINUTES_INCLUDED, Charge.MINUTES, Charge.MINUTES_SURCHARGE),
    },
    Kind.CALLBACK: {Charge.CALLBACKS, Charge.MINUTES_INCLUDED, Charge.MINUTES, Charge.MINUTES_SURCHARGE},
    Kind.MESSAGE: {Charge.MESSAGES},
    Kind.SMS: {Charge.SMS},
}


def _places(one: Rated, since: Sequence[date], lines: Sequence[Line]) -> list[int]:
    """Positions, from 1, of the corrections that an item may have made: of its part of the month, and its kind."""
    charges = _CHARGES[Kind(one.item.kind)]
    return [
        place
        for place, line in enumerate(lines, start=1)
        if line.charge in charges and one.part >= 0 and line.since == since[one.part]
    ]


async def _part(connection: AsyncConnection, terms: Mapping[str, str]) -> Part:
    since, until = date.fromisoformat(terms["since"]), date.fromisoformat(terms["until"])
    return await part_by(connection, since, until, terms["version"])
