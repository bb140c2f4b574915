"""What it costs a caller to get through: keys before a human, the length of the greeting, the way in an emergency.

All of it is advice: a tree that annoys its callers is served all the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence

from callrouter.core.conditions import Condition, DateWithin, DidIs
from callrouter.core.nodes import Node
from callrouter.core.nodes.about import About, Family, LeftBy
from callrouter.dialplan.issues import Severity, closest, shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import NameScope

MOST_KEYS = 8
"""Keys a willing caller presses before somebody is called: a number of a file and a choice, but not two of each."""

LONGEST_GREETING_SECONDS = 20.0
"""What may be said to a caller before they can choose, be put through or speak."""

Cost = tuple[int, float]
"""Keys, then seconds of listening."""


def check_effort(scope: NameScope, tree: Tree, emergency: Collection[str]) -> None:
    """Warn of what callers complain about."""
    _check_own_option(scope, tree)
    _check_greeting(scope, tree)
    if not emergency and _all_keys(tree) <= MOST_KEYS:
        return
    found = _efforts(tree)
    for name, (keys, _) in found.items():
        if keys > MOST_KEYS and tree.about[name].family is Family.REACHES:
            wrong = (
                f"a caller presses at least {keys} keys before somebody is called here; more than {MOST_KEYS} are many"
            )
            scope.fail(wrong, "nodes", name, name="many-keys")
    _check_emergency(scope, tree, emergency)


def _all_keys(tree: Tree) -> int:
    """The keys of a caller who is asked every question of the tree once: no way to a human takes more."""
    return sum(about.effort.keys for about in tree.about.values())


def _check_own_option(scope: NameScope, tree: Tree) -> None:
    for name, node in tree.nodes.items():
        for way, target in node.exits.items():
            if target == name and way.startswith("key:"):
                key = way.removeprefix("key:")
                wrong = f"key {shown(key)} leads back to this menu: the caller hears it all again"
                scope.fail(wrong, "nodes", name, node.kind, "keys", key, severity=Severity.WARNING)


def _check_greeting(scope: NameScope, tree: Tree) -> None:
    """The longest that is said before the first question, human or message; a menu's own question counts."""
    if not tree.backwards or tree.start not in tree.nodes:
        return
    heard = {tree.start: 0.0}
    longest, where = 0.0, ""
    for name in reversed(tree.backwards):
        if (before := heard.get(name)) is None:
            continue
        about = tree.about[name]
        seconds = before + about.effort.seconds
        if seconds > longest:
            longest, where = seconds, name
        if not _stops(about):
            for target in tree.idle[name]:
                heard[target] = max(seconds, heard.get(target, 0.0))
    if longest > LONGEST_GREETING_SECONDS:
        wrong = (
            f"a caller has been listening for {longest:.0f} s here before they can do anything:"
            f" a greeting of more than {LONGEST_GREETING_SECONDS:.0f} s is hung up on"
        )
        scope.fail(wrong, "nodes", where, name="long-greeting")


_UNWILLING = (LeftBy.SILENCE, LeftBy.WRONG_KEYS, LeftBy.SILENCE | LeftBy.WRONG_KEYS)
"""How a caller leaves who does not answer."""

_HEARD_OUT = (LeftBy.NOTHING, LeftBy.TIME, LeftBy.NOTHING | LeftBy.TIME)
"""What does not end a greeting."""


def _stops(about: About) -> bool:
    """Whether a greeting is over at this node: a question, a human, a recording, a web service, the end."""
    by = about.left_by.values()
    return about.family is Family.REACHES or not by or any(one not in _HEARD_OUT for one in by)


def _hours_of(tree: Tree, names: Collection[str]) -> dict[str, frozenset[str]]:
    """By node that asks for the hour, the day or the number dialled: the exits by which one of these nodes can be
    reached, where only some are.
    """
    reaching = set(names)
    waiting = list(names)
    while waiting:
        target = waiting.pop()
        for name, leads in tree.leads.items():
            if target in leads and name not in reaching:
                reaching.add(name)
                waiting.append(name)
    found: dict[str, frozenset[str]] = {}
    for name, about in tree.about.items():
        exits = tree.nodes[name].exits
        parted = exits.keys() if about.reads.hours else _parted(about.reads.conditions)
        if parted and any(target in reaching for target in exits.values()):
            there = frozenset(way for way, target in exits.items() if way not in parted or target in reaching)
            if len(there) < len(exits):
                found[name] = there
    return found


