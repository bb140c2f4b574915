"""Telephone numbers: normalised once, to E.164, and compared in that form only."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from msgspec import Struct

from callrouter.core.call import CallerId, Presentation

ANONYMOUS = "anonymous"
ERASED = "erased-"
"""With which whatever stands in the place of an erased person's number begins: equal for all rows of one person."""


class Territory(NamedTuple):
    """A territory of France that has an ISO 3166 code of its own: what it is to telephones and to calendars."""

    number: str
    """INSEE's: `971`."""
    is_department: bool
    """The `holidays` library knows departments by their number, and the others by their ISO code."""
    shares_plan: bool
    """Ten digits that begin with 0 mean the same telephone there and on the mainland (ARCEP's numbering plan)."""
    is_dialled_alike: bool
    """Its numbers, of another country code, are dialled and billed like the mainland's."""


TERRITORIES = {
    "GP": Territory("971", is_department=True, shares_plan=True, is_dialled_alike=True),
    "MQ": Territory("972", is_department=True, shares_plan=True, is_dialled_alike=True),
    "GF": Territory("973", is_department=True, shares_plan=True, is_dialled_alike=True),
    "RE": Territory("974", is_department=True, shares_plan=True, is_dialled_alike=True),
    "PM": Territory("975", is_department=False, shares_plan=False, is_dialled_alike=True),
    "YT": Territory("976", is_department=True, shares_plan=True, is_dialled_alike=True),
    "BL": Territory("977", is_department=False, shares_plan=True, is_dialled_alike=True),
    "MF": Territory("978", is_department=False, shares_plan=True, is_dialled_alike=True),
    "WF": Territory("986", is_department=False, shares_plan=False, is_dialled_alike=False),
    "PF": Territory("987", is_department=False, shares_plan=False, is_dialled_alike=False),
    "NC": Territory("988", is_department=False, shares_plan=False, is_dialled_alike=False),
}
"""By ISO code."""

FRENCH_PLAN = frozenset({"FR", *(code for code, one in TERRITORIES.items() if one.shares_plan)})
"""Where the numbers of the French plan are dialled."""

_OVERSEAS = {
    **dict.fromkeys(("0590", "0690", "0691", "07090"), "+590"),
    **dict.fromkeys(("0594", "0694", "070930", "070931", "070932", "070933"), "+594"),
    **dict.fromkeys(("0596", "0696", "0697", "07091"), "+596"),
    **dict.fromkeys(("0262", "0263", "0269", "0692", "0693", "0639", "07092", "070935", "070936", "070937"), "+262"),
}
"""National beginnings that belong to a territory with a country code of its own: dialled like any other from there
and from the mainland, but `0590 …` is +590 590 …, not +33 590 … (ARCEP's numbering plan)."""

_FICTION = "063998"
"""Within Mayotte's 0639, the block that ARCEP keeps for fiction: a mainland one."""

_OVERSEAS_CODES = tuple(sorted(set(_OVERSEAS.values())))

_SHORT = re.compile(r"1[578]|11[2459]|116[0-9]{3}|118[0-9]{3}|19[1679]|10[0-9]{2}|3[0-9]{3}", re.ASCII)
"""Short numbers of the French plan (ARCEP): they have no international form, and are kept as they are keyed."""

_SHORT_BEGINNING = re.compile(r"1[0-9]{0,4}|3[0-9]{0,2}", re.ASCII)

_FREE_OF_CHARGE = frozenset({"3114", "3117", "3131", "3133", "3179", "3200", "3201", "3919", "3928", "3939", "3966"})
"""Four-digit numbers that cost no more than a call, besides those below; phonenumbers takes 3919 for premium."""

EMERGENCY = frozenset({"15", "17", "18", "112", "114", "115", "119", "191", "196", "197"})
"""Numbers that find out where the caller is by the line they come in on, which would be ours."""

_LONGEST = 64
"""Characters beyond which nothing is looked at: no number is that long, and parsing hostile text costs time."""

_LONGEST_E164 = 16
"""Fifteen digits at most (ITU-T E.164), and the plus sign."""

SEPARATORS = str.maketrans("", "", " .-/()\u00a0\u202f\t")
"""What people write between digits, for `str.translate`: nothing stays of it."""


