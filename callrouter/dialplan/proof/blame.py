"""Issues about nodes. The scope knows the place of each: an included node's is in the snippet's file."""

from __future__ import annotations

from callrouter.core.nodes import Node
from callrouter.dialplan.issues import Severity
from callrouter.dialplan.scope import Scope


def blame(
    scope: Scope,
    node: Node,
    message: str,
    *path: str | int,
    suggestion: str = "",
    severity: Severity = Severity.ERROR,
) -> None:
    """Note what is wrong with a node; `path` leads on from its name (`menu`, `keys`, `1`)."""
    scope.fail(message, "nodes", node.name, *path, suggestion=suggestion, severity=severity)
