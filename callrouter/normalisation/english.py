"""The rules of English, in the order in which they are tried."""

from __future__ import annotations

import re
from re import Match

from callrouter.normalisation.rules import Rule, Rules

_TITLES = {"Mr": "mister", "Mrs": "missis", "Ms": "mizz", "Dr": "doctor", "Prof": "professor", "St": "saint"}
_WORDS = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera.",
    "ltd": "limited",
    "approx.": "about",
    "tel.": "telephone",
    "ext.": "extension",
    "dept.": "department",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_CURRENCIES = {"£": ("pound", "pounds"), "$": ("dollar", "dollars"), "€": ("euro", "euros")}
_FORMS = "|".join(re.escape(form) for word in _WORDS for form in (word, word.capitalize()))
_HALF = r"(?i:[ap]\.?m\b\.?)"
_SIGNS = {"&": "and", "#": "hash", "*": "star", "@": "at"}


def _digits(found: Match[str]) -> str:
    """One by one, with a pause where a space was written."""
    groups = re.split(r"[ .-]+", found[0].replace("(", "").replace(")", "").removeprefix("+"))
    said = ", ".join(" ".join(group) for group in groups)
    return f"plus {said}" if found[0].startswith("+") else said


def _half(written: str) -> str:
    return " ".join(written.lower().replace(".", ""))


def _time(found: Match[str]) -> str:
    minute = int(found["minute"] or 0)
    said = found["hour"].lstrip("0") or "0"
    if minute:
        said += f" {minute}" if minute > 9 else f" oh {minute}"
    if half := found["half"]:
        return f"{said} {_half(half)}"
    return said if minute else f"{said} o'clock"


def _full_hour(found: Match[str]) -> str:
    return f"{int(found['full'])} {_half(found['its_half'])}"


def _date(found: Match[str]) -> str:
    said = f"{int(found['day'])} {_MONTHS[int(found['month']) - 1]}"
    return f"{said} {found['year']}" if found["year"] else said


def _iso_date(found: Match[str]) -> str:
    return f"{int(found['iso_day'])} {_MONTHS[int(found['iso_month']) - 1]} {found['iso_year']}"


def _amount(found: Match[str]) -> str:
    one, several = _CURRENCIES[found["currency"]]
    whole, rest = found["whole"].replace(",", ""), int(found["rest"] or 0)
    said = f"{whole} {one if whole == '1' else several}"
    return f"{said} {rest}" if rest else said


_NUMBERS: tuple[Rule, ...] = (
    (
        "telephone",
        r"(?:\+[0-9]{1,3}|0[0-9]{2,5}|\(0[0-9]{2,5}\))(?:[ .-][0-9]{2,8}){1,4}(?![0-9])|0[0-9]{9,10}(?![0-9])",
        _digits,
    ),
    ("time", rf"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?:\s?(?P<half>{_HALF}))?(?![\w:])", _time),
    ("full_hour", rf"(?P<full>1[0-2]|0?[1-9])\s?(?P<its_half>{_HALF})(?!\w)", _full_hour),
    ("always", r"24/7", lambda _: "24 7"),
    ("iso", r"(?P<iso_year>20[0-9]{2})-(?P<iso_month>0[1-9]|1[0-2])-(?P<iso_day>[0-3][0-9])(?![0-9])", _iso_date),
    (
        "date",
        r"(?P<day>0?[1-9]|[12][0-9]|3[01])/(?P<month>0[1-9]|1[0-2])(?:/(?P<year>20[0-9]{2}))?(?![\w/])",
        _date,
    ),
    ("percent", r"(?P<share>[0-9]+(?:\.[0-9]+)?)\s?%", lambda found: f"{found['share']} percent"),
)
_LETTERS: tuple[Rule, ...] = (
    ("number", r"[Nn]o\.\s?(?=[0-9])", lambda _: "number "),
    ("titles", rf"(?P<title>{'|'.join(_TITLES)})\b\.?(?=\s[A-Z])", lambda found: _TITLES[found["title"]]),
    ("words", rf"(?:{_FORMS})(?!\w)", lambda found: _WORDS[found[0].lower()]),
    ("and_or", r"and/or\b", lambda _: "and or"),
)
_SYMBOLS: tuple[Rule, ...] = (
    ("amount", r"(?P<currency>[£$€])\s?(?P<whole>[0-9]+(?:,[0-9]{3})*)(?:\.(?P<rest>[0-9]{2}))?(?![0-9])", _amount),
    ("sign", rf"[{re.escape(''.join(_SIGNS))}]", lambda found: f" {_SIGNS[found[0]]} "),
)
ENGLISH = Rules({"0-9+(": _NUMBERS, "A-Za-z": _LETTERS, re.escape("".join((*_CURRENCIES, *_SIGNS))): _SYMBOLS})