@lru_cache(maxsize=65_536)
def normalise(number: str, region: str) -> str | None:
    """E.164 of a number as a person, a trunk or a file writes it, or None when it is not a possible number.

    `region` is the ISO 3166 country whose national form is understood; short numbers of the French plan stay as they
    are. A number without `+` that is none of the
    country's is tried as an international one, as trunks send them (`33140000001`).
    """
    if len(number) > _LONGEST:
        return None
    digits = number.translate(SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if region in FRENCH_PLAN and (found := _french(digits)):
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
        code = _OVERSEAS.get(digits[:4]) or (digits[:3] == "070" and _overseas_mobile(digits)) or "+33"
        code = "+33" if digits[:6] == _FICTION else code
        return code + digits[1:]
    if len(digits) <= 6 and _SHORT.fullmatch(digits):
        return digits
    if (
        len(digits) == 12
        and digits[:3] == "+33"
        and digits[3] != "0"
        and digits[1:].isascii()
        and digits[1:].isdecimal()
    ):
        return digits
    return ""


def _overseas_mobile(digits: str) -> str:
    return _OVERSEAS.get(digits[:5]) or _OVERSEAS.get(digits[:6]) or ""


def is_short(number: str) -> bool:
    """Whether a normalised number is a short one of the French plan."""
    return number[:1] != "+" and _SHORT.fullmatch(number) is not None


def is_free_of_charge(number: str) -> bool:
    """Whether a short number costs no more than a call; emergency numbers are free, and are none of these."""
    return number[:2] in ("30", "31") or number[:3] == "116" or number in _FREE_OF_CHARGE


@lru_cache(maxsize=65_536)
def written(number: str, region: str) -> str | None:
    """E.164 of a number as a document writes it, or None.

    Stricter than `normalise`, which takes what a trunk sends: with a digit too few or too many it is no number of its
    country, and a number without `+` or `00` is one of the region's own plan. Where numbers differ in length, one
    that is shorter than most must be one that could have been given out.
    """
    digits = number.translate(SEPARATORS)
    if len(digits) == 10 and region in FRENCH_PLAN and (french := _french(digits)):
        return french
    found = normalise(number, region)
    if found is None or is_short(found):
        return found
    code = next((one for one in ("+33", *_OVERSEAS_CODES) if found.startswith(one)), "")
    if code:
        rest = found[len(code) :]
        whole = (len(rest) == 9 and rest[0] != "0") or (len(rest) == 13 and rest.startswith("700"))
        return found if whole and (region in FRENCH_PLAN or digits[0] in "+0") else None
    parsed = phonenumbers.parse(found, None)
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    foreign = parsed.country_code != phonenumbers.country_code_for_region(region)
    if foreign and not digits.startswith(("+", "00")):
        return None
    short_of_digits = len(found) - len(str(parsed.country_code)) - 1 < _usual_digits(parsed.country_code or 0)
    return None if short_of_digits and not phonenumbers.is_valid_number(parsed) else found


@lru_cache(maxsize=256)
def _usual_digits(country_code: int) -> int:
    """How many digits the longer of a country's fixed lines and mobiles have, without its code."""
    region = phonenumbers.region_code_for_country_code(country_code)
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    examples = (phonenumbers.example_number_for_type(region, kind) for kind in kinds)
    return max((len(phonenumbers.national_significant_number(one)) for one in examples if one), default=0)


_FICTION_ABROAD = ("+441632960", "+447700900", "+44306999", "+4480815705", "+4490987902", "+4428964960", "+4429201805")
"""Ranges that Ofcom keeps for fiction, which nobody is given; other countries' are numbers like any other."""


_NOT_LOOKED_UP = ("+33", *_OVERSEAS_CODES, *_FICTION_ABROAD)


def was_given_out(number: str) -> bool:
    """Whether somebody could have a number, as `written` returns it; of the French plan every one of ten digits."""
    return number.startswith(_NOT_LOOKED_UP) or number[:1] != "+" or is_valid(number)


def wrong_number(number: str, region: str) -> str:
    """Why a text is no telephone number of a region, and the mend, for a person."""
    extension = re.search(r"(?i)\s*(?:\b(?:poste|p\.|ext|extension|x)\s*|[#,;])[0-9]{1,6}\s*$", number)
    if extension and written(number[: extension.start()], region):
        alone = number[: extension.start()].strip()
        return f'is a number with an extension, which no telephone network knows: write "{alone}"'
    digits = "".join(char for char in number if char.isdecimal())
    if region in FRENCH_PLAN and digits[:1] == "0" and len(digits) in (8, 9, 11, 12) and digits[:2] != "00":
        how, by = "few" if len(digits) < 10 else "many", abs(len(digits) - 10)
        return f"is no telephone number of {region}: it has {by} digit{'s' if by > 1 else ''} too {how}"
    if (found := normalise(number, region)) and not is_home(found, region) and number.strip()[:1] in "+0":
        abroad = phonenumbers.region_code_for_country_code(phonenumbers.parse(found, None).country_code or 0)
        return f"is no telephone number of {abroad}: a digit is missing, or there is one too many"
    if found and is_home(found, region):
        return f"is no telephone number of {region}: a digit is missing, or there is one too many"
    if len(digits) >= 9 and number.strip()[:1] != "+":
        return f"is no telephone number of {region}: one of another country is written with + and its code"
    return f"is no telephone number of {region}"


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


@lru_cache(maxsize=4_096)
def country_of(number: str) -> str:
    """ISO code of the country whose fixed line or mobile an E.164 number is; empty for every other number."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ""
    ordinary = (
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )
    return (phonenumbers.region_code_for_number(parsed) or "") if phonenumbers.number_type(parsed) in ordinary else ""


@lru_cache(maxsize=4_096)
def is_fixed_line(number: str) -> bool:
    """Whether an E.164 number is certainly no mobile's; where a country does not tell them apart, it is not certain."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.FIXED_LINE


def is_home(number: str, region: str) -> bool:
    """Whether an E.164 number has the code of a country, or of a territory of its plan."""
    own = f"+{phonenumbers.country_code_for_region(region)}"
    return number.startswith(("+33", *_OVERSEAS_CODES) if region in FRENCH_PLAN else own)


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
    if is_short(number):
        return number
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return "00" + number.removeprefix("+")
    if region in FRENCH_PLAN and number.startswith(("+33", *_OVERSEAS_CODES)):
        code = next(one for one in ("+33", *_OVERSEAS_CODES) if number.startswith(one))
        return "0" + number.removeprefix(code)
    if parsed.country_code != phonenumbers.country_code_for_region(region):
        return "00" + number.removeprefix("+")
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(char for char in national if char.isdecimal())


@lru_cache(maxsize=65_536)
def spellings(number: str, region: str) -> tuple[str, ...]:
    """The ways in which a trunk may send an E.164 number: `+33…`, `33…`, `0033…`, and the national form at home.

    Each of them is understood by `normalise`, and leads back to the number.
    """
    if is_short(number):
        return (number,)
    digits = number.removeprefix("+")
    national = (
        ["0" + digits[2:]]
        if region in FRENCH_PLAN and number[:3] == "+33" and _french(number)
        else _national_forms(number, region)
    )
    forms = [number, digits, "00" + digits, *(form for form in national if normalise(form, region) == number)]
    return tuple(dict.fromkeys(forms))


def beginnings(prefix: str, region: str) -> tuple[str, ...]:
    """The digits with which numbers begin that a trunk may send, of those that begin like this one in E.164.

    Without the plus or 00 of an international number: `338`, and `08` at home.
    """
    digits = prefix.removeprefix("+")
    code = str(phonenumbers.country_code_for_region(region))
    if not digits.startswith(code):
        return (digits,)
    at_home = (phonenumbers.ndd_prefix_for_region(region, True) or "") + digits.removeprefix(code)
    return (digits, at_home) if at_home else (digits,)


def _national_forms(number: str, region: str) -> list[str]:
    try:
        significant = phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return []
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return [prefix + significant, significant]


@lru_cache(maxsize=4_096)
def prefixes(prefix: str, region: str) -> tuple[str, ...]:
    """The beginnings, as numbers are kept, that a national or international beginning stands for; none: it is wrong.

    One that is longer than a number holds nobody.
    `08` in FR is `+338`; `02` is `+332` and the numbers of Réunion and Mayotte, `3` and `118` are short numbers.
    """
    digits = prefix.translate(SEPARATORS)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not (digits.isascii() and digits.removeprefix("+").isdecimal()) or len(digits) > _LONGEST_E164:
        return ()
    if digits.startswith("+"):
        return (digits,) if not digits.startswith("+33") or _begins_french(digits[3:]) else ()
    if region in FRENCH_PLAN:
        return _french_prefixes(digits) if digits[:1] != "0" or _begins_french(digits[1:]) else ()
    country = phonenumbers.country_code_for_region(region)
    national = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return (f"+{country}{digits.removeprefix(national)}",) if country else ()


def _begins_french(national: str) -> bool:
    """Whether these are no more digits than a French number has: nine, or thirteen between machines (ARCEP)."""
    return len(national) <= (13 if national.startswith("700") else 9)


def _french_prefixes(digits: str) -> tuple[str, ...]:
    if digits.startswith(_FICTION):
        return (f"+33{digits[1:]}",)
    if digits[0] != "0":
        return (digits,) if _SHORT_BEGINNING.fullmatch(digits) or _SHORT.fullmatch(digits) else ()
    inside = next((code for beginning, code in _OVERSEAS.items() if digits.startswith(beginning)), "")
    if inside:
        return (inside + digits[1:],)
    beyond = (code + one[1:] for one, code in _OVERSEAS.items() if one.startswith(digits))
    return (f"+33{digits[1:]}", *beyond)


class CallerList(Struct, frozen=True, kw_only=True):
    """A client's list of callers: whole numbers, prefixes, and those who show none."""

    name: str
    numbers: frozenset[str] = frozenset()
    """E.164."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of E.164 numbers."""
    without_number: frozenset[Presentation] = frozenset()
    """Callers without a number whom it holds, by why they have none."""

    def match(self, caller: CallerId) -> str:
        """The entry that holds this caller, or an empty string."""
        if why := caller.without_number:
            return why.value if why in self.without_number else ""
        number = caller.number or ""
        if number in self.numbers:
            return number
        return next((f"{p}*" for p in self.prefixes if number.startswith(p)), "")
