"""Exits that an earlier node has decided about: hours that were asked before, conditions that were answered.

Each answer is a fact (`these hours are open`, `this condition does not hold`) that goes with the call along its ways
(`flow.certain`) until it may be another one: a variable that is set anew, hours and days once somebody has spoken to
the caller, or kept them waiting. All of it is advice: a caller may still pass within the second in which the hours
end, and a plan that is served is not refused because of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from callrouter.core.conditions import (
    Condition,
    DateWithin,
    DidIs,
    QueueStands,
    VariableIs,
    VariableNumber,
    VariableStartsWith,
    VariableUnset,
)
from callrouter.core.nodes.about import About, Family, Reads
from callrouter.core.schedule import Schedule
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.flow import certain
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.hidden import hidden
from callrouter.dialplan.proof.weeks import lies_within
from callrouter.dialplan.scope import NameScope


class _Fact(Struct, frozen=True):
    """Hours by name, or a condition, and whether they are open or it holds."""

    of: str | Condition
    holds: bool


class _Facts:
    """The facts of one tree as bits."""

    def __init__(self) -> None:
        self._bits: dict[_Fact, int] = {}

    def bit(self, of: str | Condition, *, holds: bool) -> int:
        """The bit of a fact."""
        return self._bits.setdefault(_Fact(of, holds), 1 << len(self._bits))

    def those_in(self, held: int) -> list[_Fact]:
        """The facts of some bits."""
        return [fact for fact, bit in self._bits.items() if held & bit] if held else []

    def lost(self, tree: Tree) -> dict[str, int]:
        """By node, what need not hold any more once it was left."""
        of_the_time, of_variables = 0, dict[str, int]()
        for fact, bit in self._bits.items():
            if isinstance(fact.of, str | DateWithin):
                of_the_time |= bit
            elif variable := _variable(fact.of):
                of_variables[variable] = of_variables.get(variable, 0) | bit
        found: dict[str, int] = {}
        for name, about in tree.about.items():
            lost = of_the_time if about.family in (Family.REACHES, Family.KEEPS) else 0
            for variable in about.variables.longest:
                lost |= of_variables.get(variable, 0)
            if lost:
                found[name] = lost
        return found


def _variable(of: str | Condition) -> str:
    return of.variable if isinstance(of, VariableIs | VariableUnset | VariableStartsWith | VariableNumber) else ""


def _subjects(reads: Reads) -> set[object]:
    """What a node asks about, of which another may know the answer."""
    if reads.hours:
        return {"hours"}
    return {_variable(one) or type(one) for one in reads.conditions if not isinstance(one, QueueStands)}


def _is_asked_twice(asking: Mapping[str, About]) -> bool:
    """Whether two nodes ask about the same, or one whether a variable is not set; few trees do."""
    seen: set[object] = set()
    for about in asking.values():
        reads = about.reads
        subjects = _subjects(reads)
        if not seen.isdisjoint(subjects) or any(isinstance(one, VariableUnset) for one in reads.conditions):
            return True
        seen |= subjects
    return False


def check_decided(scope: NameScope, tree: Tree) -> None:
    """Warn of each exit that is never taken, or always, because of an earlier node; once for all languages."""
    if not _is_asked_twice(tree.own.asking):
        return
    asking = [name for name, about in tree.about.items() if about.reads.hours or about.reads.conditions]
    facts = _Facts()
    gains = {name: dict(_gained(tree, name, facts)) for name in asking}
    _add_those_set(tree, gains, facts)
    before = certain(tree, gains, facts.lost(tree))
    found: dict[str, list[dict[tuple[str | int, ...], str]]] = {}
    for name in asking:
        if name in before and not name.startswith(tree.foreign) and "/" not in name:
            wrong = dict(_decided(scope, tree, name, facts.those_in(before[name])))
            found.setdefault(name.partition("@")[0], []).append(wrong)
    for name, in_languages in found.items():
        for path, sentence in in_languages[0].items():
            if all(path in other for other in in_languages):
                scope.fail(sentence, "nodes", name, *path, name="decided-before")


def _add_those_set(tree: Tree, gains: dict[str, dict[str, int]], facts: _Facts) -> None:
    """Variables that are surely set after an exit, where a condition asks whether they are not."""
    asked = {
        one.variable: one
        for about in tree.about.values()
        for one in about.reads.conditions
        if isinstance(one, VariableUnset)
    }
    for name, about in tree.about.items() if asked else ():
        for way, variables in about.variables.known_after.items():
            for variable in variables & asked.keys():
                ways = gains.setdefault(name, {})
                ways[way] = ways.get(way, 0) | facts.bit(asked[variable], holds=False)


def _gained(tree: Tree, name: str, facts: _Facts) -> Iterator[tuple[str, int]]:
    """By exit of a node: what is known once it was taken."""
    reads = tree.about[name].reads
    if reads.hours:
        for way in tree.nodes[name].exits if _goes_by_hours_alone(tree, name) else ():
            yield way, facts.bit(reads.hours, holds=way == "open")
        return
    refuted, unseen = 0, None
    for index, condition in enumerate(reads.conditions):
        if isinstance(condition, QueueStands):
            # A line is another one a second later; and where it cannot be looked at, nothing more was asked.
            yield f"when:{index}", refuted
            unseen = refuted if unseen is None else unseen
            continue
        yield f"when:{index}", refuted | facts.bit(condition, holds=True)
        refuted |= facts.bit(condition, holds=False)
    yield "otherwise", refuted if unseen is None else unseen


def _goes_by_hours_alone(tree: Tree, name: str) -> bool:
    """Whether the exits of a node that reads hours mean what they are called."""
    return tree.nodes[name].exits.keys() <= {"open", "closed", "holiday"}


def _decided(
    scope: NameScope, tree: Tree, name: str, known: Sequence[_Fact]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What a node asks in vain: the path from below its name, and the sentence."""
    if not known:
        return
    node, reads = tree.nodes[name], tree.about[name].reads
    if reads.hours:
        if not _goes_by_hours_alone(tree, name):
            return
        yield from _decided_hours(reads.hours, node.exits, scope.schedules, known, node.kind)
        return
    refuted = [(0, fact.of) for fact in known if not fact.holds and not isinstance(fact.of, str)]
    held = [fact.of for fact in known if fact.holds and not isinstance(fact.of, str)]
    for index, condition in enumerate(reads.conditions):
        here = (node.kind, "when", index)
        if isinstance(condition, QueueStands):
            continue
        if hidden(condition, refuted) or any(_apart(condition, one) for one in held):
            yield here, f"condition {index + 1} never holds here: an earlier node has answered it"
        elif any(one == condition or hidden(condition=one, earlier=[(0, condition)]) for one in held):
            yield here, f"condition {index + 1} always holds here: an earlier node has answered it"
            return


