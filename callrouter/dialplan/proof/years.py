"""Slips of the year: closings of the year after next, seasons that never end, exceptions of a rota that are over."""

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
from callrouter.dialplan.proof.kept_hours import KeptHours, each_kept
from callrouter.dialplan.scope import NameScope

FAR_DAYS = 366
"""Nobody closes a year ahead who has not said what holds in the year before."""

TOO_FAR_DAYS = 3 * 366
"""And nobody closes so far ahead at all."""

LONGEST_SEASON_DAYS = 330
"""A school year is shorter; what goes on for longer is no season."""

Days = tuple[date, date]


def check_years(scope: NameScope, hours: Mapping[str, HoursBlock], tree: Tree, today: date) -> None:
    """Warn of days whose year is probably another one."""
    latest = today + timedelta(days=FAR_DAYS)
    for _, kept in each_kept(scope, hours, today):
        written = (one for part in kept for one in (*part.block.closed, *part.block.exceptions))
        all_days = [days for one in written if (days := _dated(one))]
        if any(first > latest for first, _ in all_days):
            for part in kept:
                _check_far(scope, part, all_days, today)
    for name, about in tree.own.asking.items():
        if not about.reads.conditions:
            continue
        _check_seasons(scope, about.reads.conditions, ("nodes", name, tree.nodes[name].kind, "when"), today)
    for name, about in tree.own.ringing.items():
        for ring in about.uses.rings if about.reads.rotas else ():
            if isinstance(ring.whom, Rota):
                _check_exceptions(scope, ring.whom, ("nodes", name, tree.nodes[name].kind, *ring.path), today)


def _check_far(scope: NameScope, kept: KeptHours, all_days: Collection[Days], today: date) -> None:
    places: list[tuple[str, str, str | int]] = [(one, "closed", index) for index, one in enumerate(kept.block.closed)]
    places += [(one, "exceptions", one) for one in kept.block.exceptions]
    for written, key, place in places:
        if (days := _dated(written)) and _is_far(days, all_days, today):
            wrong = f"{shown(written)} is more than a year ahead: is the year right?"
            kept.say(scope, wrong, key, place, name="far-date")


def _is_far(days: Days, all_days: Collection[Days], today: date) -> bool:
    """Whether days lie more than a year ahead, and nothing is said of about the same days of the coming year."""
    ahead = (days[0] - today).days
    if ahead <= FAR_DAYS or ahead > TOO_FAR_DAYS:
        return ahead > FAR_DAYS
    near = (other for other in all_days if (days[0] - other[0]).days > 0 and (other[0] - today).days <= FAR_DAYS)
    return not any(abs((days[0] - other[0]).days % 365) in _NEARLY_A_YEAR for other in near)


_NEARLY_A_YEAR = frozenset((*range(32), *range(334, 365)))
"""Days that the same closing may lie earlier or later in another year: a month, and leap days."""


def _check_seasons(scope: NameScope, conditions: Collection[object], here: tuple[str | int, ...], today: date) -> None:
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
    found = dates.dated(written)
    return (found.first, found.last) if found else None


def _check_exceptions(scope: NameScope, rota: Rota, here: tuple[str | int, ...], today: date) -> None:
    """Days of a rota, and parts of some, that are long over, and of which nothing is said in the coming year."""
    for written in _lonely(rota, today):
        wrong = f"rota {shown(rota.name)}: the exception of {written} is over: is the year right?"
        scope.fail(wrong, *here, name="past-date")


def _lonely(rota: Rota, today: date) -> Iterator[str]:
    days = [(one.first, one.last, one.called, not one.written) for one in rota.exceptions]
    parts = [(one.begins.date(), one.ends.date(), one.written, _has_its_year(one.written)) for one in rota.swaps]
    every = (*days, *parts)
    for first, last, written, has_its_year in every:
        if has_its_year and (today - last).days > LONG_OVER_DAYS:
            later = ((begun - first).days for begun, ended, _, _ in every if ended >= today)
            if not any(apart % 365 in _NEARLY_A_YEAR for apart in later):
                yield written


def _has_its_year(written: str) -> bool:
    """Whether a part of a day comes once."""
    part = dates.days_or_part(written)
    return isinstance(part, dates.Part) and dates.dated(part.day) is not None
