"""The fallback: Asterisk alone must be able to follow it, when no engine takes a call.

Asterisk's own dialplan can put a caller in a queue, ring a number, or say that nobody can answer; it knows nothing of
the other nodes (`asterisk.provision`, and `[callrouter-fallback]` of extensions.conf).
"""

from __future__ import annotations

from callrouter.core.nodes import QueueNode
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import Scope

_ALONE = frozenset({"queue", "redirect", "hangup", "reject"})
"""Verbs that Asterisk can stand in for; for the last two it says a sentence of its own."""


def check_fallback(scope: Scope, tree: Tree) -> None:
    """What the fallback leads to must work without the engine."""
    node = tree.nodes.get(tree.fallback)
    if node is None:
        return
    if node.kind not in _ALONE:
        article = "an" if node.kind[0] in "aeiou" else "a"
        scope.fail(
            f"fallback: node {shown(node.name)} is {article} {node.kind}, which Asterisk cannot do without the engine:"
            " name a queue, a number, or a node that is a queue, redirect, hangup or reject",
            "fallback",
        )
    elif isinstance(node, QueueNode):
        queue = scope.shared.queues.get(node.queue)
        if queue is not None and not queue.members:
            wrong = f"fallback: queue {shown(node.queue)} has no members: without the engine nobody would ever answer"
            scope.fail(wrong, "fallback")
