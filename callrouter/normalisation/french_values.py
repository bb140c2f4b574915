"""Values in French words: telephone numbers, times, dates, amounts, ordinals."""

from __future__ import annotations

import re
from re import Match

from callrouter.normalisation.french_words import LETTERS, MONTHS, PER, UNITS

_UNITS_WORDS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    *("treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt")


def spelt(letters: str) -> str:
    """Letter by letter; what is none is left out."""
    return " ".join(LETTERS[letter] for letter in letters.lower() if letter in LETTERS)


def group(digits: str) -> str:
    """Digits of a telephone number as one says them together: zeros in front each for themselves."""
    rest = digits.lstrip("0")
    return " ".join([*["zéro"] * (len(digits) - len(rest)), *([_one(rest)] if rest else [])])


def _one(digits: str) -> str:
    """`1` alone is `un`: a voice may read a digit before a comma otherwise."""
    return "un" if digits == "1" else digits


def pairs(digits: str) -> str:
    """Two digits at a time; an odd one goes first."""
    first = len(digits) % 2
    groups = [digits[:first]] * bool(first) + [digits[at : at + 2] for at in range(first, len(digits), 2)]
    return ", ".join(group(one) for one in groups)


def telephone(found: Match[str]) -> str:
    """A number of the French plan, in pairs; from abroad, with the country's code first."""
    written = found["telephone"]
    national = re.sub(r"^(?:\+|00)33\s?(?:\(0\))?", "", written)
    digits = re.sub(r"\D", "", national)
    return pairs(digits) if national == written else f"plusse 33, {pairs(digits)}"


def telephone_abroad(found: Match[str]) -> str:
    """A number with another country's code, in the groups it was written in."""
    code, *rest = re.split(r"[ .-]+", found["abroad"].removeprefix("+"))
    return ", ".join([f"plusse {code}", *(pairs(one) for one in rest)])


def service_number(found: Match[str]) -> str:
    """`0 800 123 456`, `0892 70 12 34`: the tariff's three digits as one number."""
    first, *rest = found["service"].split()
    digits = first + (rest.pop(0) if first == "0" else "")
    rest = rest or [digits[4:7], digits[7:]]
    return ", ".join(["zéro", digits[1:4], *(group(one) for one in rest)])


def feminine(number: int) -> str:
    """Before a feminine word: `une heure`, `vingt et une heures`; other numbers stay digits."""
    if number == 1:
        return "une"
    if number % 10 == 1 and number % 100 not in (11, 71, 81, 91) and number < 100:
        return f"{_TENS[number // 10]} et une"
    return str(number) if number else "zéro"


def time(hour: str, minute: str | None) -> str:
    """`14 heures 30`; full hours without minutes."""
    number, minutes = int(hour), int(minute or 0)
    hours = "heure" if number < 2 else "heures"
    return f"{feminine(number)} {hours}" + (f" {minutes}" if minutes else "")


def date(day: int, month: int, year: str | None) -> str:
    """`24 décembre 2026`; the first of a month is an ordinal, a year of two digits is of this century."""
    said = f"{'premier' if day == 1 else day} {MONTHS[month - 1]}"
    return said if not year else f"{said} {year if len(year) == 4 else f'20{year}'}"


_LARGE = {"k": "mille euros", "M": "millions d'euros"}


def amount(found: Match[str]) -> str:
    """`12 euros 50`; below one euro the cents alone."""
    euros = int(found["euros"].replace(" ", ""))
    cents = int((found["cents"] or "").ljust(2, "0")) if found["cents"] else 0
    if large := _LARGE.get(found["large"] or ""):
        whole = found["euros"] if not found["cents"] else f"{found['euros']},{found['cents']}"
        return f"{decimal(whole)} {large}"
    said = f"{euros} {'euro' if euros < 2 else 'euros'}"
    if cents:
        centimes = f"{cents} {'centime' if cents < 2 else 'centimes'}"
        said = f"{said} {cents}" if euros else centimes
    per = found["per"]
    return f"{said} {PER[per]}" if per else said


def percent(found: Match[str]) -> str:
    """`12 virgule 5 pour cent`."""
    return f"{decimal(found['percent_number'])} pour cent"


def decimal(written: str) -> str:
    """A number with its decimals; each zero in front of them is said."""
    whole, comma, decimals = written.replace(" ", "").replace(".", ",").partition(",")
    return f"{int(whole)} virgule {group(decimals)}" if comma else str(int(whole))


def measure(found: Match[str]) -> str:
    """`3 kilomètres`, `une minute`."""
    number, unit = found["measured"], found["unit"]
    one, several = UNITS[unit]
    plain = number.replace(" ", "")
    few = float(plain.replace(",", ".")) < 2
    said = feminine(int(plain)) if plain.isdecimal() and one in ("minute", "seconde") else decimal(plain)
    return f"{said} {one if few else several}"


def ordinal(number: int, *, is_feminine: bool = False) -> str:
    """`deuxième`, `vingt et unième`; beyond 99 the number and its ending."""
    if number == 1:
        return "première" if is_feminine else "premier"
    if not 1 < number < 100:
        return f"{number} ième"
    words = _cardinal(number)
    if words.endswith("cinq"):
        return f"{words}uième"
    if words.endswith("neuf"):
        return f"{words[:-1]}vième"
    return f"{words.removesuffix('e')}ième"


def _cardinal(number: int) -> str:
    if number < 20:
        return _UNITS_WORDS[number]
    tens = _TENS[number // 10]
    rest = number % 20 if number // 10 in (7, 9) else number % 10
    if not rest:
        return tens
    joint = " et " if rest in (1, 11) and number < 80 else "-"
    return f"{tens}{joint}{_UNITS_WORDS[rest]}"


_ROMAN = {"I": 1, "V": 5, "X": 10}


def roman(letters: str) -> int:
    """The value of `XIV`; 0 for letters that are none."""
    if not re.fullmatch(r"X{0,3}(?:IX|IV|V?I{0,3})", letters):
        return 0
    values = [_ROMAN[letter] for letter in letters]
    return sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))
