"""Both sides of a run, caller by caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.laws.account import Journey
from tests.laws.notes import Caller, Kind, Notes, Ring
from tests.laws.ours import Ours, Row, instant

TOLERANCE_SECONDS: Final = 0.4
"""Between an instant as a telephone has it, and as our row has it."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A caller, who was rung for them, and our row of it."""

    journey: Journey
    row: Row

    @property
    def name(self) -> str:
        """For a complaint."""
        caller = self.journey.caller
        return f"{caller.client}/{caller.intention} {caller.number} {self.row['call_id']}"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Both sides of a run."""

    notes: Notes
    ours: Ours
    pairs: Sequence[Pair]
    unpaired: Sequence[str]


def compare(notes: Notes, ours: Ours) -> Compared:
    """Pair callers with rows: by number; who hides theirs, or shares one, by number dialled and order."""
    rows, callers = defaultdict(list), defaultdict(list)
    for row in ours.journeys:
        number = row["caller"]["number"]
        rows[row["did"] if number is None else f"{number}"].append(row)
    for caller in notes.callers:
        callers[caller.number if caller.shown else caller.did].append(caller)
    rings = _by_call(notes)
    pairs, unpaired = [], []
    for key in rows.keys() | callers.keys():
        ours_of = sorted(rows[key], key=lambda row: instant(row["clocks"]["ringing_at"]))
        theirs = sorted(callers[key], key=lambda one: one.dialled_at)
        if len(ours_of) != len(theirs):
            unpaired.append(f"{key}: {len(theirs)} callers, {len(ours_of)} rows")
        pairs += [
            Pair(journey=Journey(caller=caller, rings=rings[row["call_id"]] + _contacts(notes, caller)), row=row)
            for caller, row in zip(theirs, ours_of, strict=False)
        ]
    return Compared(notes=notes, ours=ours, pairs=pairs, unpaired=unpaired)


def _by_call(notes: Notes) -> dict[str, list[Ring]]:
    found: dict[str, list[Ring]] = defaultdict(list)
    for ring in notes.rings:
        if ring.kind in (Kind.OFFER, Kind.CONSULTATION):
            found[ring.call].append(ring)
    return found


def _contacts(notes: Notes, caller: Caller) -> list[Ring]:
    """Contacts see the caller's number; no caller for whom any is rung hides theirs."""
    return [ring for ring in notes.rings if ring.kind is Kind.CONTACT and ring.number == caller.number]


def near(
    notes: Notes, what: str, ours: str | None, theirs: float, tolerance: float = TOLERANCE_SECONDS
) -> Iterator[str]:
    """Whether an instant of ours is the telephone's: to the tolerance, and to what its own notes were late."""
    if abs(instant(ours) - theirs) > tolerance + notes.late_seconds(theirs):
        yield f"{what} at {ours}, {instant(ours) - theirs:+.2f} s from the telephone's record"


def within(ours: str | None, since: float, until: float) -> bool:
    return since - TOLERANCE_SECONDS <= instant(ours) <= until + TOLERANCE_SECONDS
