"""Money: in which currencies, and how it is rounded: half up, once for each line, and VAT once for each rate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CURRENCIES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("EUR", "CHF", "GBP", "USD", "CAD", "MAD", "MUR", "DZD", "RON", "PLN", "CZK", "SEK", "NOK"), 2),
    **dict.fromkeys(("DKK", "AUD", "NZD", "SGD", "HKD", "INR", "AED", "MGA"), 2),
    **dict.fromkeys(("XPF", "XOF", "XAF", "JPY"), 0),
    "TND": 3,
}
"""By ISO 4217 code: digits behind the point of the smallest amount."""


def rounded(amount: Decimal, currency: str) -> Decimal:
    """To the currency's smallest amount, half of it away from zero."""
    return amount.quantize(Decimal(1).scaleb(-CURRENCIES[currency]), rounding=ROUND_HALF_UP)
