"""Time zones: which there are, which was meant, and which country one lies in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pkgutil import get_data
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import tzdata

from callrouter.dialplan.issues import closest


def known_timezone(name: str) -> bool:
    """Whether the name is one of the IANA time zones."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in name or name == "UTC"


def closest_timezone(name: str) -> str:
    """The zone that was probably meant, by its name or its city's; an empty string when none is near."""
    known = [zone for zone in available_timezones() if known_timezone(zone) and not zone.startswith("Etc/")]
    city = name.strip().replace(" ", "_").rpartition("/")[2].lower()
    same = [zone for zone in known if zone.rpartition("/")[2].lower() == city]
    return same[0] if len(same) == 1 else closest(name, known)


@lru_cache(maxsize=1)
def _countries_by_zone() -> Mapping[str, str]:
    # By pkgutil: importlib.resources loads temporary files and zip archives first, for what is a plain file.
    table = get_data(tzdata.__name__, "zoneinfo/zone.tab")
    assert table is not None, "tzdata is installed as files"
    rows = (line.split("\t") for line in table.decode().splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


def country_of(timezone: str, default: str) -> str:
    """The ISO 3166 country a zone lies in, from the tz database's own table."""
    return _countries_by_zone().get(timezone, default)
