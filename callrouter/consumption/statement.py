"""A month's statement: its lines, what corrects earlier months, and the sums, without VAT, of VAT, and with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from callrouter.consumption.money import rounded
from callrouter.consumption.rating import Line, Rated
from callrouter.consumption.tariff import ZERO


class Terms(Struct, frozen=True, kw_only=True):
    """By which tariff days of the month are billed."""

    since: date
    until: date
    """Not included."""
    version: str
    tariff: str
    """Its name."""


class VatSum(Struct, frozen=True, kw_only=True):
    """VAT of one rate."""

    rate: Decimal
    """A share."""
    net: Decimal
    vat: Decimal


class Statement(Struct, frozen=True, kw_only=True):
    """What a client is to pay for a month. Issued, it has a number, and never changes."""

    client: str
    name: str
    """As the client's file calls it; else its identifier."""
    month: date
    """Its first day."""
    zone: str
    from_at: datetime
    to_at: datetime
    """Not included."""
    currency: str
    terms: Sequence[Terms]
    lines: Sequence[Line]
    """Those of the month, then those of earlier ones."""
    counted: Mapping[str, int]
    """How many items of the month of each kind are billed."""
    not_billed: Mapping[str, int]
    """By why: how many calls of the month cost nothing."""
    number: str | None = None
    issued_at: datetime | None = None
    issued_by: str = ""

    @property
    def net(self) -> Decimal:
        """Without VAT."""
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def vat(self) -> list[VatSum]:
        """By rate."""
        sums: dict[Decimal, Decimal] = {}
        for line in self.lines:
            sums[line.vat] = sums.get(line.vat, ZERO) + line.amount
        return [
            VatSum(rate=rate, net=net, vat=rounded(net * rate, self.currency)) for rate, net in sorted(sums.items())
        ]

    @property
    def gross(self) -> Decimal:
        """With VAT."""
        return self.net + sum((one.vat for one in self.vat), ZERO)


def difference(now: Sequence[Line], before: Iterable[Line]) -> list[Line]:
    """What must be added to the lines that were issued of a month, so that their sum is what it is now."""
    told: dict[object, Line] = {}
    for line in before:
        known = told.get(line.key)
        if known is not None:
            line = replace(line, quantity=line.quantity + known.quantity, amount=line.amount + known.amount)
        told[line.key] = line
    found = []
    for line in now:
        was = told.pop(line.key, None)
        found.append(
            line
            if was is None
            else replace(line, quantity=line.quantity - was.quantity, amount=line.amount - was.amount)
        )
    found += [replace(line, quantity=-line.quantity, amount=-line.amount) for line in told.values()]
    return [replace(line, correction=True) for line in found if line.quantity or line.amount]


def counts_of(rated: Iterable[Rated]) -> tuple[dict[str, int], dict[str, int]]:
    """How many of each kind are billed, and by why, how many calls are not."""
    billed, not_billed = Counter[str](), Counter[str]()
    for one in rated:
        if not one.why:
            billed[one.item.kind] += 1
        elif one.item.kind == "call":
            not_billed[one.why] += 1
    return dict(sorted(billed.items())), dict(sorted(not_billed.items()))
