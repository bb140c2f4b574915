"""What Asterisk alone makes of a fallback, when no engine takes a call or control of it was lost.

Its own dialplan (`[callrouter-fallback]` of extensions.conf) can put a caller into a queue, ring a number, or say that
nobody can answer. The proof refuses a fallback that is none of these, and `asterisk.provision` publishes the others.
"""

from __future__ import annotations

from callrouter.core.effects import EnterQueue
from callrouter.core.nodes._base import Node
from callrouter.core.nodes.about import Family

CLOSED = "closed"
"""A sentence that nobody can answer, and the end."""


def alone(node: Node) -> str:
    """`queue:medical` (or a queue derived from it), `number:+33140000099` or `closed`; empty where Asterisk can do
    nothing like it.
    """
    about = node.about()
    if about.family in (Family.ENDS, Family.REFUSES):
        return CLOSED
    for effect in about.does:
        if isinstance(effect, EnterQueue):
            return f"queue:{effect.pbx_queue}"
    numbers = [ring.whom for ring in about.uses.rings if isinstance(ring.whom, str)]
    return f"number:{numbers[0]}" if numbers else ""