def _apart(one: Condition, two: Condition) -> bool:
    """Whether two conditions never hold for the same call at the same time."""
    if isinstance(one, DateWithin) and isinstance(two, DateWithin):
        return one.timezone == two.timezone and one.first_shared(two) is None
    if isinstance(one, DidIs) and isinstance(two, DidIs):
        return set(one.numbers).isdisjoint(two.numbers)
    variable = _variable(one)
    if not variable or variable != _variable(two):
        return False
    if isinstance(one, VariableUnset) or isinstance(two, VariableUnset):
        return type(one) is not type(two)
    for values, other in ((one, two), (two, one)):
        if isinstance(values, VariableIs) and values.values and not isinstance(other, VariableUnset):
            fits = getattr(other, "fits", None)
            return fits is not None and not any(fits(value) for value in values.values)
    return False


def _decided_hours(
    hours: str, exits: Mapping[str, str], schedules: Mapping[str, Schedule], known: Sequence[_Fact], kind: str
) -> Iterator[tuple[tuple[str, ...], str]]:
    own = schedules.get(hours)
    for fact in known:
        if not isinstance(fact.of, str) or (other := schedules.get(fact.of)) is None or own is None:
            continue
        if fact.holds and (fact.of == hours or lies_within(other, own)):
            dead = [way for way in exits if way != "open"]
        elif not fact.holds and (fact.of == hours or lies_within(own, other)):
            dead = ["open"]
        else:
            continue
        for way in dead:
            stand = "open" if fact.holds else "closed"
            wrong = f"exit {shown(way)} is never taken: an earlier node has found hours {shown(fact.of)} {stand}"
            yield (kind, way), wrong
        return
