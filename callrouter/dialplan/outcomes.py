"""Every distinct outcome of a client's tree, over all kinds of callers and times, with the shortest way to each."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

from callrouter.core.distinctions import Distinctions
from callrouter.core.exploring import Ending, Way, explore
from callrouter.core.inputs import CallOffered
from callrouter.core.nodes import BranchNode
from callrouter.core.nodes.branch import ShareOfCalls
from callrouter.core.plan import Plan
from callrouter.dialplan.situations import CallerKind, Moment, caller_kinds, moments


class Outcome(Struct, frozen=True, kw_only=True):
    """One of the ends a tree has, and how to come to it."""

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
    kinds, whens = caller_kinds(plan), moments(plan, since)
    best: dict[Ending, Outcome] = {}
    complete, told_apart = True, Distinctions(plan)
    for kind in kinds:
        for when in whens:
            for call_id in call_ids(plan):
                explored = explore(plan, offer(plan, kind, when, call_id), told_apart=told_apart)
                complete = complete and explored.complete
                for ending, way in explored.ways.items():
                    if ending not in best or way.effort < best[ending].way.effort:
                        best[ending] = Outcome(ending=ending, way=way, kind=kind, moment=when)
    ordered = sorted(best.values(), key=lambda one: (plan.node_index.get(one.ending.node, 0), one.ending))
    return Outcomes(found=tuple(ordered), callers=len(kinds), moments=len(whens), complete=complete)


def call_ids(*plans: Plan) -> tuple[str, ...]:
    """Identifiers that draw differently wherever a tree goes by a share of the calls; one where none does."""
    shares = [
        condition
        for plan in plans
        for node in plan.nodes.values()
        if isinstance(node, BranchNode)
        for condition in node.when
        if isinstance(condition, ShareOfCalls)
    ]
    found: dict[tuple[bool, ...], str] = {}
    for number in range(2000 if shares else 1):
        drawn = zlib.crc32(f"rehearsal-{number}".encode()) % 10_000 / 100
        found.setdefault(tuple(drawn < one.percent for one in shares), f"rehearsal-{number}")
    return tuple(found.values())


def offer(plan: Plan, kind: CallerKind, when: Moment, call_id: str) -> CallOffered:
    """A call of this kind at this moment, to the client's first number."""
    did = plan.numbers[0] if plan.numbers else ""
    return CallOffered(call_id=call_id, did=did, caller=kind.caller, at=when.at.astimezone(UTC))


def told(plan: Plan, found: Outcomes) -> Iterator[str]:
    """The outcomes, as lines a person reads."""
    tried = f"{_count(found.callers, 'kind')} of callers, {_count(found.moments, 'kind')} of times"
    yield f"{plan.name} ({plan.source}): {_count(len(found.found), 'outcome')}, over {tried}"
    for one in found.found:
        node = plan.where(one.ending.node)
        yield f"{one.ending.disposition:<13} {one.ending.outcome}, {node}"
        yield f"              {one.kind.words}, {one.moment.words}: {one.way.in_words}"
    if not found.complete:
        yield "(the tree has more states than are looked at: there may be more)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
