"""A country's calendar loaded alone says what the library says."""

from __future__ import annotations

import subprocess
import sys

import holidays
import pytest

from callrouter.dialplan.shared.public_holidays import calendar_of, countries, regions_of


def test_every_country_of_the_library() -> None:
    """None is lost, none is added."""
    assert countries() == frozenset(holidays.list_supported_countries(include_aliases=False))


@pytest.mark.parametrize(
    "code", ["FR", "FR-57", "FR-6AE", "RE", "GP", "MQ", "BE", "CH-GE", "DE-BY", "GB-ENG", "US", "LU"]
)
def test_the_same_days_with_the_same_names(code: str) -> None:
    """Alsace-Moselle and countries built on another's calendar too."""
    country, _, region = code.partition("-")
    years = range(2025, 2032)

    alone = calendar_of(country)(subdiv=region or None, years=years)

    assert dict(alone) == dict(holidays.country_holidays(country, subdiv=region or None, years=years))
    assert list(regions_of(country)) == list(holidays.list_supported_countries()[country])


def test_only_what_is_asked_for_is_loaded() -> None:
    """That is the point of it."""
    code = (
        "import sys; from callrouter.dialplan.shared.public_holidays import calendar_of; calendar_of('FR');"
        "print(sum(name.startswith('holidays.countries') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "0\n"
