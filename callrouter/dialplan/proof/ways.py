"""Exits and ways: every exit leads to a node, every node is reached, every way ends, and none goes round for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from callrouter.core.effects import Record
from callrouter.core.nodes.about import About, Family, LeftBy
from callrouter.core.plan import MAX_MESSAGES, MAX_VISITS, MAX_VISITS_WITHOUT_WAIT
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.proof.graph import Tree, in_words, is_at_once, reach, way_round
from callrouter.dialplan.scope import NameScope

MAX_NODES_WITHOUT_KEY = MAX_VISITS // 4
"""Nodes a call may pass from one key to the next: whoever makes three choices stays below a call's bound."""


def check_targets(scope: NameScope, nodes: Collection[str]) -> None:
    """Every exit must lead to a node that was written (right or wrong)."""
    for leads in scope.wrong_exits:
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


def check_whole(scope: NameScope, tree: Tree) -> None:
    """Every exit of every node, wherever it was written, leads to a node of the tree.

    `check_targets` has said so of the client's own, in better words. This holds the promise whatever an assembly does:
    a call that left by another exit would be lost.
    """
    for name, node in tree.nodes.items():
        if len(tree.leads[name]) < len(node.exits) and not name.startswith(tree.foreign):
            for way, target in node.exits.items():
                if target not in tree.nodes:
                    wrong = f"exit {shown(way)} leads to {shown(target)}, which is no node of the whole tree"
                    scope.fail(wrong, "nodes", node.name, suggestion=closest(target, tree.nodes))


def check_reached(scope: NameScope, tree: Tree) -> None:
    """Every node must be one a call can reach; of those that none can, the ones are named that the others hang on."""
    if len(tree.reached) == len(tree.nodes):
        return
    lost = {name: node for name, node in tree.nodes.items() if name not in tree.reached}
    led = {target for name in lost for target in tree.leads[name] if target != name}
    told: set[str] = set()
    # First what nothing leads to; then what is left goes round, and one of each round stands for it.
    for name, node in sorted(lost.items(), key=lambda one: one[0] in led):
        if name in told:
            continue
        hang_on = reach((name,), tree.leads) - tree.reached - {name}
        more = ", nor what only it leads to" if hang_on - told else ""
        told |= {name, *hang_on}
        where = "nothing leads here from the start" if name in led else "nothing leads here"
        scope.fail(f"{where}: no call can reach this node{more}", "nodes", node.name)


def check_loops(scope: NameScope, tree: Tree) -> None:
    """A way back to the same node must pass one that waits, and must need a caller who presses a key that leads on."""
    if tree.backwards or not tree.nodes:
        return
    reported: set[str] = set()
    for passes, who in _PASSAGES:

        def follow(name: str, passes: Passes = passes) -> Iterable[str]:
            exits = tree.nodes[name].exits
            return (exits[way] for way in passes(tree.about[name]) if exits[way] in tree.nodes)

        for name in tree.nodes:
            if name in reported:
                continue
            loop = way_round(name, follow)
            if loop and reported.isdisjoint(loop):
                reported.update(loop)
                wrong = f"{who(tree, loop)}: {in_words((*loop, loop[0]))}{_no_end(tree, loop)}"
                scope.fail(wrong, "nodes", name)


def _no_end(tree: Tree, loop: tuple[str, ...]) -> str:
    """Said besides where not even a key leads to an end."""
    whole = all(target in tree.nodes for name in loop for target in tree.nodes[name].exits.values())
    return "; no way out of it ends the call" if whole and tree.ends.isdisjoint(reach(loop, tree.leads)) else ""


def _left_by(about: About, *reasons: LeftBy) -> tuple[str, ...]:
    """The exits that one of these alone may take a call out by."""
    return tuple(way for way, by in about.left_by.items() if any(reason in by for reason in reasons))


def _at_once(about: About) -> Iterable[str]:
    """Exits taken without waiting, and without asking for anybody."""
    return () if about.family is Family.REACHES else _left_by(about, LeftBy.NOTHING)


def _by_silence(about: About) -> Iterable[str]:
    """Exits a caller takes who does nothing at all, and whom nobody is asked to answer."""
    return _left_by(about, LeftBy.SILENCE) or _left_by(about, LeftBy.TIME) or _at_once(about)


def _by_wrong_keys(about: About) -> Iterable[str]:
    """Exits a caller takes who only ever presses what means nothing."""
    return _left_by(about, LeftBy.WRONG_KEYS) or _by_silence(about)


def _idle(about: About) -> Iterable[str]:
    """Every exit that needs no key which leads on."""
    return (way for way, by in about.left_by.items() if by is not LeftBy.KEY)


def _unanswered(tree: Tree, loop: tuple[str, ...]) -> str:
    if any(tree.about[name].family is Family.REACHES for name in loop):
        return "a caller whom nobody answers, or who stays on the line, goes round without end"
    return "a caller who presses no key that leads on goes round without end"


Passes = Callable[[About], Iterable[str]]
Words = Callable[[Tree, tuple[str, ...]], str]
_PASSAGES: tuple[tuple[Passes, Words], ...] = (
    (_at_once, lambda tree, loop: "the tree goes round without waiting for anybody"),
    (_by_silence, lambda tree, loop: "a caller who presses nothing goes round without end"),
    (_by_wrong_keys, lambda tree, loop: "a caller who presses wrong keys goes round without end"),
    (_idle, _unanswered),
)
"""From the plainest to all of them; a way round is reported once."""


def longest_ways(tree: Tree) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """From each node on, as long as no key is pressed: nodes passed at once, nodes passed, messages taken.

    For a tree in which no idle way goes round. A caller who presses k keys passes at most k + 1 times the longest.
    """
    at_once: dict[str, int] = {}
    passed: dict[str, int] = {}
    messages: dict[str, int] = {}
    for name in tree.backwards:
        about, following = tree.about[name], tree.idle[name]
        passed[name] = 1 + max([passed[to] for to in following], default=0)
        messages[name] = _messages(about) + max([messages[to] for to in following], default=0)
        if is_at_once(about):
            at_once[name] = 1 + max([at_once.get(to, 0) for to in following], default=0)
    return at_once, passed, messages


def _messages(about: About) -> int:
    """Messages that are taken there."""
    return sum([isinstance(effect, Record) for effect in about.does]) if about.family is Family.KEEPS else 0


def check_lengths(scope: NameScope, tree: Tree) -> None:
    """No way may be longer than a call can go: the engine would end it as failed."""
    small = len(tree.nodes) < min(MAX_VISITS_WITHOUT_WAIT, MAX_NODES_WITHOUT_KEY)
    few = sum([_messages(about) for about in tree.about.values()]) <= MAX_MESSAGES
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
            scope.fail(wrong, "nodes", name)
