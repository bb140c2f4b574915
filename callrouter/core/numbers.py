"""Telephone numbers: normalised once, to E.164, and compared in that form only."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from msgspec import Struct

from callrouter.core.call import CallerId, Presentation

ANONYMOUS = "anonymous"
_OVERSEAS = {
    "FR": {
        **dict.fromkeys(("0590", "0690", "0691"), "+590"),
        **dict.fromkeys(("0594", "0694"), "+594"),
        **dict.fromkeys(("0596", "0696", "0697"), "+596"),
        **dict.fromkeys(("0262", "0263", "0269", "0692", "0693"), "+262"),
    }
}
"""National beginnings that belong to a territory with a country code of its own: dialled like any other from there
and from the mainland, but `0590 …` is +590 590 …, not +33 590 … (ARCEP's numbering plan)."""

_LONGEST = 64
"""Characters beyond which nothing is looked at: no number is that long, and parsing hostile text costs time."""

_SEPARATORS = str.maketrans("", "", " .-/()\u00a0\u202f\t")


@lru_cache(maxsize=65_536)
def normalise(number: str, region: str) -> str | None:
    """E.164 of a number as a person, a trunk or a file writes it, or None when it is not a possible number.

    `region` is the ISO 3166 country whose national form is understood. A number without `+` that is none of the
    country's is tried as an international one, as trunks send them (`33140000001`).
    """
    if len(number) > _LONGEST:
        return None
    digits = number.translate(_SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif code := _OVERSEAS.get(region, {}).get(digits[:4]):
        digits = code + digits[1:]
    if region == "FR" and (found := _french(digits)):
        return found
    # phonenumbers reads letters as keys, other scripts' digits and extensions: in a list of callers these are mistakes.
    if not (digits.isascii() and digits.removeprefix("+").isdecimal()):
        return None
    for candidate in (digits, "+" + digits):
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None


def _french(digits: str) -> str:
    """E.164 of a French number as it is nearly always written, without asking phonenumbers; or an empty string."""
    if len(digits) == 10 and digits[0] == "0" and digits[1] != "0" and digits.isascii() and digits.isdecimal():
        return f"+33{digits[1:]}"
    if (
        len(digits) == 12
        and digits[:3] == "+33"
        and digits[3] != "0"
        and digits[1:].isascii()
        and digits[1:].isdecimal()
    ):
        return digits
    return ""


@lru_cache(maxsize=4_096)
def is_valid(number: str) -> bool:
    """Whether an E.164 number is one its country could have given out."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=65_536)
def territories_of(number: str) -> tuple[str, ...]:
    """Where an E.164 number lies, as ISO codes; nothing for one that belongs to no place, such as a toll-free one."""
    digits = number.removeprefix("+33")
    if digits != number:
        return ("FR",) if digits[:1] in "12345" else ()
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ()
    return (
        tuple(phonenumbers.region_codes_for_country_code(parsed.country_code or 0))
        if number[:4] != "+262"
        else (("YT",) if number[4:7] in ("269", "639") else ("RE",))
    )


@lru_cache(maxsize=256)
def example(region: str) -> str:
    """A mobile number of a country, as one keys it there; empty where none is known."""
    found = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if found is None:
        return ""
    return as_dialled(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164), region)


@lru_cache(maxsize=4_096)
def as_dialled(number: str, region: str) -> str:
    """The digits by which an E.164 number is known in a country: `0612340001` at home, `0044…` from abroad."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return "00" + number.removeprefix("+")
    if parsed.country_code != phonenumbers.country_code_for_region(region):
        return "00" + number.removeprefix("+")
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(char for char in national if char.isdecimal())


@lru_cache(maxsize=65_536)
def spellings(number: str, region: str) -> tuple[str, ...]:
    """The ways in which a trunk may send an E.164 number: `+33…`, `33…`, `0033…`, and the national form at home.

    Each of them is understood by `normalise`, and leads back to the number.
    """
    digits = number.removeprefix("+")
    national = ["0" + digits[2:]] if region == "FR" and _french(number) else _national_forms(number, region)
    forms = [number, digits, "00" + digits, *(form for form in national if normalise(form, region) == number)]
    return tuple(dict.fromkeys(forms))


def _national_forms(number: str, region: str) -> list[str]:
    try:
        significant = phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return []
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return [prefix + significant, significant]


@lru_cache(maxsize=4_096)
def normalise_prefix(prefix: str, region: str) -> str | None:
    """The E.164 beginning that a national or international beginning stands for: `08` in FR is `+338`."""
    digits = prefix.translate(_SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+"):
        return digits if digits.isascii() and digits[1:].isdecimal() else None
    if not (digits.isascii() and digits.isdecimal()):
        return None
    if code := _OVERSEAS.get(region, {}).get(digits[:4]):
        return code + digits[1:]
    country = phonenumbers.country_code_for_region(region)
    national = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return f"+{country}{digits.removeprefix(national)}" if country else None


class CallerList(Struct, frozen=True, kw_only=True):
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
