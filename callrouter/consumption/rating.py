"""Rates items by tariffs: what each counts for, and the lines that all of them make.

A month is cut into parts where the tariff changes: an item belongs to the part of the day on which it came, by the
client's clock. What is of the month as a whole (flat rate, what that includes, minimum) is taken by days of the part.
Of a conversation its whole seconds are counted: what is begun of the last one is not. Pieces and seconds fill first
what is included, then one tier after the other, in the order in which they came.

Months that were issued are billed anew by this code, where something of them was learnt later: what it makes of the
same items must stay the same in every release. A tariff that says something new gets a key of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from callrouter.consumption.items import Item, Kind, Outcome
from callrouter.consumption.money import rounded
from callrouter.consumption.tariff import ZERO, Minutes, NotBilled, Surcharge, Tariff, Tier, Time
from callrouter.core.call import Disposition

_MICROSECONDS: Final = 1_000_000
_A_MINUTE: Final = 60
_A_WEEK: Final = 7 * 24 * 60


class Why(StrEnum):
    """Why an item costs nothing, besides a call's disposition."""

    SHORT_ABANDON = "short_abandon"
    SHORT = "short"
    MARKED = "marked"
    NO_TARIFF = "no_tariff"
    """No tariff was agreed on for its day."""
    NOT_PRICED = "not_priced"
    """The tariff has no price for such."""
    ELSEWHERE = "elsewhere"
    """It is another client's, as was learnt later."""


class Charge(StrEnum):
    """What a line bills."""

    MONTHLY = "monthly"
    CALLS_INCLUDED = "calls_included"
    CALLS = "calls"
    MINUTES_INCLUDED = "minutes_included"
    MINUTES = "minutes"
    CALLBACKS = "callbacks"
    MESSAGES = "messages"
    SMS = "sms"
    CALLS_SURCHARGE = "calls_surcharge"
    MINUTES_SURCHARGE = "minutes_surcharge"
    MINIMUM = "minimum"
    """What is missing to the month's minimum."""


