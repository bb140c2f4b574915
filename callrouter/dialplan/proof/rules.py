"""Rules of one question: none may be hidden by an earlier one, and no two may claim the same day.

A `caller` asks its lists in order, a `branch` its conditions; the first that holds decides. A rule that an earlier one
always answers for is dead, and the client believes in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from callrouter.core.call import WITHOUT_NUMBER
from callrouter.core.conditions import Condition, DateWithin
from callrouter.core.nodes import Node
from callrouter.core.numbers import CallerList
from callrouter.dialplan.issues import Severity, shown
from callrouter.dialplan.proof.flow import certain
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.proof.hidden import hidden
from callrouter.dialplan.scope import NameScope


def check_rules(scope: NameScope, tree: Tree) -> None:
    """Lists of callers, and conditions of branches."""
    asking = [tree.nodes[name] for name, about in tree.about.items() if about.reads.lists]
    if asking:
        _check_lists(scope, tree, asking)
    for name, about in tree.about.items():
        if len(about.reads.conditions) > 1:
            _check_conditions(scope, tree.nodes[name], about.reads.conditions)


def check_seasons(scope: NameScope, tree: Tree, today: date) -> None:
    """Conditions on days that are over: no call goes there any more, and the client believes that some do."""
    for name, about in tree.own.asking.items():
        for index, condition in enumerate(about.reads.conditions):
            if isinstance(condition, DateWithin) and condition.spans and condition.spans[-1][1] < today:
                last = condition.spans[-1][1].isoformat()
                wrong = f"condition {index + 1} is over: its last day was {last}; take it out, or is the year right?"
                scope.fail(wrong, "nodes", name, tree.nodes[name].kind, "when", index, dated=True)


def _check_lists(scope: NameScope, tree: Tree, asking: Sequence[Node]) -> None:
    """Each list, against those asked before it in the same node, and in nodes that every call has passed.

    What is certain after an exit: the lists that were asked, and do not hold the caller. Of a node that calls reach
    in several languages it must be certain in all of them; and another client's lists are for that client's own
    callers, whatever was asked of those who are led there.
    """
    asked = {node.name: tree.about[node.name].reads.lists for node in asking}
    lists = list({id(one): one for of_node in asked.values() for one in of_node}.values())
    place = {id(one): bit for bit, one in enumerate(lists)}

    refused: dict[str, dict[str, int]] = {}
    for node in asking:
        bits = 0
        ways = refused.setdefault(node.name, {})
        for callers in asked[node.name]:
            ways[f"list:{callers.name}"] = bits
            bits |= 1 << place[id(callers)]
        ways["otherwise"] = bits
    before = certain(tree, refused) if len(asking) > 1 else {}
    everywhere: dict[str, int] = {}
    for name, known in before.items():
        written = _written(name)
        everywhere[written] = everywhere.get(written, known) & known
    for node in asking:
        if node.name.startswith(tree.foreign):
            continue
        known = everywhere.get(_written(node.name), 0)
        earlier = [(one, "") for bit, one in enumerate(lists) if known >> bit & 1]
        for callers in asked[node.name]:
            # A list that leads nowhere gives its callers something that no other does: a priority.
            target = node.exits.get(f"list:{callers.name}", f"list:{callers.name}")
            against = [one for one, leads in earlier if leads != target]
            if found := _hidden(callers, against):
                _blame_hidden(scope, node, callers, found, whole=_all_hidden(callers, against))
            earlier.append((callers, target))


def _written(name: str) -> str:
    """A node as it was written, in whichever language calls reach it."""
    return name.partition("@")[0]


def _blame_hidden(
    scope: NameScope, node: Node, callers: CallerList, found: tuple[str, str, str], *, whole: bool
) -> None:
    entry, holder, by = found
    mend = f"ask {shown(callers.name)} first"
    if whole:
        wrong = f"list {shown(callers.name)} never decides: list {shown(holder)}, asked before, holds all of it; {mend}"
    elif entry == by:
        # Either list may be meant to decide: the mends contradict each other, and the first list does decide.
        wrong = f"{entry} of list {shown(callers.name)} stands in list {shown(holder)} too, which is asked before"
        scope.fail(wrong, "nodes", node.name, node.kind, callers.name, severity=Severity.NOTE)
        return
    else:
        wrong = f"{entry} of list {shown(callers.name)} never gets here: {by} of list {shown(holder)} is asked before"
        wrong += f"; {mend}"
    scope.fail(wrong, "nodes", node.name, node.kind, callers.name)


def _hidden(callers: CallerList, earlier: Iterable[CallerList]) -> tuple[str, str, str] | None:
    """The first entry that an earlier list holds already, that list, and the entry of it that does.

    One that a beginning holds comes before one that stands in both.
    """
    both: tuple[str, str, str] | None = None
    for entry in _entries(callers):
        for one in earlier:
            if by := _holds(one, entry):
                if by != entry:
                    return entry, one.name, by
                both = both or (entry, one.name, by)
    return both


def _all_hidden(callers: CallerList, earlier: list[CallerList]) -> bool:
    return all(any(_holds(one, entry) for one in earlier) for entry in _entries(callers))


def _entries(callers: CallerList) -> tuple[str, ...]:
    """As they are compared: E.164, beginnings with a star."""
    prefixes = (f"{prefix}*" for prefix in callers.prefixes)
    return (*sorted(callers.numbers), *prefixes, *sorted(one.value for one in callers.without_number))


def _holds(callers: CallerList, entry: str) -> str:
    """The entry of a list that holds all callers of an entry, or an empty string."""
    if entry in WITHOUT_NUMBER:
        return entry if entry in callers.without_number else ""
    if entry in callers.numbers:
        return entry
    beginning = entry.removesuffix("*")
    return next((f"{prefix}*" for prefix in callers.prefixes if beginning.startswith(prefix)), "")


def _check_conditions(scope: NameScope, node: Node, conditions: Sequence[Condition]) -> None:
    for index, condition in enumerate(conditions):
        target = node.exits.get(f"when:{index}")
        # Earlier ones that lead to the same node take nothing away.
        earlier = [
            (place, other)
            for place, other in enumerate(conditions[:index])
            if node.exits.get(f"when:{place}") != target
        ]
        if wrong := _conflict(condition, earlier):
            scope.fail(f"condition {index + 1} {wrong}", "nodes", node.name, node.kind, "when", index)


def _conflict(condition: Condition, earlier: Sequence[tuple[int, Condition]]) -> str:
    """What is wrong between a condition and earlier ones, or an empty string."""
    if found := hidden(condition, earlier):
        return f"never decides: {found.why} {_conditions(found.by)}"
    for place, other in earlier:
        if isinstance(condition, DateWithin) and isinstance(other, DateWithin):
            # What has no year of its own is meant to go before what is more general: holidays before school holidays.
            dated = not condition.written and not other.written
            day = condition.first_shared(other) if dated and not other.within(condition) else None
            if day is not None:
                return f"claims {day.isoformat()}, which is claimed already by {_conditions((place,))}"
    return ""


def _conditions(places: Sequence[int]) -> str:
    *most, last = [str(place + 1) for place in places]
    return f"conditions {', '.join(most)} and {last}" if most else f"condition {last}"
