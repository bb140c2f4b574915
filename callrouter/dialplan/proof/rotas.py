"""Rotas: whenever a call may come in the coming two years, somebody must be on call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from callrouter.core.rota import Rota
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.calendar import DAYS_AHEAD
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import Scope

Gap = tuple[date, date | None]
"""First day without anybody, and the last; None: nobody follows."""


def check_rotas(scope: Scope, tree: Tree, today: date) -> None:
    """Each rota a tree rings by: neither a gap within it nor its end within two years is right."""
    for name, about in tree.about.items():
        for ring in about.uses.rings if about.reads.rotas else ():
            rota = ring.whom
            if not isinstance(rota, Rota):
                continue
            here = ("nodes", name, tree.nodes[name].kind, *ring.path)
            if day := claimed_twice(rota):
                wrong = f"rota {shown(rota.name)} gives {day.isoformat()} to two people: a day needs one of them"
                scope.fail(wrong, *here)
            for first, last in gaps(rota, today):
                if last is None:
                    wrong = f"rota {shown(rota.name)} names nobody from {first.isoformat()} on: write who follows"
                    scope.fail(wrong, *here, dated=True)
                else:
                    wrong = f"rota {shown(rota.name)} names nobody from {first.isoformat()} to {last.isoformat()}"
                    scope.fail(wrong, *here, dated=True)


def claimed_twice(rota: Rota) -> date | None:
    """The first day that two of a rota's exceptions give to different people."""
    for one, two in combinations(rota.exceptions, 2):
        if one.contact != two.contact and one.first <= two.last and two.first <= one.last:
            return max(one.first, two.first)
    return None


def gaps(rota: Rota, today: date) -> Iterator[Gap]:
    """Days of the coming two years whose turn nobody has; a turn begins at the rota's own time of day."""
    if rota.cycle and rota.starting is not None and rota.starting <= today:
        return
    zone = ZoneInfo(rota.timezone)
    begun: date | None = None
    last = today
    for step in range(DAYS_AHEAD):
        last = today + timedelta(days=step)
        # Noon, or just before the turn ends, lies in the turn that began on that day, whatever the clocks do.
        clock = max(rota.at_clock, time(12))
        somebody = rota.at(datetime.combine(last, clock, tzinfo=zone).astimezone(UTC)) is not None
        if not somebody and begun is None:
            begun = last
        elif somebody and begun is not None:
            yield begun, last - timedelta(days=1)
            begun = None
    if begun is not None:
        yield begun, None
