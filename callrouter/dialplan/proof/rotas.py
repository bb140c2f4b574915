"""Rotas: whenever a call may come in the coming two years, somebody must be on call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise

from callrouter.core.rota import Rota, Turns
from callrouter.core.schedule import DAYS
from callrouter.dialplan.issues import Severity, shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.kept_hours import DAYS_AHEAD
from callrouter.dialplan.scope import NameScope

_MINUTES_A_WEEK = 7 * 24 * 60

Gap = tuple[date, date | None]
"""First day without anybody, and the last; None: nobody follows."""


def check_rotas(scope: NameScope, tree: Tree, today: date) -> None:
    """Each rota a tree rings by: neither a gap within it nor its end within two years is right."""
    told: set[str] = set()
    for name, about in tree.about.items():
        for ring in about.uses.rings if about.reads.rotas else ():
            rota = ring.whom
            if not isinstance(rota, Rota):
                continue
            here = ("nodes", name, tree.nodes[name].kind, *ring.path)
            if day := claimed_twice(rota):
                wrong = f"rota {shown(rota.name)} gives {day.isoformat()} to two people: a day needs one of them"
                scope.fail(wrong, *here)
            for whose, turns, first, last in _all_gaps(rota, today):
                wrong = f"rota {shown(rota.name)}{whose} names nobody {_gap_and_mend(turns, first, last)}"
                scope.fail(wrong, *here, dated=True)
            if rota.name not in told:
                told.add(rota.name)
                _check_times(scope, rota, today, here)


def _check_times(scope: NameScope, rota: Rota, today: date, here: tuple[str | int, ...]) -> None:
    """What may surprise of a rota: times that no shift holds, and days that begin at another hour than midnight."""
    if gap := no_shift(rota):
        wrong = f"rota {shown(rota.name)} has no shift from {gap}, and nobody is on call then"
        scope.fail(wrong, *here, name="no-shift")
    if rota.at_clock == time(0):
        return
    for duty in rota.exceptions:
        midnight = datetime.combine(duty.first, time(), tzinfo=rota.zone).astimezone(UTC)
        if duty.first >= today and not duty.written and rota.at(midnight) != duty.people:
            before = " + ".join(one.name for one in rota.at(midnight)) or "nobody"
            hour, whole = f"{rota.at_clock:%H:%M}", shown(f"{duty.first} 00:00..24:00")
            said = (
                f"rota {shown(rota.name)}: {duty.called} begins at {hour} and ends at {hour} of the day after;"
                f" before it, {before} is on call. Write {whole} for the day by the clock"
            )
            scope.fail(said, *here, severity=Severity.NOTE)


def claimed_twice(rota: Rota) -> date | None:
    """The first day that two of a rota's dated exceptions give to different people."""
    dated = [one for one in rota.exceptions if not one.written]
    for one, two in combinations(dated, 2):
        if one.people != two.people and one.first <= two.last and two.first <= one.last:
            return max(one.first, two.first)
    return None


def no_shift(rota: Rota) -> str:
    """The first part of the week that no shift holds and no turn besides: `sat 08:00 to mon 08:00`; or nothing."""
    if not rota.shifts or rota.turns.cycle or rota.turns.weeks:
        return ""
    parts = sorted(part for shift in rota.shifts for part in shift.parts)
    if not parts:
        return ""
    # From the end of each part to the next one's beginning; after the last comes the first of the next week.
    for (_, ended), (begins, _) in pairwise((*parts, (parts[0][0] + _MINUTES_A_WEEK, 0))):
        if ended < begins:
            return f"{_instant(ended)} to {_instant(begins)}"
    return ""


def _instant(minute: int) -> str:
    day, clock = divmod(minute % _MINUTES_A_WEEK, 24 * 60)
    return f"{DAYS[day]} {clock // 60:02}:{clock % 60:02}"


def _gap_and_mend(turns: Turns, first: date, last: date | None) -> str:
    """From when to when, and what to write."""
    if last is None:
        return f"from {first.isoformat()} on: write who follows"
    mend = "write who is on call, in weeks or exceptions"
    if turns.cycle and turns.starting and last < turns.starting:
        mend = f"its cycle starts on {turns.starting.isoformat()}; name an earlier week of the first contact's"
    return f"from {first.isoformat()} to {last.isoformat()}: {mend}"


def _all_gaps(rota: Rota, today: date) -> Iterator[tuple[str, Turns, date, date | None]]:
    """The gaps of a rota's own turns and of each shift's: whose, the turns, first day and last."""
    if rota.turns.cycle or rota.turns.weeks:
        yield from (("", rota.turns, *gap) for gap in gaps(rota, today))
    for shift in rota.shifts:
        found = _gaps(rota, shift.turns, today)
        yield from ((f", shift {shown(shift.name)},", shift.turns, *gap) for gap in found)


def gaps(rota: Rota, today: date) -> Iterator[Gap]:
    """Days of the coming two years whose turn nobody has; a turn begins at the rota's own time of day."""
    yield from _gaps(rota, rota.turns, today)


def _gaps(rota: Rota, turns: Turns, today: date) -> Iterator[Gap]:
    if turns.cycle and turns.starting is not None and turns.starting <= today:
        return
    begun: date | None = None
    last = today
    for step in range(DAYS_AHEAD):
        last = today + timedelta(days=step)
        duty = rota.duty_on(last)
        somebody = duty.people if duty else rota.having(turns, last)
        if not somebody and begun is None:
            begun = last
        elif somebody and begun is not None:
            yield begun, last - timedelta(days=1)
            begun = None
    if begun is not None:
        yield begun, None
