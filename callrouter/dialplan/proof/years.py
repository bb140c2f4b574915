"""Slips of the year that no day has shown yet: closings of the year after next, seasons that never end, old swaps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from callrouter.core.conditions import DateWithin
from callrouter.core.rota import Rota
from callrouter.dialplan.documents.calendar import HoursBlock
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import dates
from callrouter.dialplan.proof.calendar import LONG_OVER_DAYS
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import Scope

FAR_DAYS = 366
"""Nobody closes a year ahead who has not said what holds in the year before."""

TOO_FAR_DAYS = 3 * 366
"""And nobody closes so far ahead at all."""

LONGEST_SEASON_DAYS = 330
"""A school year is shorter; what goes on for longer is no season."""

Days = tuple[date, date]


def check_years(scope: Scope, hours: Mapping[str, HoursBlock], tree: Tree, today: date) -> None:
    """Warn of days whose year is probably another one."""
    latest = today + timedelta(days=FAR_DAYS)
    for name, block in hours.items():
        all_days = [days for one in (*block.closed, *block.exceptions) if (days := _dated(one))]
        if any(first > latest for first, _ in all_days):
            _check_far(scope, name, block, all_days, today)
    for name, about in tree.own.asking.items():
        if not about.reads.conditions:
            continue
        _check_seasons(scope, about.reads.conditions, ("nodes", name, tree.nodes[name].kind, "when"), today)
    for name, about in tree.own.ringing.items():
        for ring in about.uses.rings if about.reads.rotas else ():
            if isinstance(ring.whom, Rota):
                _check_swaps(scope, ring.whom, ("nodes", name, tree.nodes[name].kind, *ring.path), today)


def _check_far(scope: Scope, name: str, block: HoursBlock, all_days: Collection[Days], today: date) -> None:
    places: list[tuple[str, str, str | int]] = [(one, "closed", index) for index, one in enumerate(block.closed)]
    places += [(one, "exceptions", one) for one in block.exceptions]
    for written, key, place in places:
        if (days := _dated(written)) and _is_far(days, all_days, today):
            wrong = f"{shown(written)} is more than a year ahead: is the year right?"
            scope.fail(f"hours.{key}: {wrong}", "hours", name, key, place, name="far-date")


def _is_far(days: Days, all_days: Collection[Days], today: date) -> bool:
    """Whether days lie more than a year ahead, and nothing is said of about the same days of the coming year."""
    ahead = (days[0] - today).days
    if ahead <= FAR_DAYS or ahead > TOO_FAR_DAYS:
        return ahead > FAR_DAYS
    near = (other for other in all_days if (days[0] - other[0]).days > 0 and (other[0] - today).days <= FAR_DAYS)
    return not any(abs((days[0] - other[0]).days % 365) in _NEARLY_A_YEAR for other in near)


_NEARLY_A_YEAR = frozenset((*range(32), *range(334, 365)))
"""Days that the same closing may lie earlier or later in another year: a month, and leap days."""


def _check_seasons(scope: Scope, conditions: Collection[object], here: tuple[str | int, ...], today: date) -> None:
    seasons = [
        (index, span)
        for index, one in enumerate(conditions)
        if isinstance(one, DateWithin) and not one.written
        for span in one.spans
    ]
    for index, (first, last) in seasons:
        if last - first > timedelta(days=LONGEST_SEASON_DAYS):
            wrong = f"condition {index + 1} holds for {(last - first).days + 1} days: is the year right?"
            scope.fail(wrong, *here, index, name="long-season")
        elif _is_far((first, last), [span for _, span in seasons], today):
            wrong = f"condition {index + 1} begins on {first.isoformat()}, more than a year ahead: is the year right?"
            scope.fail(wrong, *here, index, name="far-date")


def _dated(written: str) -> Days | None:
    """First and last day of a text that has their year."""
    found = dates.days(written)
    return (found.first, found.last) if isinstance(found, dates.Dated) else None


def _check_swaps(scope: Scope, rota: Rota, here: tuple[str | int, ...], today: date) -> None:
    """Days of a rota that are long over, and of which nothing is said in the coming year."""
    for first, last in _lonely(rota, today):
        days = first.isoformat() if first == last else f"{first.isoformat()}..{last.isoformat()}"
        wrong = f"rota {shown(rota.name)}: the exception of {days} is over: is the year right?"
        scope.fail(wrong, *here, name="past-date")


def _lonely(rota: Rota, today: date) -> Iterator[Days]:
    for one in rota.exceptions:
        if not one.written and (today - one.last).days > LONG_OVER_DAYS:
            later = ((other.first - one.first).days for other in rota.exceptions if other.last >= today)
            if not any(days % 365 in _NEARLY_A_YEAR for days in later):
                yield one.first, one.last