def _parted(conditions: Sequence[Condition]) -> Collection[str]:
    """Exits that calls of another day, or to another number, take: the others never could."""
    apart = [index for index, one in enumerate(conditions) if isinstance(one, DateWithin | DidIs)]
    others = ("otherwise",) if len(apart) == len(conditions) else ()
    return {*others, *(f"when:{index}" for index in apart)} if apart else ()


_AT_ANY_HOUR: Mapping[str, frozenset[str]] = {}


def _efforts(tree: Tree, hours: Mapping[str, frozenset[str]] = _AT_ANY_HOUR) -> dict[str, Cost]:
    """By node: the least a caller whom no list knows, and who answers every question, must do to reach it.

    After a human nothing counts; no node is passed twice on such a way. `hours`: the exits that are open at the time.
    """
    found: dict[str, Cost] = {}
    waiting: list[tuple[Cost, str]] = [((0, 0.0), tree.start)] if tree.start in tree.nodes else []
    while waiting:
        cost, name = heapq.heappop(waiting)
        if name in found:
            continue
        found[name] = cost
        node = tree.nodes[name]
        about = tree.about[name]
        if about.family is not Family.REACHES:
            for target, keys, seconds in _steps(node, about, hours.get(name)):
                if target in tree.nodes and target not in found:
                    heapq.heappush(waiting, ((cost[0] + keys, cost[1] + seconds), target))
    return found


def _steps(node: Node, about: About, hours: Collection[str] | None) -> Iterator[tuple[str, int, float]]:
    """Where a willing caller goes on to, the keys it takes, and the seconds."""
    for way, target in node.exits.items():
        if hours is not None and way not in hours:
            continue
        by = about.left_by[way]
        if by not in _UNWILLING and not way.startswith("list:"):
            yield target, about.effort.keys if by is LeftBy.KEY else 0, about.effort.seconds


def _check_emergency(scope: NameScope, tree: Tree, emergency: Collection[str]) -> None:
    """The way to help must not be longer than the shortest way to anybody else, for calls that it is open to."""
    nodes = {name: [one for one in tree.nodes if _stands_for(one, name)] for name in emergency}
    helping = {one for names in nodes.values() for one in names}
    for index, (name, names) in enumerate(nodes.items()):
        if not names and name not in tree.written:
            wrong = f"emergency: node {shown(name)} does not exist"
            scope.fail(wrong, "emergency", index, suggestion=closest(name, tree.written))
        found = _efforts(tree, _hours_of(tree, names))
        humans = (one for one in found if tree.about[one].family is Family.REACHES)
        others = [(found[one], one) for one in humans if one not in helping]
        other, who = min(others, default=((0, 0.0), ""))
        costs = [found[one] for one in names if one in found]
        if costs and others and _is_longer(min(costs), other):
            wrong = (
                f"emergency: {shown(name)} takes {_in_words(min(costs))}, but {_in_words(other)} are enough to reach"
                f" {shown(who)}: put it first"
            )
            scope.fail(wrong, "emergency", index, severity=Severity.WARNING)


def _stands_for(node: str, written: str) -> bool:
    """Whether a node of the plan is one that was written: in any language, or what it includes or leads to."""
    return node == written or node.startswith((f"{written}/", f"{written}@"))


def _is_longer(cost: Cost, than: Cost) -> bool:
    """By a key, or by a second that a caller would notice."""
    return cost[0] > than[0] or (cost[0] == than[0] and cost[1] >= than[1] + 1)


def _in_words(cost: Cost) -> str:
    keys, seconds = cost
    return f"{keys} {'key' if keys == 1 else 'keys'} and {seconds:.0f} s"
