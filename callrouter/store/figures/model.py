"""The figures of journeys: what is given of a period, whatever it is grouped by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callrouter.core.call import Disposition
from callrouter.core.service_level import Formula, Promise, ServiceCounts, ServiceLevelTarget, WaitingClock
from callrouter.store.gaps import Gap

DEFAULT_TARGET = ServiceLevelTarget()

_MEASURED_FROM = {WaitingClock.ENTERED_SERVICE: "entry into service"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Waiting times of some journeys, in seconds; None without any."""

    mean_seconds: float | None
    p50_seconds: float | None
    p90_seconds: float | None
    p95_seconds: float | None
    max_seconds: float | None


NO_WAITS = Waits(mean_seconds=None, p50_seconds=None, p90_seconds=None, p95_seconds=None, max_seconds=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some journeys. Shares are 0 to 1, or None without any call to share."""

    received: int
    by_disposition: Mapping[Disposition, int]
    """Every disposition, in the order of the enumeration; their sum is `received`."""
    counts: ServiceCounts
    """The journeys that reached a human-service node, each by its own promise."""
    service_levels: Mapping[Formula, float | None]
    """By every formula, each journey by its own T and limit."""
    pickup_rate: float | None
    """Answered over offered, short abandons left out."""
    abandon_rate: float | None
    """Abandoned over offered, short abandons left out of both."""
    waiting: Waits
    """Of answered journeys; its mean is the ASA."""
    abandoned_waiting: Waits
    """Of abandoned journeys: what the figures of those who were answered do not show."""
    aht_seconds: float | None
    """Mean talk time of answered journeys."""
    called_back: int
    """Journeys that asked for a callback or were abandoned, and whose caller was reached later; they stay what they
    were."""
    called_back_after: Waits
    """From the wish, or from giving up, until they were reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseStats:
    """The figures of those of a client's journeys that are judged by one promise."""

    promise: Promise | None
    """None: no promise is known for the version they walked, and `DEFAULT_TARGET` stands in."""
    figures: Figures

    @property
    def target(self) -> ServiceLevelTarget:
        """T, limit and formula that the figures were made with."""
        return self.promise or DEFAULT_TARGET

    @property
    def service_level(self) -> float | None:
        """By the promise's own formula."""
        return self.figures.service_levels[self.target.formula]

    @property
    def basis(self) -> str:
        """What the service level was made with, to be shown beside it."""
        target = self.target
        return (
            f"{target.formula}: T = {target.within_seconds:g} s, "
            f"short abandon below {target.short_abandon_seconds:g} s, waiting from {_MEASURED_FROM[target.clock]}"
            + ("" if self.promise else "; the default, because no promise is known for the plan these calls walked")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """One client's figures: of all its journeys, and of those under each promise."""

    client: str
    from_at: datetime
    """The period as it is in the client's time zone: included."""
    to_at: datetime
    """Not included."""
    figures: Figures
    promises: Sequence[PromiseStats]
    """One, unless what is promised changed in the period; in the order in which they were first made."""

    @property
    def called_back(self) -> int:
        """Journeys whose caller was reached later."""
        return self.figures.called_back

    @property
    def called_back_after(self) -> Waits:
        """Until they were reached."""
        return self.figures.called_back_after

    @property
    def target(self) -> ServiceLevelTarget | None:
        """Of the one promise; None when there are several: each has its own."""
        return self.promises[0].target if len(self.promises) == 1 else None

    @property
    def service_level(self) -> float | None:
        """Of the one promise; None when there are several: no total stands for different promises."""
        return self.promises[0].service_level if len(self.promises) == 1 else None

    @property
    def basis(self) -> str:
        """What the service level was made with, to be shown beside it."""
        if len(self.promises) == 1:
            return self.promises[0].basis
        return f"{len(self.promises)} promises in this period: each has a service level of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The figures of a period, which begins and ends for each client as its own clocks say."""

    from_at: datetime
    """When it begins for the first client, in the operator's zone: included."""
    to_at: datetime
    """When it ends for the last one: not included."""
    clients: list[ClientStats]
    gaps: list[Gap]
    """Times in the period in which calls may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of journeys that are alike in what was asked for."""

    keys: tuple[Any, ...]
    """The values of the groupings, in their order."""
    figures: Figures
    promises: Sequence[PromiseStats]
    """Those of its journeys by promise, in the order in which they were first made."""

    @property
    def service_level(self) -> float | None:
        """Of the one promise; None when there are several: no total stands for different promises."""
        return self.promises[0].service_level if len(self.promises) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The figures of a period, by what was asked for."""

    from_at: datetime
    """When it begins for the first client: included."""
    to_at: datetime
    """When it ends for the last one: not included."""
    groups: list[Group]
    """Those that have journeys, in the order of their keys."""
    total: Group
    """All of them together, of the same instant."""
    gaps: list[Gap]
    """Times in the period in which calls may be missing."""
