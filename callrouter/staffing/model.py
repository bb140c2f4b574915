"""What comes to a line, what was promised, and how many of those who come are served how."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from callrouter.core.service_level import Formula, ServiceCounts, service_level

_WHOLE: Final = 10**12
"""Shares are counted of so many callers: the formulas count."""


class Load(Struct, frozen=True, kw_only=True):
    """What comes to a line in a span in which nothing changes."""

    arrivals_per_second: float
    handle_seconds: float
    """Of one conversation, with hold and wrap-up."""

    @property
    def erlangs(self) -> float:
        """Agents who would be at work all the time."""
        return self.arrivals_per_second * self.handle_seconds


class Target(Struct, frozen=True, kw_only=True):
    """What was promised."""

    within_seconds: float = 20.0
    share: float = 0.8
    """0 to 1."""
    short_abandon_seconds: float = 5.0
    formula: Formula = Formula.SHORT_ABANDON_EXCLUDED


class Served(Struct, frozen=True, kw_only=True):
    """Shares of all who came, 0 to 1."""

    answered: float
    answered_within: float
    abandoned: float = 0.0
    abandoned_within: float = 0.0
    short_abandoned: float = 0.0
    overflowed: float = 0.0
    wait_seconds: float = 0.0
    """Mean wait of those who were answered."""
    occupancy: float = 0.0

    def level(self, formula: Formula) -> float | None:
        """The service level by a formula; None where nobody counts."""
        return service_level(
            ServiceCounts(
                answered=round(self.answered * _WHOLE),
                abandoned=round(self.abandoned * _WHOLE),
                answered_within=round(self.answered_within * _WHOLE),
                abandoned_within=round(self.abandoned_within * _WHOLE),
                short_abandoned=round(self.short_abandoned * _WHOLE),
                overflowed=round(self.overflowed * _WHOLE),
            ),
            formula,
        )
