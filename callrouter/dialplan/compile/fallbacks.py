"""The node a call goes to when something cannot be done."""

from __future__ import annotations

from collections.abc import Collection

from callrouter.core import numbers
from callrouter.core.nodes import HangupNode, Node, QueueNode, RedirectNode
from callrouter.dialplan.documents.client_file import ClientFile, FallbackBlock
from callrouter.dialplan.issues import Severity, closest, shown
from callrouter.dialplan.language.own_texts import FALLBACK_BYE
from callrouter.dialplan.scope import NameScope

FALLBACK = "(fallback)"
FALLBACK_BYE_NODE = "(fallback bye)"
"""Names no document can write."""
FALLBACK_WAIT_SECONDS = 180.0


def fallback_of(scope: NameScope, file: ClientFile, written: Collection[str]) -> tuple[str, dict[str, Node]]:
    """The node a call goes to when something cannot be done, and the nodes that are made for it."""
    block = file.fallback
    if block is None:
        scope.fail(
            '"fallback" is missing: without it a caller hears nothing more when something fails;'
            " write { queue: … }, { number: … } or { node: … }",
            severity=Severity.WARNING,
        )
        return "", {}
    if block.node is not None:
        if block.node not in written:
            wrong = f"fallback: node {shown(block.node)} does not exist"
            scope.fail(wrong, "fallback", "node", suggestion=closest(block.node, written))
        return block.node, {}
    line = scope.document.line("fallback")
    sounds = scope.own_voice(FALLBACK_BYE, "fallback")
    bye = HangupNode(name=FALLBACK_BYE_NODE, line=line, sounds=sounds)
    first = _first(scope, block, line, bye.name)
    return (FALLBACK, {first.name: first, bye.name: bye}) if first else ("", {})


def _first(scope: NameScope, block: FallbackBlock, line: int, bye: str) -> Node | None:
    """A team's queue or a number; None when the number is none."""
    if block.queue is not None:
        preference = scope.line_of(block.queue, "fallback", "queue")
        return QueueNode(
            name=FALLBACK,
            line=line,
            exits={"overflow": bye},
            queue=block.queue,
            max_wait_seconds=FALLBACK_WAIT_SECONDS,
            preference=preference,
        )
    number = numbers.written(block.number or "", scope.country)
    if number is None:
        wrong = f"fallback: {shown(block.number)} {numbers.wrong_number(block.number or '', scope.country)}"
        scope.fail(wrong, "fallback", "number")
        return None
    scope.may_dial(number, "fallback", "number", who="fallback")
    return RedirectNode(name=FALLBACK, line=line, exits={"failed": bye}, number=number)
