"""Exits and ways: every exit leads to a node, every node is come to, every way ends, and none goes round for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from callrouter.core.nodes import MessageNode, Node, PlayNode
from callrouter.core.plan import MAX_MESSAGES, MAX_VISITS, MAX_VISITS_WITHOUT_WAIT
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.proof.blame import blame
from callrouter.dialplan.proof.graph import HUMAN, Tree, in_words, is_at_once, is_keyed, reach, way_round
from callrouter.dialplan.scope import Scope

MAX_NODES_WITHOUT_KEY = MAX_VISITS // 4
"""Nodes a call may pass from one key to the next: whoever makes three choices still stays within his whole life's."""


def check_targets(scope: Scope, nodes: Collection[str]) -> None:
    """Every exit must lead to a node that was written (right or wrong)."""
    for leads in scope.exits:
        if leads.target in nodes:
            continue
        scope.issues.append(
            Issue(
                file=scope.document.file,
                line=leads.line,
                node=leads.node,
                field=leads.field,
                message=f"exit {shown(leads.label)} leads to {shown(leads.target)}, which does not exist",
                suggestion=closest(leads.target, nodes),
            )
        )


def check_whole(scope: Scope, tree: Tree) -> None:
    """Every exit of every node, wherever it was written, leads to a node of the tree.

    `check_targets` has said so of the client's own, in better words. This holds the promise whatever an assembly does:
    a call that left by another exit would be lost.
    """
    for name, node in tree.nodes.items():
        if len(tree.leads[name]) < len(node.exits) and not name.startswith(tree.foreign):
            for way, target in node.exits.items():
                if target not in tree.nodes:
                    wrong = f"exit {shown(way)} leads to {shown(target)}, which is no node of the whole tree"
                    blame(scope, node, wrong, suggestion=closest(target, tree.nodes))


def check_reached(scope: Scope, tree: Tree) -> None:
    """Every node must be one a call can come to."""
    if len(tree.reached) < len(tree.nodes):
        for name, node in tree.nodes.items():
            if name not in tree.reached:
                blame(scope, node, "nothing leads here: no call can come to this node")


def check_loops(scope: Scope, tree: Tree) -> None:
    """A way back to the same node must pass one that waits, and must need a caller who presses a key that leads on."""
    if tree.backwards or not tree.nodes:
        return
    reported: set[str] = set()
    for passes, who in _PASSAGES:

        def follow(name: str, passes: Callable[[Node], Iterable[str]] = passes) -> Iterable[str]:
            node = tree.nodes[name]
            return (node.exits[way] for way in passes(node) if node.exits[way] in tree.nodes)

        for name in tree.nodes:
            if name in reported:
                continue
            loop = way_round(name, follow)
            if loop and reported.isdisjoint(loop):
                reported.update(loop)
                wrong = f"{who(tree, loop)}: {in_words((*loop, loop[0]))}{_no_end(tree, loop)}"
                blame(scope, tree.nodes[name], wrong)


def _no_end(tree: Tree, loop: tuple[str, ...]) -> str:
    """Said besides where not even a key leads to an end."""
    whole = all(target in tree.nodes for name in loop for target in tree.nodes[name].exits.values())
    return "; no way out of it ends the call" if whole and tree.ends.isdisjoint(reach(loop, tree.leads)) else ""


def _at_once(node: Node) -> Iterable[str]:
    """Exits taken without waiting."""
    if node.kind == "callback":
        return ("done",)
    return node.exits if is_at_once(node) and node.kind not in HUMAN else ()


def _by_silence(node: Node) -> Iterable[str]:
    """Exits a caller takes who does nothing at all, and whom nobody is asked to answer."""
    if "no_input" in node.exits:
        return ("no_input",)
    if isinstance(node, MessageNode):
        return ("empty",) if "empty" in node.exits else ("done",)
    return node.exits if isinstance(node, PlayNode) else _at_once(node)


def _by_wrong_keys(node: Node) -> Iterable[str]:
    """Exits a caller takes who only ever presses what means nothing."""
    return ("no_match",) if "no_match" in node.exits else _by_silence(node)


def _idle(node: Node) -> Iterable[str]:
    """Every exit that needs no key which leads on."""
    return [way for way in node.exits if not is_keyed(node, way)]


def _unanswered(tree: Tree, loop: tuple[str, ...]) -> str:
    if any(tree.nodes[name].kind in HUMAN for name in loop):
        return "a caller whom nobody answers, or who stays on the line, goes round without end"
    return "a caller who presses no key that leads on goes round without end"


Passes = Callable[[Node], Iterable[str]]
Words = Callable[[Tree, tuple[str, ...]], str]
_PASSAGES: tuple[tuple[Passes, Words], ...] = (
    (_at_once, lambda tree, loop: "the tree goes round without waiting for anybody"),
    (_by_silence, lambda tree, loop: "a caller who presses nothing goes round without end"),
    (_by_wrong_keys, lambda tree, loop: "a caller who presses wrong keys goes round without end"),
    (_idle, _unanswered),
)
"""From the plainest to all of them; a way round is told once."""


def longest_ways(tree: Tree) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """From each node on, as long as no key is pressed: nodes passed at once, nodes passed, messages taken.

    For a tree in which no idle way goes round. A caller who presses k keys passes at most k + 1 times the longest.
    """
    at_once: dict[str, int] = {}
    passed: dict[str, int] = {}
    messages: dict[str, int] = {}
    for name in tree.backwards:
        node, following = tree.nodes[name], tree.idle[name]
        passed[name] = 1 + max([passed[to] for to in following], default=0)
        messages[name] = isinstance(node, MessageNode) + max([messages[to] for to in following], default=0)
        if is_at_once(node):
            at_once[name] = 1 + max([at_once.get(to, 0) for to in following], default=0)
    return at_once, passed, messages


def check_lengths(scope: Scope, tree: Tree) -> None:
    """No way may be longer than a call can go: the engine would end it as failed."""
    small = len(tree.nodes) < min(MAX_VISITS_WITHOUT_WAIT, MAX_NODES_WITHOUT_KEY)
    few = sum(isinstance(node, MessageNode) for node in tree.nodes.values()) <= MAX_MESSAGES
    if (small and few) or not tree.backwards:
        return
    at_once, passed, messages = longest_ways(tree)
    # One more: the node the call waited in is left in the same breath.
    for found, most, what in (
        ({name: length + 1 for name, length in at_once.items()}, MAX_VISITS_WITHOUT_WAIT, "nodes without any wait"),
        (passed, MAX_NODES_WITHOUT_KEY, "nodes without pressing a key"),
        (messages, MAX_MESSAGES, "requests for a message without pressing a key"),
    ):
        name = max(found, key=found.__getitem__, default="")
        if name and found[name] > most:
            wrong = f"from here a call may pass {found[name]} {what}, {most} are the most: shorten the tree"
            blame(scope, tree.nodes[name], wrong)
