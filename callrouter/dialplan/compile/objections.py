"""The key by which callers object to being recorded: told once a call, it must be the same throughout."""

from __future__ import annotations

from collections.abc import Mapping

from callrouter.core.nodes import QueueNode
from callrouter.core.nodes._base import Node
from callrouter.dialplan.scope import Scope


def check_objections(scope: Scope, nodes: Mapping[str, Node]) -> None:
    """Refuse recorded queues of one client that differ in it, or in which it leaves the line."""
    recorded = [
        (name, node)
        for name, node in nodes.items()
        if isinstance(node, QueueNode) and node.objection and name in scope.written
    ]
    for name, node in recorded[1:]:
        first, key = recorded[0][0], recorded[0][1].objection
        where = ("nodes", name, "queue")
        if node.objection != key:
            wrong = (
                f"record.objection: {node.objection} here, {key} in {first}: callers are told of one key, once a call"
            )
            scope.fail(wrong, *where, "record", "objection")
        elif key in node.keys:
            scope.fail(f"keys: {key} objects to being recorded in {first}", *where, "keys", key)
