"""Whose calls they are: clients from a large one to the many that ring twice a day, and who answers them.

A client's share of all calls goes with its rank, a little steeper than one over it: of 380,000 calls a month the
largest of 800 has some 53,000, the tenth 5,000, the one in the middle 122. `client-001` is the largest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from callrouter.core.service_level import Formula, Promise
from callrouter.store.plans import StoredPlan, WentLive

FIRST_DAY: Final = date(2024, 6, 1)
MONTHS: Final = 30
"""To the end of November 2026."""
STEEPNESS: Final = 1.01
"""Of the shares: one over the rank to this power."""
PARIS: Final = "Europe/Paris"
ELSEWHERE: Final = {
    7: "Indian/Reunion",
    17: "America/Cayenne",
    27: "Europe/London",
    37: "Asia/Kolkata",  # half an hour beside the others
}
"""The zone of every fortieth client, by the rest of its number; all others live by Paris."""
MOVED: Final = 52
"""The number of a client that moved from Paris to Réunion."""
RENAMED: Final = (60, 200)
"""Numbers of clients that had another name before."""
TEAMS: Final = (
    *("medical", "legal", "building", "energy", "funerals", "garages"),
    *("lifts", "heating", "locksmiths", "estates", "schools", "hotels"),
)
EVERYBODY: Final = "everybody"
"""The queue that callers overflow to."""
AGENTS_A_TEAM: Final = 13
_FIRST_NAMES: Final = ("anne", "bruno", "chloe", "denis", "elise", "farid", "gilles", "hanna", "ines", "jules", "karim")

Versions = Sequence[tuple[date, str, Promise]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client, and what was in service when."""

    number: int
    """Its rank, from 1."""
    dids: Sequence[str]
    teams: tuple[str, str]
    """The queues behind keys 1 and 2."""
    versions: Versions
    """From which day (of its zone) on, by which version, with which promise; in order."""
    former: str
    """Its name before `renamed_on`; empty: it had none."""
    renamed_on: date | None

    @property
    def name(self) -> str:
        """At present."""
        return f"client-{self.number:03}"

    def as_of(self, day: date) -> tuple[str, str, str]:
        """The name, the version and the zone of its calls on a day."""
        name = self.former if self.renamed_on is not None and day < self.renamed_on else self.name
        version, promise = next((version, made) for since, version, made in reversed(self.versions) if since <= day)
        return name, version, promise.timezone


def shares(clients: int) -> NDArray[np.float64]:
    """Which part of all calls each of so many clients has."""
    weights = np.arange(1, clients + 1, dtype=np.float64) ** -STEEPNESS
    return np.asarray(weights / weights.sum())


@cache
def client(number: int) -> Client:
    """The client of a rank."""
    dids = 8 if number == 1 else 4 if number <= 100 else 2 if number % 5 == 0 else 1
    renamed = number in RENAMED
    return Client(
        number=number,
        dids=[f"+3314{number:04}{which:03}" for which in range(dids)],
        teams=(TEAMS[number % len(TEAMS)], TEAMS[(number + 5) % len(TEAMS)]),
        versions=_versions(number),
        former=f"before-{number:03}" if renamed else "",
        renamed_on=date(2025, 3, 1) if renamed else None,
    )


def _versions(number: int) -> Versions:
    """Some versions over the months; of every seventh client one of them promises something else."""
    formulas = list(Formula)
    zone = ELSEWHERE.get(number % 40, PARIS)
    promise = Promise(
        within_seconds=(20.0, 30.0, 20.0, 15.0)[number % 4],
        target=(0.8, 0.85, 0.9)[number % 3],
        short_abandon_seconds=3.0 if number % 9 == 0 else 5.0,
        formula=formulas[number % len(formulas)] if number % 6 == 0 else Formula.SHORT_ABANDON_EXCLUDED,
        timezone=zone,
    )
    later = Promise(
        within_seconds=promise.within_seconds + 10,
        target=promise.target,
        short_abandon_seconds=promise.short_abandon_seconds,
        formula=promise.formula,
        timezone="Indian/Reunion" if number == MOVED else zone,
    )
    changes = [FIRST_DAY - timedelta(days=30)]
    changes += [FIRST_DAY + timedelta(days=61 + (number * 37) % 150 + 170 * which) for which in range(2 + number % 3)]
    if number in RENAMED:
        changes = sorted([*changes, date(2025, 3, 1)])
    changed = number % 7 == 1 or number == MOVED  # the largest, too
    return [
        (
            since,
            hashlib.sha256(f"{number} {since}".encode()).hexdigest()[:12],
            later if changed and which >= len(changes) - 1 else promise,
        )
        for which, since in enumerate(changes)
    ]


def agents(team: str) -> list[str]:
    """Who answers in a queue."""
    if team == EVERYBODY:
        return [agents(one)[0] for one in TEAMS]
    first = TEAMS.index(team) * AGENTS_A_TEAM
    return [f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]}-{number:03}" for number in range(first, first + AGENTS_A_TEAM)]


def history_of(clients: int) -> tuple[list[StoredPlan], list[WentLive]]:
    """The versions of so many clients, and when each went live, in order."""
    plans: list[StoredPlan] = []
    lives: list[WentLive] = []
    for one in map(client, range(1, clients + 1)):
        for since, version, promise in one.versions:
            live_at = datetime(since.year, since.month, since.day, tzinfo=ZoneInfo(promise.timezone)).astimezone(UTC)
            name = one.as_of(since)[0]
            formerly = (one.former,) if one.former and name == one.name else ()
            plans.append(
                StoredPlan(
                    client=name,
                    version=version,
                    document="",
                    first_live_at=live_at,
                    promise=promise,
                    formerly=formerly,
                )
            )
            lives.append(WentLive(client=name, version=version, live_at=live_at, why="saved"))
            if formerly and since == one.renamed_on:
                lives.append(WentLive(client=one.former, version=None, live_at=live_at, why="saved"))
    return plans, sorted(lives, key=lambda one: one.live_at)
