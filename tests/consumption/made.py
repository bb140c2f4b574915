"""Tariffs as they are written, and items that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from textwrap import dedent
from typing import Any
from zoneinfo import ZoneInfo

from callrouter.consumption.document import read_tariff
from callrouter.consumption.items import Item, Kind
from callrouter.consumption.rating import Charge, Line, Part, lines_of, rate
from callrouter.consumption.tariff import Tariff

PARIS = ZoneInfo("Europe/Paris")
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
MIDDAY = datetime(2026, 10, 6, 10, 0, tzinfo=UTC)
"""A Tuesday, at noon in Paris."""
HEAD = "tariff: essai\ncurrency: EUR\nvat: 20%\n"
NOT_BILLED = "not_billed: { outcomes: [rejected, left_early, self_served, failed, abandoned] }\n"


def tariff(says: str, *, not_billed: str = NOT_BILLED) -> Tariff:
    """Of what it says beyond its head."""
    found = read_tariff((HEAD + dedent(says) + not_billed).encode(), "essai.yaml")
    assert found.tariff is not None, [str(one) for one in found.issues]
    return found.tariff


def call(number: int, talk: float = 60.0, **fields: Any) -> Item:
    """One that was answered, on the first Tuesday unless another time is said."""
    values: dict[str, Any] = {"kind": Kind.CALL, "outcome": "answered", "at": MIDDAY + timedelta(seconds=number)}
    return Item(item_id=f"call-{number:05}", talk_seconds=talk, **{**values, **fields})


def part(of: Tariff, since: date = OCTOBER, until: date = NOVEMBER) -> Part:
    """Days that a tariff is for; the whole month by default."""
    return Part(since=since, until=until, version="v", tariff=of)


def lines(items: Sequence[Item], *parts: Part) -> list[Line]:
    """What they make in October."""
    return list(lines_of(rate(items, parts, PARIS), parts, OCTOBER).lines)


def told(found: Sequence[Line]) -> list[tuple[Charge, int, Decimal]]:
    """Charge, quantity and amount of each line."""
    return [(one.charge, one.quantity, one.amount) for one in found]
