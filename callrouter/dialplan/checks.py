"""Findings that need the whole tree: where exits lead, what is never reached, what goes round without waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from callrouter.core.nodes import (
    AnswerNode,
    BranchNode,
    CallerNode,
    CollectDigitsNode,
    MenuNode,
    MessageNode,
    Node,
    OpeningHoursNode,
    PlayNode,
    SetNode,
)
from callrouter.core.plan import MAX_VARIABLES_LENGTH, variables_length
from callrouter.dialplan.issues import Issue, closest, shown
from callrouter.dialplan.scope import Scope


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


def check_reached(scope: Scope, nodes: Mapping[str, Node], starts: Collection[str]) -> None:
    """Every node must be one a call can come to."""
    reached: set[str] = set()
    waiting = [name for name in starts if name in nodes]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(target for target in nodes[name].exits.values() if target in nodes)
    for name in nodes:
        if name not in reached:
            scope.fail("nothing leads here: no call can come to this node", "nodes", name)


def check_loops(scope: Scope, nodes: Mapping[str, Node]) -> None:
    """A way back to the same node must pass one that waits, and must need a caller who does something sensible."""
    reported: set[str] = set()
    for passes, who in _PASSAGES:
        for name in nodes:
            loop = _loop_from(name, nodes, passes)
            if loop and reported.isdisjoint(loop):
                reported.update(loop)
                scope.fail(f"{who}: {' → '.join((*loop, loop[0]))}", "nodes", name)


def _loop_from(start: str, nodes: Mapping[str, Node], passes: Passes) -> tuple[str, ...]:
    """A way from a node back to itself by the exits that `passes` names, or nothing."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        node = nodes.get(name)
        for exit_name in passes(node) if node else ():
            target = node.exits[exit_name] if node else ""
            if target == start:
                way = [name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return ()


def _at_once(node: Node) -> Iterable[str]:
    """Exits taken without waiting: a prompt that keys cut short is no wait, since a key may be there already."""
    decides = isinstance(node, OpeningHoursNode | CallerNode | BranchNode | SetNode | AnswerNode)
    return node.exits if decides or (isinstance(node, PlayNode) and node.interruptible) else ()


def _by_silence(node: Node) -> Iterable[str]:
    """Exits a caller takes who does nothing at all."""
    match node:
        case MenuNode() | CollectDigitsNode():
            return ("no_input",)
        case MessageNode():
            return ("empty",) if "empty" in node.exits else ("done",)
        case PlayNode():
            return node.exits
        case _:
            return _at_once(node)


def _by_wrong_keys(node: Node) -> Iterable[str]:
    """Exits a caller takes who only ever presses what means nothing."""
    return ("no_match",) if isinstance(node, MenuNode | CollectDigitsNode) else _by_silence(node)


Passes = Callable[[Node], Iterable[str]]
_PASSAGES: tuple[tuple[Passes, str], ...] = (
    (_at_once, "the tree goes round without waiting for anybody"),
    (_by_silence, "a caller who presses nothing goes round without end"),
    (_by_wrong_keys, "a caller who presses wrong keys goes round without end"),
)


def check_variables(scope: Scope, nodes: Mapping[str, Node]) -> None:
    """A call carries its variables, so they are bounded together."""
    found = variables_length(nodes.values())
    if found > MAX_VARIABLES_LENGTH:
        scope.fail(
            f"the tree's variables may take {found} characters, names and longest values together;"
            f" a call can carry {MAX_VARIABLES_LENGTH}: use fewer, or shorter ones",
            "nodes",
        )
