"""A form filled in: the values of a message, each in the one form in which it is kept; or what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Final

from msgspec import Struct

from callrouter.core import numbers
from callrouter.core.call import FormValue
from callrouter.core.forms.form import Field, FieldType, Form, Urgency

LONGEST: Final[Mapping[FieldType, int]] = {
    FieldType.NAME: 120,
    FieldType.NUMBER: 64,
    FieldType.CHOICE: 200,
    FieldType.DATE: 32,
    FieldType.TEXT: 2_000,
    FieldType.URGENCY: 32,
}
"""Characters that may be given, by type."""

MIN_TEXT: Final = 2
"""Letters and figures of a text: with fewer it says nothing, as a recording of less than two seconds says nothing."""

MAX_UNKNOWN: Final = 20
"""Fields that the form does not have of which each is named; whoever sends more has mistaken the form."""

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Of a date: days of birth, and days that are to come."""

_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})", re.ASCII)
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})(?P<sign>[/.])(?P<month>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4})", re.ASCII)

_MONTH_FIRST = frozenset({"US", "AS", "GU", "MP", "PR", "VI", "CA", "PH"})
"""Where some write 4/5/2026 for 5 April, or both ways (Unicode CLDR's short dates): there only ISO's way is certain."""

_SPACES = str.maketrans(dict.fromkeys("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009", " "))
_SPACES |= str.maketrans(dict.fromkeys("\u200a\u202f\u205f\u3000", " "))
"""Spaces of other widths, which come with texts that are pasted."""

_JOINERS = frozenset("\u200c\u200d")
"""Not printable by themselves, and part of words in some scripts, and of emoji."""

_LONGEST_SHOWN = 40


class Filled(Struct, frozen=True, kw_only=True):
    """What a message holds."""

    values: Mapping[str, str]
    """By field, in the form's order: numbers in E.164, dates as ISO writes them, of a choice its value. Fields that
    were not given are left out."""
    urgent: bool
    caller_number: str | None
    """E.164: the form's first number, else that of the call; None: nobody knows one."""
    caller_name: str
    """The form's first name; empty: none was given."""
    text: str
    """What its texts say, in the form's order, one a line."""
    fields: tuple[FormValue, ...] = ()
    """The same values, with what each field was called and held: all that there is to keep."""


class Wrong(Struct, frozen=True, kw_only=True):
    """A field, or the form as a whole, is not as it must be."""

    field: str
    """Its name as it was given; empty: the form as a whole."""
    reason: str
    """For a person: what is wrong, and what to write instead."""


def fill(form: Form, given: Mapping[str, str], *, region: str, caller_number: str | None) -> Filled | list[Wrong]:
    """A message's values of what was given for a form's fields; or all that is wrong, field by field.

    A text that is empty, or nothing but spaces, counts as not given. `region` is the ISO 3166 country whose national
    numbers are understood. `caller_number` is that of the call, None where it shows none: it becomes the form's first
    number, unless one was given. To fill in the same form with the values that come out of this gives the same again.
    """
    wrong = list(_unknown(form, given))
    values: dict[str, str] = {}
    refused: set[str] = set()
    own = _international(caller_number, region)
    for field in form.fields:
        try:
            if value := _value(field, given.get(field.name, ""), region, own):
                values[field.name] = value
        except ValueError as error:
            refused.add(field.name)
            wrong.append(Wrong(field=field.name, reason=str(error)))
    said = any(field.type is not FieldType.URGENCY and field.name in values for field in form.fields)
    first_number = next((field.name for field in form.fields if field.type is FieldType.NUMBER), None)
    if own and first_number is not None and first_number not in refused:
        values.setdefault(first_number, own)
    missing = (one for one in form.fields if one.required and one.name not in values and one.name not in refused)
    wrong += (Wrong(field=one.name, reason=f"is missing: {_ask(one)}") for one in missing)
    if wrong:
        return wrong
    if not said:
        asked = ", ".join(field.name for field in form.fields if field.type is not FieldType.URGENCY)
        return [Wrong(field="", reason=f"nothing was given, and that is no message: give one at least of {asked}")]
    found = (
        FormValue(name=field.name, value=values[field.name], label=field.label, type=field.type.value)
        for field in form.fields
        if field.name in values
    )
    return filled_of(found, caller_number=own)


def filled_of(fields: Iterable[FormValue], *, caller_number: str | None) -> Filled:
    """What a message holds whose fields were filled in before, as `Message.values` has them.

    `caller_number` is that of the call in E.164, None where it shows none: where no field is a number, it is the one.
    """
    fields = tuple(fields)

    def of_type(type_: FieldType) -> list[str]:
        return [field.value for field in fields if field.type == type_]

    return Filled(
        values={field.name: field.value for field in fields},
        urgent=Urgency.URGENT in of_type(FieldType.URGENCY),
        caller_number=next(iter(of_type(FieldType.NUMBER)), caller_number),
        caller_name=next(iter(of_type(FieldType.NAME)), ""),
        text="\n".join(of_type(FieldType.TEXT)),
        fields=fields,
    )


