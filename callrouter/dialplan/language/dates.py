"""Days as a document writes them: with their year, of every year, or by what they are called.

| written | days |
|---|---|
| `2026-12-24`, `2026-12-24..2027-01-03` | that day, or these |
| `12-24`, `10-15..04-15` | every year; one that ends before it begins goes on over New Year |
| `christmas`, `lundi de Pâques` | a public holiday by its name, in any language in which it has one |
| `eve of christmas`, `veille de Noël` | the day before it |
| `public holidays`, `eve of public holidays` | each of them, or the day before each |
| `school holidays A` | those of a zone of France; elsewhere of a region: `school holidays DE-BY` |

Which days a holiday's name stands for is found by `dialplan.shared.almanac`, for it depends on the country.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date
from functools import lru_cache

from msgspec import Struct

from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import values

MonthDay = tuple[int, int]

LEAP_DAY: MonthDay = (2, 29)

_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")
_EVE = re.compile(r"(?:the )?(?:eve of|day before) (?:the )?(.+)|veille (?:de la |de l'|du |des |de |d')(.+)")
_PUBLIC = frozenset({"public holidays", "public holiday", "holidays", "jours feries", "jour ferie"})
_SCHOOL = re.compile(r"(?:school holidays?|vacances scolaires)(?: \(?(?:zone )?(.+?)\)?)?")


class Dated(Struct, frozen=True, kw_only=True):
    """Days of a year that is written."""

    first: date
    last: date
    several: bool
    """Whether they are written as first and last day, be it the same."""


class Yearly(Struct, frozen=True, kw_only=True):
    """Days of every year, by month and day."""

    first: MonthDay
    last: MonthDay
    several: bool


class Holiday(Struct, frozen=True, kw_only=True):
    """A public holiday, or the day before it."""

    name: str
    """As `plain` writes it; empty: every one."""
    eve: bool

    @property
    def several(self) -> bool:
        """Whether more than one day of a year is meant."""
        return not self.name


PUBLIC_HOLIDAYS = Holiday(name="", eve=False)
"""Every public holiday."""


class SchoolHolidays(Struct, frozen=True, kw_only=True):
    """School holidays of a region."""

    code: str
    """Country and region: `FR-Zone A`, `DE-BY`."""
    several: bool = True


Days = Dated | Yearly | Holiday | SchoolHolidays


def rank(found: Days) -> int:
    """Which days decide first: 0 those of a year that is written, 1 one day of each year, 2 several of each."""
    return 0 if isinstance(found, Dated) else 2 if found.several else 1


def plain(words: str) -> str:
    """Words without accents, capitals and signs, so that people may write a name as they like."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", words) if not unicodedata.combining(one))
    return " ".join(re.sub(r"[.,;:!’`´-]", lambda sign: "'" if sign[0] in "’`´" else " ", bare.casefold()).split())


@lru_cache(maxsize=4_096)
def days(value: str) -> Days:
    """The days of a text.

    Raises:
        ValueError: they cannot be read; the sentence says how to write them.
    """
    word = values.text(value).strip()
    if word[0].isdigit() and not re.search("[^\\W\\d_]", word):
        return _by_number(word)
    words = plain(word)
    if found := _SCHOOL.fullmatch(words):
        return SchoolHolidays(code=_school(found[1] or "", word))
    if found := _EVE.fullmatch(words):
        name = found[1] or found[2]
        return Holiday(name="" if name in _PUBLIC else name, eve=True)
    return Holiday(name="" if words in _PUBLIC else words, eve=False)


def dated(value: str) -> Dated | None:
    """The days of a text that has their year; None: it stands for days of other years too.

    Raises:
        ValueError: they cannot be read.
    """
    found = days(value)
    return found if isinstance(found, Dated) else None


def text(value: object) -> str:
    """A text that stands for days, as it is written."""
    word = values.text(value)
    days(word)
    return word


class Part(Struct, frozen=True, kw_only=True):
    """Part of a day, or from one day to another, each time it comes."""

    day: str
    """The text of the day on which it begins."""
    start: int
    """Minutes since that day's midnight."""
    stop: int
    """Minutes since the midnight of `until`, or of `day`."""
    until: str = ""
    """The text of the day on which it ends; empty: `day`."""