class Part(Struct, frozen=True, kw_only=True):
    """Days of a month that one tariff is for."""

    since: date
    until: date
    """Not included."""
    version: str
    tariff: Tariff

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days

    @property
    def days_of_month(self) -> int:
        """Of its whole month."""
        first = self.since.replace(day=1)
        return ((first + timedelta(days=31)).replace(day=1) - first).days

    def of_month(self, number: int) -> int:
        """As much of what is included in a whole month as falls to these days; begun ones are whole."""
        return -(-number * self.days // self.days_of_month)


class Rated(Struct, frozen=True, gc=False):
    """An item, and what it counts for."""

    item: Item
    why: str
    """Why it costs nothing; empty: it is billed."""
    seconds: int
    """Of its conversation, as they are billed."""
    surcharge: str
    """Name of the one that is added; empty: none."""
    part: int
    """Which part of the month it belongs to; -1: none."""

    @property
    def counts(self) -> tuple[str, int, str, int]:
        """What a correction is told by: who is counted alike costs the same."""
        return self.why, self.seconds, self.surcharge, self.part


class Line(Struct, frozen=True, kw_only=True):
    """One line: so many of something at a price."""

    month: date
    """The first day of the month it is of."""
    since: date
    """The first day of the part it is of."""
    charge: Charge
    place: int = 0
    """Tier, from 1; 0: there is one price."""
    name: str = ""
    """Of a surcharge."""
    quantity: int
    """Pieces, seconds, or days."""
    per: int = 1
    """Of how many pieces, seconds or days the price is."""
    price: Decimal
    """Without VAT."""
    amount: Decimal
    """The same, rounded."""
    vat: Decimal
    """A share."""
    correction: bool = False
    """Of a month that was billed before."""

    @property
    def key(self) -> tuple[date, date, Charge, int, str]:
        """By which the same line is found in several statements."""
        return self.month, self.since, self.charge, self.place, self.name


class Lines(Struct, frozen=True, kw_only=True):
    """Of a month."""

    lines: Sequence[Line]
    of_items: Mapping[tuple[str, str], Sequence[int]]
    """By item that is billed: the places, in `lines`, where it counts."""


def rate(items: Iterable[Item], parts: Sequence[Part], zone: ZoneInfo) -> list[Rated]:
    """What each item counts for, in the order in which they came.

    Args:
        items: in any order.
        parts: of the month, in order.
        zone: the client's; an item whose day lies beside the month belongs to the nearest part.
    """
    raters = [_Rater(part, number) for number, part in enumerate(parts)]
    begins = [part.since for part in parts]
    found = []
    for item in sorted(items, key=_in_order):
        local = item.at.astimezone(zone)
        day = local.date()
        number = max(0, bisect_right(begins, day) - 1)
        if not raters or not _holds(parts, number, day):
            found.append(Rated(item, Why.NO_TARIFF, 0, "", -1))
        else:
            found.append(raters[number].rated(item, local))
    return found


def _in_order(item: Item) -> tuple[datetime, str, str]:
    return item.at, item.kind, item.item_id


def _holds(parts: Sequence[Part], number: int, day: date) -> bool:
    """Whether a day is the part's, or lies in another month: a corrected item stays in the month it was billed in."""
    part = parts[number]
    if part.since <= day < part.until:
        return True
    month = part.since.replace(day=1)
    return day.replace(day=1) != month


class _Rater:
    """Rates the items of one part."""

    def __init__(self, part: Part, number: int) -> None:
        self._number = number
        tariff = part.tariff
        self._tariff = tariff
        self._hours = [_hours_of(one, part.since.year) for one in tariff.surcharges]
        self._priced = {
            Kind.CALL: True,
            Kind.CALLBACK: bool(tariff.callbacks) or (tariff.minutes is not None and tariff.minutes.callbacks),
            Kind.MESSAGE: bool(tariff.messages),
            Kind.SMS: bool(tariff.sms),
        }

    def rated(self, item: Item, local: datetime) -> Rated:
        """What an item counts for, which came at this time by the client's clock."""
        why = self._why(item)
        if why:
            return Rated(item, why, 0, "", self._number)
        seconds, minutes = 0, self._tariff.minutes
        if minutes is not None and (item.kind is Kind.CALL or (item.kind is Kind.CALLBACK and minutes.callbacks)):
            seconds = billed_seconds(item, minutes)
        surcharge = ""
        if self._hours and item.kind in (Kind.CALL, Kind.CALLBACK):
            surcharge = next((name for name, holds in self._hours if holds(local)), "")
        return Rated(item, "", seconds, surcharge, self._number)

    def _why(self, item: Item) -> str:
        if item.elsewhere:
            return Why.ELSEWHERE
        if not self._priced[item.kind]:
            return Why.NOT_PRICED
        if item.kind is Kind.CALL:
            return _why_call(item, self._tariff.not_billed)
        if item.outcome in (Outcome.NOT_REACHED, Outcome.NOT_SENT):
            return item.outcome
        return Why.MARKED if item.marked else ""


def _why_call(item: Item, not_billed: NotBilled) -> str:
    outcome = item.outcome
    if outcome in not_billed.outcomes:
        return outcome
    if item.marked:
        return Why.MARKED
    if outcome == Disposition.ABANDONED and item.waiting_seconds < not_billed.abandoned_within_seconds:
        return Why.SHORT_ABANDON
    if outcome in _SPOKEN and item.talk_seconds < not_billed.shorter_than_seconds:
        return Why.SHORT
    return ""


_SPOKEN: Final = frozenset({Disposition.ANSWERED, Disposition.REDIRECTED})


def billed_seconds(item: Item, minutes: Minutes) -> int:
    """How many seconds of an item are billed: none, where nothing of it counts.

    Of a call that was put through while no engine saw it, no side was measured: all of it was with the client's people.
    """
    microseconds = _exact(item.talk_seconds) if Time.TALK in minutes.counts else 0
    if not minutes.put_through:
        unseen = item.put_through_seconds is None and item.outcome == Disposition.REDIRECTED
        microseconds -= microseconds if unseen else _exact(item.put_through_seconds)
    if Time.HOLD in minutes.counts:
        microseconds += _exact(item.hold_seconds)
    if Time.WRAP_UP in minutes.counts:
        microseconds += _exact(item.wrap_up_seconds)
    seconds = microseconds // _MICROSECONDS
    if microseconds <= 0:
        return 0
    beyond = max(0, seconds - minutes.first_seconds)
    return minutes.first_seconds - -beyond // minutes.step_seconds * minutes.step_seconds


def _exact(seconds: float | None) -> int:
    """Microseconds: the record's instants have no finer parts, and a float of their difference has noise beyond."""
    return 0 if seconds is None else round(seconds * _MICROSECONDS)


def _hours_of(surcharge: Surcharge, year: int) -> tuple[str, Callable[[datetime], bool]]:
    """The name, and whether a time by the client's clock lies in the hours."""
    week, days = surcharge.week, frozenset[date]()
    if surcharge.holidays:
        from callrouter.dialplan.shared.public_holidays import OWN_LANGUAGE, public_holidays

        days = frozenset(public_holidays(surcharge.holidays, OWN_LANGUAGE, year))

    def holds(local: datetime) -> bool:
        if local.date() in days:
            return True
        minute = (local.weekday() * 24 + local.hour) * 60 + local.minute
        return any(start <= minute < stop or start <= minute + _A_WEEK < stop for start, stop in week)

    return surcharge.name, holds


def lines_of(rated: Sequence[Rated], parts: Sequence[Part], month: date) -> Lines:
    """All lines of a month that begins with a day, part by part; those of nothing are left out.

    Args:
        rated: in the order in which they came (`rate`).
        parts: those they were rated by.
        month: its first day.
    """
    lines: list[Line] = []
    of_items: dict[tuple[str, str], list[int]] = {}
    for number, part in enumerate(parts):
        ours = [one for one in rated if one.part == number and not one.why]
        made = _PartLines(part, month, len(lines), of_items)
        made.add_all(ours)
        lines += made.lines
    return Lines(lines=lines, of_items=of_items)


class _PartLines:
    """The lines of one part, as they are made."""

    def __init__(self, part: Part, month: date, first: int, of_items: dict[tuple[str, str], list[int]]) -> None:
        """`first` is the place of the first line, `of_items` is told which items count where."""
        self.lines: list[Line] = []
        self._part, self._month, self._first, self._of_items = part, month, first, of_items

    def add_all(self, ours: Sequence[Rated]) -> None:
        """Of the items of this part that are billed."""
        part, tariff = self._part, self._part.tariff
        monthly = tariff.monthly
        if monthly is not None:
            self._add(Charge.MONTHLY, part.days, monthly.fee, per=part.days_of_month)
        calls = [one for one in ours if one.item.kind is Kind.CALL]
        if tariff.calls:
            included = part.of_month(monthly.calls) if monthly else 0
            self._fill(
                (Charge.CALLS_INCLUDED, Charge.CALLS), [(one, 1) for one in calls], included, tariff.calls, per=1
            )
        spoken = [(one, one.seconds) for one in ours if one.seconds]
        if tariff.minutes is not None:
            included = part.of_month(monthly.minutes * _A_MINUTE) if monthly else 0
            charges = (Charge.MINUTES_INCLUDED, Charge.MINUTES)
            self._fill(charges, spoken, included, tariff.minutes.tiers, per=_A_MINUTE)
        for charge, kind, tiers in (
            (Charge.CALLBACKS, Kind.CALLBACK, tariff.callbacks),
            (Charge.MESSAGES, Kind.MESSAGE, tariff.messages),
            (Charge.SMS, Kind.SMS, tariff.sms),
        ):
            if tiers:
                self._fill((charge, charge), [(one, 1) for one in ours if one.item.kind is kind], 0, tiers, per=1)
        for one in tariff.surcharges:
            if one.call:
                self._surcharge(Charge.CALLS_SURCHARGE, one.name, [(it, 1) for it in calls], one.call, per=1)
            if one.minute:
                self._surcharge(Charge.MINUTES_SURCHARGE, one.name, spoken, one.minute, per=_A_MINUTE)
        self._add_minimum()

    def _add(
        self,
        charge: Charge,
        quantity: int,
        price: Decimal,
        *,
        per: int = 1,
        place: int = 0,
        name: str = "",
        items: Iterable[Rated] = (),
    ) -> None:
        tariff = self._part.tariff
        line = Line(
            month=self._month,
            since=self._part.since,
            charge=charge,
            place=place,
            name=name,
            quantity=quantity,
            per=per,
            price=price,
            amount=rounded(quantity * price / per, tariff.currency),
            vat=tariff.vat,
        )
        at = self._first + len(self.lines)
        for one in items:
            self._of_items.setdefault(one.item.key, []).append(at)
        self.lines.append(line)

    def _fill(
        self,
        charges: tuple[Charge, Charge],
        counted: Sequence[tuple[Rated, int]],
        included: int,
        tiers: Sequence[Tier],
        *,
        per: int,
    ) -> None:
        """What is included first, then the tiers, one after the other."""
        bounds = [included, *(None if tier.up_to is None else included + tier.up_to * per for tier in tiers)]
        start = 0
        for number, end in enumerate(bounds):
            if end is not None and end <= start:
                continue
            quantity, items = _within(counted, start, end)
            if quantity and number == 0:
                self._add(charges[0], quantity, ZERO, per=per, items=items)
            elif quantity:
                place = number if len(tiers) > 1 else 0
                self._add(charges[1], quantity, tiers[number - 1].price, per=per, place=place, items=items)
            start = end or 0

    def _surcharge(
        self, charge: Charge, name: str, counted: Sequence[tuple[Rated, int]], price: Decimal, *, per: int
    ) -> None:
        found = [(one, number) for one, number in counted if one.surcharge == name]
        quantity = sum(number for _, number in found)
        if quantity:
            self._add(charge, quantity, price, per=per, name=name, items=[one for one, _ in found])

    def _add_minimum(self) -> None:
        part, tariff = self._part, self._part.tariff
        if not tariff.minimum:
            return
        least = rounded(tariff.minimum * part.days / part.days_of_month, tariff.currency)
        missing = least - sum((line.amount for line in self.lines), ZERO)
        if missing > 0:
            self._add(Charge.MINIMUM, 1, missing)


def _within(counted: Sequence[tuple[Rated, int]], start: int, end: int | None) -> tuple[int, list[Rated]]:
    """How much of what is counted, one after the other, lies from a place on up to another, and whose it is."""
    quantity, at = 0, 0
    items = []
    for one, number in counted:
        inside = min(at + number, at + number if end is None else end) - max(at, start)
        at += number
        if inside > 0:
            quantity += inside
            items.append(one)
    return quantity, items
