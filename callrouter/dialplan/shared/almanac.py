"""Which days a text of a document stands for: seasons of each year, public holidays by name, school holidays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from callrouter.core.schedule import Span
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language import dates
from callrouter.dialplan.shared.public_holidays import (
    OWN_LANGUAGE,
    is_known,
    names_of_holidays,
    public_holidays,
    school_holidays,
    years_around,
)

_A_DAY = timedelta(days=1)
_ALSO_CALLED = {
    "christmas": "christmas day",
    "xmas": "christmas day",
    "new year": "new year's day",
    "new year's": "new year's day",
    "nouvel an": "jour de l'an",
    "premier de l'an": "jour de l'an",
    "labour day": "labor day",
    "may day": "labor day",
}
"""Names that people use, where the country's own list does not know them."""


class Almanac(Struct, frozen=True, kw_only=True):
    """Whose public holidays are meant, and around which year all that comes every year is looked up."""

    codes: tuple[str, ...]
    """`FR`, `FR-57`; those that are not known are left out, and blamed where they are written."""
    year: int

    def spans(self, written: str) -> tuple[Span, ...]:
        """First and last day of each time the text comes, in order, from the year before to five years after.

        Raises:
            ValueError: it names a holiday that none of the countries has, or a region without school holidays.
        """
        found = dates.days(written)
        if isinstance(found, dates.Dated):
            return ((found.first, found.last),)
        return _spans(found, written, self.codes, self.year)


@lru_cache(maxsize=4_096)
def _spans(found: dates.Days, written: str, codes: tuple[str, ...], year: int) -> tuple[Span, ...]:
    match found:
        case dates.Yearly():
            # A season that began two years ago may reach into the last year.
            every = range(years_around(year)[0] - 1, years_around(year)[-1] + 1)
            return tuple(span for one in every if (span := dates.spans_of_year(found, one)))
        case dates.SchoolHolidays(code=code):
            return tuple(_merged(school_holidays(code, year)))
        case dates.Holiday(name=name, eve=eve):
            days = _days_called(name, written, codes, year)
            return tuple((day, day) for day in sorted({day - _A_DAY for day in days} if eve else days))
        case _:
            return ((found.first, found.last),)


def _days_called(name: str, written: str, codes: tuple[str, ...], year: int) -> frozenset[date]:
    """The days of a holiday's name, or of all."""
    known = [code for code in codes if is_known(code)]
    if not name:
        return frozenset(day for code in known for day in public_holidays(code, "en", year))
    called: dict[str, set[date]] = {}
    for code in known:
        for one, days in names_of_holidays(code, year).items():
            called.setdefault(one, set()).update(days)
    asked = name if name in called else _ALSO_CALLED.get(name, name)
    if asked not in called:
        asked = next((one for one in (f"{asked} day", asked.removesuffix(" day")) if one in called), asked)
    if asked not in called:
        raise ValueError(_unknown(name, written, known, called, year))
    return frozenset(called[asked])


def _unknown(name: str, written: str, codes: list[str], called: Mapping[str, set[date]], year: int) -> str:
    if not codes:
        return f"{shown(written)} is no day, and no country is written whose holidays it could be: write holidays: FR"
    hint = closest(name, called)
    listed = dict.fromkeys(public_holidays(codes[0], OWN_LANGUAGE, year).values())
    meant = f' (did you mean "{hint}"?)' if hint else f": these are {', '.join(listed)}"
    whose = f"a public holiday of {' or '.join(codes)}{meant}"
    return f"{shown(written)} is neither a day such as 2026-12-24 or 12-24 nor {whose}"


def _merged(days: Iterable[date]) -> list[Span]:
    """Days that follow one another as one span."""
    spans: list[Span] = []
    for day in sorted(days):
        if spans and day - spans[-1][1] <= _A_DAY:
            spans[-1] = spans[-1][0], day
        else:
            spans.append((day, day))
    return spans
