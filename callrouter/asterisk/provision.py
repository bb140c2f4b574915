"""What the PBX must know to serve alone, pushed to it after each log-in and each reload; idempotent.

`callrouter/fallback/<did>` in AstDB is `queue:<name>`, `number:<digits>` or `closed`: extensions.conf follows it when
no engine takes a call, or control of it was lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from callrouter.asterisk.link import AmiLink
from callrouter.core.nodes import QueueNode, RedirectNode
from callrouter.core.plan import Plan

FAMILY = "callrouter/fallback"


def fallback_of(plan: Plan) -> str:
    """What Asterisk's own dialplan can do of a plan's fallback."""
    match plan.nodes.get(plan.fallback):
        case QueueNode(queue=queue):
            return f"queue:{queue}"
        case RedirectNode(number=number):
            return f"number:{number}"
        case _:
            return "closed"


def publish_fallbacks(link: AmiLink, plans: Iterable[Plan]) -> None:
    """Write every client's fallback for each of its numbers, in the forms a trunk may send them."""
    batch = link.batch()
    for plan in plans:
        value = fallback_of(plan)
        for did in plan.numbers:
            # Asterisk looks the number up as it was dialled: with + or without.
            for key in (did, did.removeprefix("+")):
                batch.post("DBPut", {"Family": FAMILY, "Key": key, "Val": value}, about=key)
    batch.write()
