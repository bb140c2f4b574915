"""Service level and its neighbours: the named formulas, over counts of journeys.

Let A be the answered journeys and L the abandoned ones; O those that overflowed: offered, and neither answered nor
abandoned, because they ended at a machine (a message, a callback request, an announcement, a refusal, a fault). Aw and
Lw are those within the threshold T, Ls the short abandons (waiting below the client's limit). Three minutes of waiting
that end at a machine are no service: O is in every denominator but the first. The same calls give six figures, so the
formula is always named:

    answered_only            Aw / A                  Asterisk's ServicelevelPerf
    early_abandon_counts     (Aw + Lw) / (A + L + O) Asterisk's ServicelevelPerf2, which has no O
    late_abandon_only        Aw / (A + L + O - Lw)
    short_abandon_as_met     (Aw + Ls) / (A + L + O)
    short_abandon_excluded   Aw / (A + L + O - Ls)   the default
    strict                   Aw / (A + L + O)

The waiting time starts at the client's named clock. Entry into service is the only clock so far.

What a client is promised is kept with each version of its plan: a call is judged by the promise of the version it
walked, so that a changed threshold changes no figure of before.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Formula(StrEnum):
    """Which journeys count on which side."""

    ANSWERED_ONLY = "answered_only"
    EARLY_ABANDON_COUNTS = "early_abandon_counts"
    LATE_ABANDON_ONLY = "late_abandon_only"
    SHORT_ABANDON_AS_MET = "short_abandon_as_met"
    SHORT_ABANDON_EXCLUDED = "short_abandon_excluded"
    STRICT = "strict"


class WaitingClock(StrEnum):
    """From which of a call's clocks on waiting is measured."""

    ENTERED_SERVICE = "entered_service"
    """Entry into human service: time in queues and dials, menus between them excluded."""


class ServiceLevelTarget(Struct, frozen=True, kw_only=True):
    """How a client's service level is measured, and the share it shall reach."""

    within_seconds: float = 20.0
    target: float = 0.8
    """Share, 0 to 1."""
    short_abandon_seconds: float = 5.0
    formula: Formula = Formula.SHORT_ABANDON_EXCLUDED
    clock: WaitingClock = WaitingClock.ENTERED_SERVICE


class Promise(ServiceLevelTarget, frozen=True, kw_only=True):
    """What a version of a plan promises: the target, and the time zone whose days it is reported by."""

    timezone: str
    """IANA name."""


class ServiceCounts(Struct, frozen=True, kw_only=True):
    """Counts of journeys that entered human service in a period."""

    answered: int
    abandoned: int
    answered_within: int
    abandoned_within: int
    short_abandoned: int
    overflowed: int = 0
    """Offered, and neither answered nor abandoned: left a message, asked for a callback, served by the tree,
    rejected or failed after the wait."""

    @property
    def offered(self) -> int:
        """Journeys that entered human service: every one is answered, abandoned or overflowed."""
        return self.answered + self.abandoned + self.overflowed


def _ratio(part: int, whole: int) -> float | None:
    """A share, or None where there is nothing to share: no calls is not 0 %."""
    return part / whole if whole else None


def service_level(counts: ServiceCounts, formula: Formula) -> float | None:
    """The service level by a named formula, 0 to 1, or None when no journey counts."""
    return service_levels(counts)[formula]


def service_levels(counts: ServiceCounts) -> dict[Formula, float | None]:
    """The same by every formula."""
    offered, within = counts.offered, counts.answered_within
    return {
        Formula.ANSWERED_ONLY: _ratio(within, counts.answered),
        Formula.EARLY_ABANDON_COUNTS: _ratio(within + counts.abandoned_within, offered),
        Formula.LATE_ABANDON_ONLY: _ratio(within, offered - counts.abandoned_within),
        Formula.SHORT_ABANDON_AS_MET: _ratio(within + counts.short_abandoned, offered),
        Formula.SHORT_ABANDON_EXCLUDED: _ratio(within, offered - counts.short_abandoned),
        Formula.STRICT: _ratio(within, offered),
    }


def pickup_rate(counts: ServiceCounts, *, exclude_short: bool = True) -> float | None:
    """Answered over offered (taux de décroché), short abandons left out of it or not."""
    excluded = counts.short_abandoned if exclude_short else 0
    return _ratio(counts.answered, counts.offered - excluded)


def abandon_rate(counts: ServiceCounts) -> float | None:
    """Abandoned over offered, short abandons out of both."""
    return _ratio(counts.abandoned - counts.short_abandoned, counts.offered - counts.short_abandoned)


def mean_seconds(total_seconds: float, count: int) -> float | None:
    """ASA and AHT: a total over a count, or None without any."""
    return total_seconds / count if count else None
