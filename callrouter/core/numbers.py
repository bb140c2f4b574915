"""Telephone numbers: normalised once, to E.164, and compared in that form only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from callrouter.core.call import CallerId, Presentation

ANONYMOUS = "anonymous"
_SEPARATORS = str.maketrans("", "", " .-/()\u00a0\u202f\t")


@lru_cache(maxsize=65_536)
def normalise(number: str, region: str) -> str | None:
    """E.164 of a number as a person, a trunk or a file writes it, or None when it is not a possible number.

    `region` is the ISO 3166 country whose national form is understood. A number without `+` that is none of the
    country's is tried as an international one, as trunks send them (`33140000001`).
    """
    digits = number.translate(_SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    for candidate in (digits, "+" + digits):
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None


def is_valid(number: str) -> bool:
    """Whether an E.164 number is one its country could have given out."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def normalise_prefix(prefix: str, region: str) -> str | None:
    """The E.164 beginning that a national or international beginning stands for: `08` in FR is `+338`."""
    digits = prefix.translate(_SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+"):
        return digits if digits[1:].isdecimal() else None
    if not digits.isdecimal():
        return None
    country = phonenumbers.country_code_for_region(region)
    national = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return f"+{country}{digits.removeprefix(national)}" if country else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerList:
    """A client's list of callers: whole numbers, prefixes, and those who withhold theirs."""

    name: str
    numbers: frozenset[str] = frozenset()
    """E.164."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of E.164 numbers."""
    anonymous: bool = False

    def match(self, caller: CallerId) -> str:
        """The entry that holds this caller, or an empty string."""
        if caller.presentation is not Presentation.ALLOWED or caller.number is None:
            return ANONYMOUS if self.anonymous else ""
        if caller.number in self.numbers:
            return caller.number
        return next((f"{p}*" for p in self.prefixes if caller.number.startswith(p)), "")
