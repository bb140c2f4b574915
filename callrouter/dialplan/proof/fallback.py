"""The fallback: Asterisk alone must be able to follow it, when no engine takes a call.

What Asterisk's own dialplan can do stands in `core.fallback`; it knows nothing of other nodes.
"""

from __future__ import annotations

from callrouter.core.agents.preference import team_of
from callrouter.core.fallback import Alone, ready_of
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import NameScope


def check_fallback(scope: NameScope, tree: Tree) -> None:
    """What the fallback leads to must work without the engine."""
    node = tree.nodes.get(tree.fallback)
    if node is None:
        return
    ready = ready_of(node)
    if ready is None:
        article = "an" if node.kind[0] in "aeiou" else "a"
        scope.fail(
            f"fallback: node {shown(node.name)} is {article} {node.kind}, which Asterisk cannot do without the engine:"
            " name a queue, a number, or a node that is a queue, redirect, message, hangup or reject",
            "fallback",
        )
    elif ready.does is Alone.QUEUE:
        queue = scope.shared.queues.get(team_of(ready.whom))
        if queue is not None and not queue.members:
            wrong = f"fallback: queue {shown(ready.whom)} has no members: without the engine nobody would ever answer"
            scope.fail(wrong, "fallback")
