"""The public holidays of one country at a time, from the `holidays` library.

The library's own way to a country imports all 250 of them, which takes longer than everything else a short command
does; its registry says in which file a country stands, and that file is loaded alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import holidays
from holidays import HolidayBase
from holidays.registry import COUNTRIES


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
