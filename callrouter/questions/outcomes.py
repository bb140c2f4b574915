"""Every distinct outcome of a client's tree, over all kinds of callers and times, with the shortest way to each."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

from callrouter.core.conditions import ShareOfCalls, drawn
from callrouter.core.inputs import CallOffered
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import how_many
from callrouter.questions.examples import conditions
from callrouter.questions.exploring import Ending, Way, explore
from callrouter.questions.occasions import CallerKind, Moment, caller_kinds, moments

MOST_DRAWS = 100_000
"""Identifiers that are tried until each share of the calls has one."""


class Outcome(Struct, frozen=True, kw_only=True):
    """One of the ends a tree has, and the way to it."""

    ending: Ending
    way: Way
    kind: CallerKind
    moment: Moment


class Outcomes(Struct, frozen=True, kw_only=True):
    """All that were found."""

    found: tuple[Outcome, ...]
    callers: int
    """How many kinds of callers were tried."""
    moments: int
    complete: bool
    """False: the tree has more states than are looked at."""


def outcomes(plan: Plan, since: datetime) -> Outcomes:
    """Every distinct outcome; the order is that of the document, the same for the same plan and day."""
    kinds, whens, draws = caller_kinds(plan), moments(plan, since), call_ids(plan)
    tried = {offer(plan, kind, when, call_id): (kind, when) for kind in kinds for when in whens for call_id in draws}
    explored = explore(plan, *tried)
    found: list[Outcome] = []
    for ending, way in explored.ways.items():
        kind, when = tried[way.offered]
        found.append(Outcome(ending=ending, way=way, kind=kind, moment=when))
    found.sort(key=lambda one: (plan.node_index.get(one.ending.node, 0), one.ending))
    return Outcomes(found=tuple(found), callers=len(kinds), moments=len(whens), complete=explored.complete)


def call_ids(*plans: Plan) -> tuple[str, ...]:
    """Identifiers that draw differently wherever a tree goes by a share of the calls; one where none does."""
    return tuple(shares(*plans))


def shares(*plans: Plan) -> dict[str, float]:
    """The same, with the percentage of all calls that each stands for; the largest share first."""
    asked = {condition.percent for condition in conditions(ShareOfCalls, *plans)}
    edges = sorted({0.0, *(percent for percent in asked if 0 < percent < 100), 100.0})
    found: dict[int, str] = {}
    for call_id in (f"rehearsal-{number}" for number in range(MOST_DRAWS)):
        found.setdefault(bisect(edges, drawn(call_id)), call_id)
        if len(found) == len(edges) - 1:
            break
    widths = {call_id: round(edges[place] - edges[place - 1], 2) for place, call_id in found.items()}
    return dict(sorted(widths.items(), key=lambda one: -one[1]))


def offer(plan: Plan, kind: CallerKind, when: Moment, call_id: str) -> CallOffered:
    """A call of this kind at this moment, to the client's first number where the kind says none."""
    did = kind.did or (plan.numbers[0] if plan.numbers else "")
    return CallOffered(call_id=call_id, did=did, caller=kind.caller, at=when.at.astimezone(UTC))


def told(plan: Plan, found: Outcomes) -> Iterator[str]:
    """The outcomes, as lines a person reads."""
    tried = f"{how_many(found.callers, 'kind')} of callers, {how_many(found.moments, 'kind')} of times"
    yield f"{plan.name} ({plan.source}): {how_many(len(found.found), 'outcome')}, over {tried}"
    for one in found.found:
        node = plan.where(one.ending.node)
        yield f"{one.ending.disposition:<13} {one.ending.outcome}, {node}"
        yield f"              {one.kind.words}, {one.moment.words}: {one.way.in_words}"
    if not found.complete:
        yield "(the tree has more states than are looked at: there may be more)"
