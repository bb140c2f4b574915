"""What may be dialled. A stranger who makes the PBX ring an expensive number earns money by it: toll fraud.

Without a word in the documents, fixed lines, mobiles and VoIP numbers of the client's own country may be rung;
premium and shared-cost numbers, satellites and other countries may not. Countries and prefixes are added by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumberType

from callrouter.core.numbers import EMERGENCY, is_free_of_charge, is_short

_ORDINARY = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.TOLL_FREE,
    }
)
"""Kinds of numbers that cost what a call costs; premium, shared-cost, personal and paging numbers are none of them."""

_TERRITORIES = {"FR": ("GP", "GF", "MQ", "RE", "YT", "PM", "BL", "MF")}
"""Country codes of their own, dialled and billed like the mainland (ARCEP's numbering plan)."""


class Dialling(Struct, frozen=True, kw_only=True):
    """An allow-list: countries, and beginnings of E.164 numbers."""

    countries: frozenset[str] = frozenset()
    """ISO 3166 codes whose ordinary numbers may be rung."""
    prefixes: tuple[str, ...] = ()
    """Beginnings that may be rung whatever kind of number it is."""
    refused: tuple[str, ...] = ()
    """Beginnings that may not, whatever else allows them."""

    def refusal(self, number: str) -> str:
        """Why an E.164 number may not be dialled, for a person; an empty string when it may."""
        if found := _beginning(number, self.refused):
            return f"numbers that begin with {found} are refused"
        if _beginning(number, self.prefixes):
            return ""
        if is_short(number):
            return _refusal_of_short(number)
        code, country, kind = _described(number)
        if not code:
            return "it is no telephone number"
        if country not in self.countries:
            if any(phonenumbers.country_code_for_region(one) == code for one in self.countries):
                return "no operator could have given it out"
            return f"numbers of {country or f'+{code}'} are not allowed"
        if kind == PhoneNumberType.UNKNOWN:
            return "no operator could have given it out"
        if kind not in _ORDINARY:
            return "it is neither a fixed line nor a mobile, and may cost more than a call"
        return ""

    def is_refused(self, number: str) -> bool:
        """Whether the number may not be dialled whatever else allows it."""
        return bool(_beginning(number, self.refused))

    def plus(self, *, countries: Iterable[str] = (), prefixes: Iterable[str] = ()) -> Dialling:
        """This list with more that may be rung."""
        return Dialling(
            countries=self.countries | with_territories(countries),
            prefixes=(*self.prefixes, *prefixes),
            refused=self.refused,
        )


def _refusal_of_short(number: str) -> str:
    if number in EMERGENCY:
        return "it is an emergency number, which would take our line's place for the caller's"
    return "" if is_free_of_charge(number) else "it is a short number, and may cost more than a call"


def with_territories(countries: Iterable[str]) -> frozenset[str]:
    """Countries, and their territories that are dialled like the mainland."""
    named = frozenset(countries)
    return named.union(*(_TERRITORIES.get(country, ()) for country in named))


@lru_cache(maxsize=65_536)
def _described(number: str) -> tuple[int, str, int]:
    """Country code (0: no telephone number), country and kind of an E.164 number; the same ones stand in many trees."""
    parsed = _parsed(number)
    if parsed is None:
        return 0, "", PhoneNumberType.UNKNOWN
    country = phonenumbers.region_code_for_number(parsed) or ""
    return parsed.country_code or 0, country, phonenumbers.number_type(parsed)


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    """An E.164 number taken apart; phonenumbers' own way, for numbers as people write them, takes ten times as long."""
    digits = number.removeprefix("+")
    if number.startswith("+") and digits.isascii() and digits.isdecimal():
        for length in (1, 2, 3):
            code, national = int(digits[:length] or "0"), digits[length:]
            if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE and national and national[0] != "0":
                return phonenumbers.PhoneNumber(country_code=code, national_number=int(national))
    try:
        return phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None


def _beginning(number: str, prefixes: Iterable[str]) -> str:
    for prefix in prefixes:
        if number.startswith(prefix):
            return prefix
    return ""
