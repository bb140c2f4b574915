"""What it costs a caller to get through: keys before a human, the length of the greeting, the way in an emergency.

All of it is advice: a tree that annoys its callers is served all the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator

from callrouter.core.nodes import CollectDigitsNode, MenuNode, Node, PlayNode
from callrouter.dialplan.issues import Severity, closest, shown
from callrouter.dialplan.proof.blame import blame
from callrouter.dialplan.proof.graph import HUMAN, Tree
from callrouter.dialplan.scope import Scope

MOST_KEYS = 8
"""Keys a willing caller presses before somebody is called: a number of a file and a choice, but not two of each."""

LONGEST_GREETING_SECONDS = 20.0
"""What may be said to a caller before he can choose, be put through or speak."""

Cost = tuple[int, float]
"""Keys, then seconds of listening."""


def check_effort(scope: Scope, tree: Tree, emergency: Collection[str]) -> None:
    """Warn of what callers complain about."""
    _check_own_option(scope, tree)
    _check_greeting(scope, tree)
    if not emergency and _all_keys(tree) <= MOST_KEYS:
        return
    found = _efforts(tree)
    for name, (keys, _) in found.items():
        if keys > MOST_KEYS and tree.nodes[name].kind in HUMAN:
            wrong = (
                f"a caller presses at least {keys} keys before somebody is called here; more than {MOST_KEYS} are many"
            )
            scope.fail(wrong, "nodes", name, severity=Severity.WARNING)
    _check_emergency(scope, tree, emergency, found)


def _all_keys(tree: Tree) -> int:
    """The keys of a caller who is asked every question of the tree once: no way to a human takes more."""
    menus = sum(isinstance(node, MenuNode) for node in tree.nodes.values())
    return menus + sum(node.min_digits for node in tree.nodes.values() if isinstance(node, CollectDigitsNode))


def _check_own_option(scope: Scope, tree: Tree) -> None:
    for name, node in tree.nodes.items():
        if isinstance(node, MenuNode):
            for key in node.keys:
                if node.exits.get(f"key:{key}") == name:
                    wrong = f"key {shown(key)} leads back to this menu: the caller hears it all again"
                    blame(scope, node, wrong, "menu", "keys", key, severity=Severity.WARNING)


def _check_greeting(scope: Scope, tree: Tree) -> None:
    """The longest that is said before the first question, human or message; a menu's own question counts."""
    if not tree.backwards or tree.start not in tree.nodes:
        return
    heard = {tree.start: 0.0}
    longest, where = 0.0, ""
    for name in reversed(tree.backwards):
        if (before := heard.get(name)) is None:
            continue
        node = tree.nodes[name]
        seconds = before + _said(node)
        if seconds > longest:
            longest, where = seconds, name
        if not _stops(node):
            for target in tree.idle[name]:
                heard[target] = max(seconds, heard.get(target, 0.0))
    if longest > LONGEST_GREETING_SECONDS:
        wrong = (
            f"a caller has been listening for {longest:.0f} s here before he can do anything:"
            f" a greeting of more than {LONGEST_GREETING_SECONDS:.0f} s is hung up on"
        )
        blame(scope, tree.nodes[where], wrong, severity=Severity.WARNING)


def _stops(node: Node) -> bool:
    """Whether a greeting is over at this node: a question, a human, a recording, the end."""
    return node.kind in HUMAN or "no_input" in node.exits or node.kind in ("message", "lookup") or not node.exits


def _said(node: Node) -> float:
    """Seconds a caller listens at a node before he can do anything; prompts of messages and last words are none."""
    if isinstance(node, PlayNode | MenuNode | CollectDigitsNode):
        return sum([sound.seconds for sound in node.sounds])
    return 0.0


def _efforts(tree: Tree) -> dict[str, Cost]:
    """By node: the least a caller whom no list knows, and who answers every question, must do to come there.

    Behind a human nothing counts; no node is passed twice on such a way.
    """
    found: dict[str, Cost] = {}
    waiting: list[tuple[Cost, str]] = [((0, 0.0), tree.start)] if tree.start in tree.nodes else []
    while waiting:
        cost, name = heapq.heappop(waiting)
        if name in found:
            continue
        found[name] = cost
        node = tree.nodes[name]
        if node.kind not in HUMAN:
            for target, keys, seconds in _steps(node):
                if target in tree.nodes and target not in found:
                    heapq.heappush(waiting, ((cost[0] + keys, cost[1] + seconds), target))
    return found


def _steps(node: Node) -> Iterator[tuple[str, int, float]]:
    """Where a willing caller goes on to, the keys it takes, and the seconds."""
    seconds = _said(node)
    for way, target in node.exits.items():
        if way in ("no_input", "no_match") or way.startswith("list:"):
            continue
        if isinstance(node, CollectDigitsNode):
            yield target, node.min_digits, seconds
        else:
            yield target, int(way.startswith("key:")), seconds


def _check_emergency(scope: Scope, tree: Tree, emergency: Collection[str], found: dict[str, Cost]) -> None:
    """The way to help must not be longer than the shortest way to anybody else."""
    # What a node includes, or leads to, bears the node's name in front.
    nodes = {name: [one for one in tree.nodes if one == name or one.startswith(f"{name}/")] for name in emergency}
    helping = {one for names in nodes.values() for one in names}
    others = [(cost, name) for name, cost in found.items() if tree.nodes[name].kind in HUMAN and name not in helping]
    other, who = min(others, default=((0, 0.0), ""))
    for index, (name, names) in enumerate(nodes.items()):
        if not names and name not in tree.written:
            wrong = f"emergency: node {shown(name)} does not exist"
            scope.fail(wrong, "emergency", index, suggestion=closest(name, tree.written))
        costs = [found[one] for one in names if one in found]
        if costs and others and _is_longer(min(costs), other):
            wrong = (
                f"emergency: {shown(name)} takes {_in_words(min(costs))}, but {_in_words(other)} are enough to reach"
                f" {shown(who)}: put it first"
            )
            scope.fail(wrong, "emergency", index, severity=Severity.WARNING)


def _is_longer(cost: Cost, than: Cost) -> bool:
    """By a key, or by a second that a caller would notice."""
    return cost[0] > than[0] or (cost[0] == than[0] and cost[1] >= than[1] + 1)


def _in_words(cost: Cost) -> str:
    keys, seconds = cost
    return f"{keys} {'key' if keys == 1 else 'keys'} and {seconds:.0f} s"
