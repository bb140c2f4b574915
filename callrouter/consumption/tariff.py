"""A tariff: what a client pays for what, as plain values. `document` reads it, `rating` applies it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from callrouter.core.call import Disposition

ZERO: Final = Decimal(0)


class Time(StrEnum):
    """What of a call is counted as its minutes."""

    TALK = "talk"
    """The caller spoke with somebody."""
    HOLD = "hold"
    """Whoever spoke with the caller had put them on hold."""
    WRAP_UP = "wrap_up"
    """An agent's work after the conversation."""


class Tier(Struct, frozen=True, kw_only=True):
    """A price from where the tier before ends."""

    price: Decimal
    up_to: int | None = None
    """The last piece, or minute, that has this price, counted beyond what the flat rate includes; None: no end."""


class Minutes(Struct, frozen=True, kw_only=True):
    """How conversations are billed by their length."""

    tiers: tuple[Tier, ...]
    first_seconds: int
    """The least that is billed of a conversation."""
    step_seconds: int
    """What is longer is rounded up to the next step."""
    counts: frozenset[Time]
    put_through: bool
    """Whether conversations with the client's own people count."""
    callbacks: bool
    """Whether conversations with callers who were called back count."""


class Monthly(Struct, frozen=True, kw_only=True):
    """A month's flat rate, and what it includes."""

    fee: Decimal
    calls: int = 0
    minutes: int = 0


class NotBilled(Struct, frozen=True, kw_only=True):
    """Calls that cost nothing, whatever else is said of them."""

    outcomes: frozenset[Disposition]
    abandoned_within_seconds: int = 0
    """Callers who gave up after less."""
    shorter_than_seconds: int = 0
    """Conversations, without hold and wrap-up."""
    nodes: frozenset[str] = frozenset()
    """Nodes of the client's tree: who passed one of them had, for instance, dialled a wrong number."""
    fields: Mapping[str, frozenset[str]] = {}
    """By field of a form: values in a call's message which say the same."""


class Surcharge(Struct, frozen=True, kw_only=True):
    """What is added for what comes in at some hours."""

    name: str
    week: tuple[tuple[int, int], ...] = ()
    """Minutes since Monday 00:00 by the client's clock, without the ends; the last may go beyond the week."""
    holidays: str = ""
    """Whose public holidays: FR, FR-57; empty: none."""
    call: Decimal = ZERO
    """For each call."""
    minute: Decimal = ZERO
    """For each minute that is billed, in the flat rate or not."""


class Tariff(Struct, frozen=True, kw_only=True):
    """All of it. An empty tuple of tiers: not billed by that."""

    name: str
    currency: str
    vat: Decimal
    """A share: 0.2."""
    not_billed: NotBilled
    monthly: Monthly | None = None
    minimum: Decimal = ZERO
    """Of a whole month, all lines together."""
    calls: tuple[Tier, ...] = ()
    minutes: Minutes | None = None
    callbacks: tuple[Tier, ...] = ()
    messages: tuple[Tier, ...] = ()
    sms: tuple[Tier, ...] = ()
    surcharges: tuple[Surcharge, ...] = ()
    """The first that holds an instant is added."""
