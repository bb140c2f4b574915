"""What may be dialled. A stranger who makes the PBX ring an expensive number earns money by it: toll fraud.

Without a word in the documents, fixed lines, mobiles, VoIP and free numbers of the client's own country may be rung;
premium and shared-cost numbers, short numbers, satellites and other countries may not. Countries and prefixes are added
by hand. A prefix opens what costs more than a call only where it names it: with `DIGITS_OF_A_RANGE` digits after the
country's code, such as `+33892`. So `+33` or `08` open no premium number without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from msgspec import Struct
from phonenumbers import PhoneNumberType

from callrouter.core.numbers import EMERGENCY, TERRITORIES, is_free_of_charge, is_short

DIGITS_OF_A_RANGE: Final = 3
"""Digits after the country's code by which a beginning names a range of numbers: 089 holds many prices, 0892 one."""


class Cost(IntEnum):
    """What a call to a number may cost us."""

    ORDINARY = 1
    """What a call costs, or nothing."""
    SPECIAL = 2
    """More: premium, shared-cost, personal and paging numbers."""
    SHORT = 3
    """Short numbers (3xxx, 118xxx …): each has a price of its own."""
    UNKNOWN = 4
    """No operator could have given the number out."""
    EMERGENCY = 5
    """Nothing, but whoever answers looks for our line's place."""


_WHY_NOT = {
    Cost.SPECIAL: "it is neither a fixed line nor a mobile, and may cost more than a call",
    Cost.SHORT: "it is a short number, and may cost more than a call",
    Cost.UNKNOWN: "no operator could have given it out",
    Cost.EMERGENCY: "it is an emergency number, which would take our line's place for the caller's",
}
_ORDINARY = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.TOLL_FREE,
    }
)
"""Kinds of numbers of phonenumbers' that cost what a call costs."""

_FRENCH_CODES = frozenset({33, 262, 508, 590, 594, 596})
_FRENCH_DIGITS = 9
_FRENCH_COSTS = (("80", Cost.ORDINARY), ("8", Cost.SPECIAL))
"""By the beginning of the national number, for phonenumbers' kinds are others: 0800–0805 are free for who calls,
0806–0809 cost a normal call; 081 to 089 cost more, shared-cost 0820 and 0825 among them (ARCEP, decision 2018-0881)."""

_FRANCE = ("FR", *(code for code, one in TERRITORIES.items() if one.is_dialled_alike))
_TERRITORIES = dict.fromkeys(_FRANCE, _FRANCE)
"""Country codes of their own, dialled and billed like the mainland (ARCEP's numbering plan): one country, from each."""


class Dialling(Struct, frozen=True, kw_only=True):
    """An allow-list: countries, and beginnings of E.164 numbers."""

    countries: frozenset[str] = frozenset()
    """ISO 3166 codes whose ordinary numbers may be rung."""
    prefixes: tuple[str, ...] = ()
    """Beginnings whose ordinary numbers may be rung, and all others too if they have `DIGITS_OF_A_RANGE` digits."""
    refused: tuple[str, ...] = ()
    """Beginnings that may not, whatever else allows them."""

    def refusal(self, number: str) -> str:
        """Why an E.164 number may not be dialled, for a person; an empty string when it may."""
        if found := _beginning(number, self.refused):
            return f"numbers that begin with {found} are refused"
        if is_short(number):
            return self._refusal_of_short(number)
        code, country, cost = _described(number)
        if not code:
            return "it is no telephone number"
        opened = [prefix for prefix in self.prefixes if number.startswith(prefix)]
        if any(cost is Cost.ORDINARY or names_a_range(prefix) for prefix in opened):
            return ""
        if not opened and country not in self.countries and not self._is_home(code, cost):
            return f"numbers of {country or f'+{code}'} are not allowed"
        if cost is Cost.ORDINARY:
            return ""
        hint = f" ({opened[0]} opens ordinary numbers only)" if opened else ""
        return f"{_WHY_NOT[cost]}{hint}"

    def _refusal_of_short(self, number: str) -> str:
        """Of a number that no country's code goes before."""
        cost = _cost_of_short(number)
        named = any(
            prefix == number or (number.startswith(prefix) and names_a_range(prefix)) for prefix in self.prefixes
        )
        return "" if named or cost is Cost.ORDINARY else _WHY_NOT[cost]

    def _is_home(self, code: int, cost: Cost) -> bool:
        """Whether it is a number of an allowed country's, though of no region of it that is known."""
        return cost is not Cost.ORDINARY and any(
            phonenumbers.country_code_for_region(one) == code for one in self.countries
        )

    def is_refused(self, number: str) -> bool:
        """Whether the number may not be dialled whatever else allows it."""
        return bool(_beginning(number, self.refused))

    def __str__(self) -> str:
        """For a person."""
        allowed = [*sorted(self.countries), *(f"{prefix}…" for prefix in self.prefixes)]
        refused = f", without {', '.join(f'{prefix}…' for prefix in self.refused)}" if self.refused else ""
        return f"{', '.join(allowed) or 'none'}{refused}"

    def plus(self, *, countries: Iterable[str] = (), prefixes: Iterable[str] = ()) -> Dialling:
        """This list with more that may be rung."""
        return Dialling(
            countries=self.countries | with_territories(countries),
            prefixes=(*self.prefixes, *prefixes),
            refused=self.refused,
        )