_CLOCKS = r"([0-9]{1,2}:[0-9]{2})"
_PART = re.compile(rf"(.+?) {_CLOCKS} ?(?:[.][.]|-|–) ?(?:(.+) )?{_CLOCKS}")


@lru_cache(maxsize=4_096)
def days_or_part(value: str) -> Days | Part:
    """Days, or part of one: `2026-12-24 18:00..24:00`, `2026-12-24 18:00..2026-12-25 08:00`, `12-24 18:00..08:00`.

    Raises:
        ValueError: they cannot be read; the sentence says how to write them.
    """
    word = values.text(value).strip()
    if not (found := _PART.fullmatch(word)):
        if ":" in word:
            raise ValueError(f'{shown(word)} is no part of a day: write "2026-12-24 18:00..24:00"')
        return days(word)
    day, start, until, stop = found[1], values.clock(found[2]), found[3] or "", values.clock(found[4])
    for one in (day, until):
        if one and days(one).several:
            raise ValueError(f"{shown(one)} is more than one day: a part of a day is written for one day at a time")
    if until and isinstance(days(until), Dated) != isinstance(days(day), Dated):
        raise ValueError(f"{shown(word)} has one day with its year and one without: write both, or neither")
    if not until and stop <= start:
        stop += values.MINUTES_A_DAY
    return Part(day=day, start=start, stop=stop, until=until)


def days_or_part_text(value: object) -> str:
    """A text that stands for days or a part of one, as it is written."""
    word = values.text(value)
    days_or_part(word)
    return word


def _by_number(word: str) -> Days:
    begin, dots, end = (part.strip() for part in word.partition(".."))
    yearly = [_MONTH_DAY.fullmatch(part) is not None for part in (begin, end or begin)]
    if not any(yearly):
        if found := re.fullmatch(r"([0-9]{1,2})[/.]([0-9]{1,2})\.?", word):
            meant = f"{int(found[2]):02}-{int(found[1]):02}"
            raise ValueError(
                f"{shown(word)} is no day: write {shown(meant)}, the month first, for that day of every year"
            )
        first, last = values.days(word)
        return Dated(first=first, last=last, several=bool(dots))
    if not all(yearly):
        raise ValueError(f"{shown(word)} has one day with its year and one without: write both, or neither")
    return Yearly(first=_month_day(begin), last=_month_day(end or begin), several=bool(dots))


def _month_day(word: str) -> MonthDay:
    month, day = map(int, word.split("-"))
    # 2028 is a leap year: 29 February exists in some years.
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(2028, month)[1]:
        turned = f"{day:02}-{month:02}"
        meant = f": the month comes first, as in {shown(turned)}" if 1 <= day <= 12 < month <= 31 else ""
        raise ValueError(f"{shown(word)} does not exist in the calendar of any year{meant}")
    return month, day


def _school(zone: str, word: str) -> str:
    zone = zone.strip()
    if zone.upper() in ("A", "B", "C"):
        return f"FR-Zone {zone.upper()}"
    # `plain` has taken the hyphen away.
    country, _, region = zone.partition(" ")
    if len(country) != 2 or not country.isalpha():
        raise ValueError(
            f'{shown(word)} does not say whose: write "school holidays A", B or C, or "school holidays DE-BY"'
        )
    return f"{country.upper()}-{region.upper()}" if region else country.upper()


def spans_of_year(found: Yearly, year: int) -> tuple[date, date] | None:
    """The days that begin in a year; None: 29 February in a year that has none.

    A season that begins on 29 February begins on 1 March in other years, and one that ends on it on 28 February.
    """
    leap = calendar.isleap(year)
    if not found.several:
        return None if found.first == LEAP_DAY and not leap else (date(year, *found.first), date(year, *found.first))
    first = (3, 1) if found.first == LEAP_DAY and not leap else found.first
    ends = year if found.first <= found.last else year + 1
    last = (2, 28) if found.last == LEAP_DAY and not calendar.isleap(ends) else found.last
    if (ends, last) < (year, first):
        return None
    return date(year, *first), date(ends, *last)
