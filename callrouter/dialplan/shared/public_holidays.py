"""The public holidays of one country at a time, from the `holidays` library.

The library's own way to a country imports all 250 of them, which takes longer than everything else a short command
does; its registry says in which file a country stands, and that file is loaded alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import holidays
from holidays import HolidayBase
from holidays.constants import SCHOOL
from holidays.registry import COUNTRIES

from callrouter.core.numbers import TERRITORIES
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.dates import plain

YEARS_BACK, YEARS_AHEAD = 1, 5
"""Holidays are known from the last year (for questions about the past) to some years ahead."""

OWN_LANGUAGE = "own"
"""Stands for the language in which a country's holidays are known there."""

_HOLIDAY_LANGUAGES = {"fr": ("fr", "fr_FR"), "en": ("en_GB", "en_US", "en")}

OF_FRANCE = {code: one.number if one.is_department else code for code, one in TERRITORIES.items()}
"""What the holidays of a territory are called, after `FR-`, by its ISO code."""

_SAME_HOLIDAYS = {
    "FR": {
        **dict.fromkeys(("67", "68"), "57"),
        **{alias: OF_FRANCE[code] for code, one in TERRITORIES.items() for alias in (code, one.number)},
    }
}
"""Departments and territories by their other names: the holidays library knows all of Alsace-Moselle as 57, and each
place overseas by its number or by its ISO code only."""


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """ISO 3166 codes of the countries whose holidays are known."""
    return frozenset(names[1] for names in COUNTRIES.values())


@lru_cache(maxsize=64)
def calendar_of(country: str) -> type[HolidayBase]:
    """The calendar of a known country.

    Raises:
        KeyError: it is not known.
    """
    module_name, class_name = next(
        ((module, names[0]) for module, names in COUNTRIES.items() if names[1] == country), ("", "")
    )
    if not module_name:
        raise KeyError(country)
    folders = [f"{folder}/countries" for folder in holidays.__path__]
    spec = PathFinder.find_spec(f"holidays.countries.{module_name}", folders)
    if spec is None or spec.loader is None:
        found: type[HolidayBase] = getattr(holidays, class_name)
        return found
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    alone: type[HolidayBase] = getattr(module, class_name)
    return alone


def regions_of(country: str) -> Sequence[str]:
    """Codes of a known country's regions with holidays of their own."""
    return tuple(calendar_of(country).subdivisions)


def years_around(year: int) -> range:
    """The years of which holidays are known when a plan is made in one."""
    return range(year - YEARS_BACK, year + YEARS_AHEAD + 1)


def is_known(code: str) -> bool:
    """Whether the holidays of `FR` or `FR-57` are known."""
    try:
        _place(code)
    except ValueError:
        return False
    return True


def _place(code: str) -> tuple[str, str]:
    """Country and region of a code, the region as the library calls it.

    Raises:
        ValueError: the country or the region is not known.
    """
    country, _, region = code.partition("-")
    region = _SAME_HOLIDAYS.get(country, {}).get(region, region)
    if country not in countries():
        hint = country.upper() if country.upper() in countries() else ""
        meant = f' (did you mean "{hint}"?)' if hint else ': write an ISO country such as "FR", or "FR-57" for a region'
        raise ValueError(f"holidays of {shown(code)} are not known{meant}")
    if region and region not in regions_of(country):
        regions = ", ".join(regions_of(country)) or "none"
        raise ValueError(f"holidays of {shown(code)} are not known: the regions of {country} are {regions}")
    return country, region


@lru_cache(maxsize=256)
def public_holidays(code: str, language: str, year: int) -> Mapping[date, str]:
    """Public holidays of `FR`, or with a region's own of `FR-57`, around a year.

    Raises:
        ValueError: the country or the region is not known.
    """
    country, region = _place(code)
    known = calendar_of(country).supported_languages
    spoken = next((name for name in _HOLIDAY_LANGUAGES.get(language, ()) if name in known), None)
    if language == OWN_LANGUAGE:
        spoken = calendar_of(country).default_language
    found = calendar_of(country)(subdiv=region or None, years=years_around(year), language=spoken)
    return dict(sorted(found.items()))


@lru_cache(maxsize=256)
def names_of_holidays(code: str, year: int) -> Mapping[str, frozenset[date]]:
    """The days of each public holiday around a year, by its name (`dates.plain`) in every language that has one.

    Raises:
        ValueError: the country or the region is not known.
    """
    country, region = _place(code)
    known = calendar_of(country)
    found: dict[str, set[date]] = {}
    for language in known.supported_languages or (None,):
        for day, names in known(subdiv=region or None, years=years_around(year), language=language).items():
            for name in names.split(";"):
                found.setdefault(plain(name), set()).add(day)
    return {name: frozenset(days) for name, days in found.items()}


@lru_cache(maxsize=64)
def school_holidays(code: str, year: int) -> frozenset[date]:
    """School holidays of `FR-Zone A` or `DE-BY` around a year: as published, and later ones by the library's rule.

    Raises:
        ValueError: none are known there.
    """
    country, _, region = code.partition("-")
    known = calendar_of(country) if country in countries() else None
    if known is None or SCHOOL not in known.supported_categories:
        raise ValueError(f"school holidays of {shown(code)} are not known")
    if (country == "FR" and not region.startswith("Zone")) or (region and region not in known.subdivisions):
        zones = [one.removeprefix("Zone ") for one in known.subdivisions if country != "FR" or one.startswith("Zone")]
        raise ValueError(f"school holidays of {shown(code)} are not known: these are {', '.join(zones)}")
    # A break of which the year before holds the beginning is whole there.
    years = range(year - YEARS_BACK - 1, year + YEARS_AHEAD + 1)
    return frozenset(known(subdiv=region or None, years=years, categories=(SCHOOL,)))
