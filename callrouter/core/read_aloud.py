"""Values of a call that are read aloud: digits one by one, a telephone number, a number, a date, a time of day.

A variable's value is a stranger's word (a web service's, or the caller's own keys). Here it becomes a `Reading`, whose
value can be nothing but what its kind says, or nothing at all: what cannot be read is left out, never guessed.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from callrouter.core import numbers
from callrouter.core.effects import ReadAs, Reading, Sound
from callrouter.errors import CoreError

MAX_DIGITS = 20
"""Digits read one by one: longer than any telephone or file number."""

MAX_TELEPHONE_DIGITS = 17
"""Of a telephone number: an international 00, and 15 digits at most (ITU-T E.164)."""

MAX_SPOKEN_AHEAD = 18
"""Digits that are read where each two of them are a file of their own, for a command takes few of those names."""
LONGEST_FIGURE = 70
"""Bytes of such a file's name, its folder and a separator included."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_FILES: dict[ReadAs, int] = {
    ReadAs.DIGITS: MAX_DIGITS + 2,
    ReadAs.NUMBER: 14,
    ReadAs.DATE: 10,
    ReadAs.TIME: 8,
    ReadAs.TELEPHONE: MAX_TELEPHONE_DIGITS,
}
"""The most sounds one reading takes."""

_BYTES: dict[ReadAs, int] = {
    ReadAs.DIGITS: (MAX_DIGITS + 2) * len("fr/digits/5&"),
    ReadAs.NUMBER: 210,
    ReadAs.DATE: 150,
    ReadAs.TIME: 100,
    ReadAs.TELEPHONE: MAX_TELEPHONE_DIGITS * len("fr/digits/5&"),
}
"""The longest list of sounds one reading becomes (`asterisk.say`; a test compares)."""

_USUAL_SECONDS: dict[ReadAs, float] = {
    ReadAs.DIGITS: 5.0,
    ReadAs.NUMBER: 2.5,
    ReadAs.DATE: 4.0,
    ReadAs.TIME: 2.0,
    ReadAs.TELEPHONE: 6.0,
}
"""What values of some eight digits, numbers of three, and telephone numbers take."""

SECONDS_A_FILE = 1.5
"""No single word of Asterisk's own sounds lasts longer (core-sounds 1.6, French and English)."""


OF_EVERY_CALL = ("caller", "did")
"""Numbers that can be read aloud without being set: the caller's, absent where it is withheld, and the one dialled."""


class NotReadable(CoreError):
    """The value is not of the kind asked for; the text says what it is instead."""


class SpokenVariable(Struct, frozen=True, kw_only=True):
    """The place of a variable in a prompt: what it is called, and how its value is read."""

    variable: str
    read_as: ReadAs
    language: str
    timezone: str = ""
    """In whose wall clock an instant is read; empty: the client's own."""
    region: str = ""
    """ISO code of the country as whose numbers telephone numbers are read; empty: each with its country's code."""

    figures: tuple[str, ...] = ()
    """Sounds of 0 to 9, then of 00 to 99 figure by figure, where the switch has none of its own for the language."""

    @property
    def seconds(self) -> float:
        """The longest it can take."""
        return _FILES[self.read_as] * SECONDS_A_FILE

    @property
    def usual_seconds(self) -> float:
        """What it takes most callers to hear it."""
        return _USUAL_SECONDS[self.read_as]

    @property
    def text(self) -> str:
        """As a document writes it, for a reader of the plan."""
        return f"{{{self.variable}}}" if self.read_as is usual(self.variable) else f"{{{self.variable}:{self.read_as}}}"

    @property
    def file(self) -> str:
        """No file of its own; the name stands for it where files are listed."""
        return self.text

    @property
    def longest_bytes(self) -> int:
        """The most it adds to the switch's command."""
        if self.figures:
            return MAX_SPOKEN_AHEAD // 2 * LONGEST_FIGURE
        return _BYTES[self.read_as]

    def read(self, value: str, timezone: str) -> Reading:
        """The value as it can be read; `timezone` is the client's.

        Raises:
            NotReadable: it is no such thing.
        """
        value = value.strip()
        if self.read_as is ReadAs.TELEPHONE and value.startswith("+"):
            value = numbers.as_dialled(value, self.region)
        found = _READERS[self.read_as](value, self.language, self.timezone or timezone)
        if self.figures and len(found.value) > MAX_SPOKEN_AHEAD:
            raise NotReadable(f"in {self.language} no more than {MAX_SPOKEN_AHEAD} digits are read aloud")
        return replace(found, figures=self.figures)


