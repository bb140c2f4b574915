"""Findings that need the whole tree: where exits lead, what is never reached, what goes round without waiting."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from callrouter.core.nodes import (
    AnswerNode,
    BranchNode,
    CallerNode,
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
    """A way back to the same node must pass one that waits for the caller, an agent or a telephone."""
    reported: set[str] = set()
    for name in nodes:
        loop = _loop_from(name, nodes)
        if loop and not reported & set(loop):
            reported.update(loop)
            way = " → ".join((*loop, loop[0]))
            scope.fail(f"the tree goes round without waiting for anybody: {way}", "nodes", name)


def _loop_from(start: str, nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """A way from a node back to itself through nodes that do not wait, or nothing."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for target in _passed_at_once(nodes.get(name)):
            if target == start:
                way = [name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return tuple(reversed(way))
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return ()


def _passed_at_once(node: Node | None) -> Iterator[str]:
    """Where a call may go on to at once: a prompt that keys cut short is no wait, since a key may be there already."""
    if isinstance(node, OpeningHoursNode | CallerNode | BranchNode | SetNode | AnswerNode) or (
        isinstance(node, PlayNode) and node.interruptible
    ):
        yield from node.exits.values()


def check_variables(scope: Scope, nodes: Mapping[str, Node]) -> None:
    """A call carries its variables, so they are bounded together."""
    found = variables_length(nodes.values())
    if found > MAX_VARIABLES_LENGTH:
        scope.fail(
            f"the tree's variables may take {found} characters, names and longest values together;"
            f" a call can carry {MAX_VARIABLES_LENGTH}: use fewer, or shorter ones",
            "nodes",
        )