def with_territories(countries: Iterable[str]) -> frozenset[str]:
    """Countries, and their territories that are dialled like the mainland."""
    named = frozenset(countries)
    return named.union(*(_TERRITORIES.get(country, ()) for country in named))


def names_a_range(prefix: str) -> bool:
    """Whether a beginning in E.164, or of short numbers, is long enough to open what costs more than a call."""
    if not prefix.startswith("+"):
        return len(prefix) >= DIGITS_OF_A_RANGE
    digits = prefix.removeprefix("+")
    for length in (1, 2, 3):
        if int(digits[:length] or "0") in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return len(digits) - length >= DIGITS_OF_A_RANGE
    return False


@lru_cache(maxsize=65_536)
def _described(number: str) -> tuple[int, str, Cost]:
    """Country code (0: no telephone number), country and cost of an E.164 number; the same ones stand in many trees."""
    parsed = _parsed(number)
    if parsed is None:
        return 0, "", Cost.UNKNOWN
    country = phonenumbers.region_code_for_number(parsed) or ""
    return parsed.country_code or 0, country, _cost(parsed)


def _cost_of_short(number: str) -> Cost:
    if number in EMERGENCY:
        return Cost.EMERGENCY
    return Cost.ORDINARY if is_free_of_charge(number) else Cost.SHORT


@lru_cache(maxsize=1)
def _ordinary_french() -> re.Pattern[str]:
    """Fixed lines and mobiles of the mainland that have been given out, as phonenumbers knows them."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("FR")
    assert metadata is not None, "phonenumbers knows France"
    patterns = (one.national_number_pattern for one in (metadata.fixed_line, metadata.mobile) if one)
    return re.compile(f"(?=[1-7])(?:{'|'.join(f'(?:{one})' for one in patterns if one)})", re.ASCII)


def _cost(parsed: phonenumbers.PhoneNumber) -> Cost:
    # To ask phonenumbers for the kind is to try a dozen patterns, of which only these begin with 1 to 7.
    if parsed.country_code == 33 and _ordinary_french().fullmatch(str(parsed.national_number)):
        return Cost.ORDINARY
    kind = phonenumbers.number_type(parsed)
    if parsed.country_code in _FRENCH_CODES:
        national = phonenumbers.national_significant_number(parsed)
        if len(national) < _FRENCH_DIGITS:
            return Cost.SHORT
        if kind != PhoneNumberType.UNKNOWN:
            found = next((cost for beginning, cost in _FRENCH_COSTS if national.startswith(beginning)), None)
            if found is not None:
                return found
    if kind == PhoneNumberType.UNKNOWN:
        return Cost.UNKNOWN
    return Cost.ORDINARY if kind in _ORDINARY else Cost.SPECIAL


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
