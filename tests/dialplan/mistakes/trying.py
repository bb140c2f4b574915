"""Makes mistakes of every kind, has them judged, and counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from callrouter.dialplan.issues import Issue, Severity
from tests.dialplan.mistakes.capabilities import CAPABILITIES
from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.folders import judge
from tests.dialplan.mistakes.kind import Kind, Mistake
from tests.dialplan.mistakes.kinds import KINDS

EACH = 25
"""Mistakes of each kind."""

RIGHT = 480
"""Right trees."""


@dataclass
class Tried:
    """What became of the mistakes of one kind."""

    kind: Kind
    tried: int = 0
    missed: list[Mistake] = field(default_factory=list)

    @property
    def found(self) -> int:
        """How many were found."""
        return self.tried - len(self.missed)


def mistakes(kind: Kind, most: int = EACH) -> Iterator[Mistake]:
    """Mistakes of a kind, always the same ones."""
    random = Random(f"mistakes: {kind.name}")
    made = 0
    while made < most:
        mistake = kind.make(random)
        if mistake is not None:
            made += 1
            yield mistake


def tried(kind: Kind) -> Tried:
    """A kind's mistakes, judged."""
    found = Tried(kind)
    for mistake in mistakes(kind):
        found.tried += 1
        if mistake.found_by(judge(mistake.folder)) is None:
            found.missed.append(mistake)
    return found


@dataclass
class Rights:
    """What is said of right trees, and what they use."""

    trees: int = 0
    alarms: list[tuple[Firm, Issue]] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAPABILITIES, 0))


def firms() -> Iterator[Firm]:
    """Right firms, always the same ones."""
    random = Random("right trees")
    for _ in range(RIGHT):
        yield right(random)


def rights() -> Rights:
    """Right firms, judged: whatever is said of them beyond notes is a false alarm."""
    found = Rights()
    for firm in firms():
        found.trees += 1
        alarms = (one for one in judge(firm.folder).issues if one.severity is not Severity.NOTE)
        found.alarms += ((firm, one) for one in alarms)
        for name, uses in CAPABILITIES.items():
            found.used[name] += uses(firm)
    return found


def all_tried() -> list[Tried]:
    """Every kind."""
    return [tried(kind) for kind in KINDS]
