"""Issues about nodes: at their own place, which for an included node is the snippet's or another client's file."""

from __future__ import annotations

from callrouter.core.nodes import Node
from callrouter.dialplan.issues import Issue, Severity
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
    if not node.source:
        scope.fail(message, "nodes", node.name, *path, suggestion=suggestion, severity=severity)
        return
    scope.issues.append(
        Issue(
            file=node.source,
            line=node.line,
            node=node.name,
            field=".".join(str(part) for part in path),
            message=f"{message} (included at {node.included_at})" if node.included_at else message,
            suggestion=suggestion,
            severity=severity,
        )
    )