def usual(variable: str) -> ReadAs:
    """How a value is read where the document does not say: numbers that every call has as such, others as digits."""
    return ReadAs.TELEPHONE if variable in OF_EVERY_CALL else ReadAs.DIGITS


PromptPart = Sound | SpokenVariable
"""What a node's prompt is made of; `core.effects.Part` is what becomes of it."""


def _digits(value: str, language: str, timezone: str) -> Reading:
    plain = value.translate(numbers.SEPARATORS)
    if plain.startswith("+"):
        plain = "00" + plain[1:]
    if not (plain.isascii() and plain.isdecimal()) or len(plain) > MAX_DIGITS + 2:
        raise NotReadable(f"it is not 1 to {MAX_DIGITS} digits")
    return Reading(read_as=ReadAs.DIGITS, value=plain, language=language, seconds=len(plain) * SECONDS_A_FILE)


def _telephone(value: str, language: str, timezone: str) -> Reading:
    found = _digits(value, language, timezone)
    if len(found.value) > MAX_TELEPHONE_DIGITS:
        raise NotReadable(f"it is longer than any telephone number: {MAX_TELEPHONE_DIGITS} digits")
    return replace(found, read_as=ReadAs.TELEPHONE)


def _number(value: str, language: str, timezone: str) -> Reading:
    plain = value.translate(str.maketrans("", "", " \u00a0\u202f"))
    if not _NUMBER.fullmatch(plain):
        raise NotReadable("it is not a whole number of at most 9 digits")
    longest = _FILES[ReadAs.NUMBER] * SECONDS_A_FILE
    return Reading(read_as=ReadAs.NUMBER, value=str(int(plain)), language=language, seconds=longest)


def _date(value: str, language: str, timezone: str) -> Reading:
    moment = _moment(value, timezone)
    if moment is None:
        try:
            day = date.fromisoformat(value) if len(value) == len("2026-11-24") else None
        except ValueError:
            day = None
    else:
        day = moment.date()
    if day is None:
        raise NotReadable('it is not a day such as "2026-11-24"')
    longest = _FILES[ReadAs.DATE] * SECONDS_A_FILE
    return Reading(read_as=ReadAs.DATE, value=day.isoformat(), language=language, seconds=longest)


def _time(value: str, language: str, timezone: str) -> Reading:
    moment = _moment(value, timezone)
    if moment is None:
        try:
            clock = time.fromisoformat(value) if re.match(r"[0-9]{2}:[0-9]{2}", value) else None
        except ValueError:
            clock = None
    else:
        clock = moment.time()
    if clock is None:
        raise NotReadable('it is not a time of day such as "14:30"')
    longest = _FILES[ReadAs.TIME] * SECONDS_A_FILE
    return Reading(read_as=ReadAs.TIME, value=f"{clock:%H:%M}", language=language, seconds=longest)


def _moment(value: str, timezone: str) -> datetime | None:
    """An instant with day and time, on the client's own wall clock; a value without a zone is on it already."""
    if len(value) < len("2026-11-24T10:00") or value[10:11] not in ("T", " "):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(ZoneInfo(timezone)) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


_READERS = {
    ReadAs.DIGITS: _digits,
    ReadAs.NUMBER: _number,
    ReadAs.DATE: _date,
    ReadAs.TIME: _time,
    ReadAs.TELEPHONE: _telephone,
}