def _international(number: str | None, region: str) -> str | None:
    """The caller's own number in E.164; None where they show none, or a short one."""
    found = numbers.normalise(number, region) if number else None
    return found if found and found.startswith("+") else None


def _unknown(form: Form, given: Mapping[str, str]) -> Iterator[Wrong]:
    known = [field.name for field in form.fields]
    for name in islice((one for one in given if one not in known), MAX_UNKNOWN):
        meant = _closest(name, known)
        hint = f"did you mean {_shown(meant)}?" if meant else f"its fields are {', '.join(known)}"
        yield Wrong(field=name, reason=f"form {form.name} has no such field: {hint}")


def _closest(word: str, names: list[str]) -> str:
    from difflib import get_close_matches  # only here: where nothing is wrong nothing is meant

    found = get_close_matches(word[:_LONGEST_SHOWN], names, n=1, cutoff=0.6)
    return found[0] if found else ""


def _ask(field: Field) -> str:
    """How to mend a field that is not there."""
    if field.type is FieldType.CHOICE:
        return f"give one of {_listed(field)}"
    if field.type is FieldType.URGENCY:
        return f"give {' or '.join(Urgency)}"
    return f"ask the caller for it ({field.label})"


def _value(field: Field, written: str, region: str, own: str | None) -> str:
    """A value in the form in which it is kept; empty: none was given.

    Raises:
        ValueError: it is none of the field's type; the error says why, and what to write.
    """
    text = _one_line(written, LONGEST[field.type])
    if not text:
        return ""
    match field.type:
        case FieldType.NUMBER:
            return _number(text, region, own)
        case FieldType.CHOICE:
            return _choice(field, text)
        case FieldType.DATE:
            return _day(text, region)
        case FieldType.URGENCY:
            return _urgency(text)
        case FieldType.NAME:
            if not any(map(str.isalpha, text)):
                raise ValueError(f"{_shown(text)} is no name: it has no letter")
            return text
        case FieldType.TEXT:
            if sum(map(str.isalnum, text)) < MIN_TEXT:
                raise ValueError(f"{_shown(text)} says nothing: write at least a word, or leave it out")
            return text


def _one_line(written: str, longest: int) -> str:
    """A text on one line: nothing in it can end a line of a mail, a log or a terminal, or turn what follows round."""
    text = written.strip().translate(_SPACES).strip()
    if len(text) > longest:
        raise ValueError(f"is {len(text)} characters long: {longest} are the most")
    if not text.isprintable() and any(not (char.isprintable() or char in _JOINERS) for char in text):
        raise ValueError("holds a line break, a tab or another control character: write it on one line")
    return text


def _number(text: str, region: str, own: str | None) -> str:
    """Checked as strictly as one in a document, but for the caller's own: that is what the network says it is."""
    if own and numbers.normalise(text, region) == own:
        return own
    found = numbers.written(text, region)
    if found is None:
        raise ValueError(f"{_shown(text)} {numbers.wrong_number(text, region)}")
    if not found.startswith("+"):
        raise ValueError(f"{_shown(text)} is a short number, which nobody can be called back at: give a whole one")
    return found


def _choice(field: Field, text: str) -> str:
    """By its value, or by what a person calls it."""
    wanted = text.casefold()
    for value, label in sorted(field.choices, key=lambda one: one[0] != text):
        if wanted in (value.casefold(), label.casefold()):
            return value
    raise ValueError(f"{_shown(text)} is no choice: give one of {_listed(field)}")


def _listed(field: Field) -> str:
    return ", ".join(value for value, _ in field.choices)


def _day(text: str, region: str) -> str:
    found = _ISO.fullmatch(text) or (None if region in _MONTH_FIRST else _DAY_FIRST.fullmatch(text))
    if not found:
        other = "" if region in _MONTH_FIRST else ' or "24/12/2026"'
        raise ValueError(f'{_shown(text)} is no date: write it as "2026-12-24"{other}')
    year = int(found["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"{_shown(text)} is in the year {year}: is it right?")
    try:
        return date(year, int(found["month"]), int(found["day"])).isoformat()
    except ValueError:
        raise ValueError(f"{_shown(text)} is in no calendar: the year, then the month, then the day") from None


def _urgency(text: str) -> str:
    word = text.lower()
    if word not in tuple(Urgency):
        raise ValueError(f"{_shown(text)} is neither {' nor '.join(Urgency)}")
    return word


def _shown(text: str) -> str:
    """A value in quotes, printable and of bounded length."""
    shorter = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    return f'"{"".join(char if char.isprintable() else chr(0xFFFD) for char in shorter)}"'
