"""Which systems are told what happens, for a person."""

from __future__ import annotations

from callrouter.core.dispatch import Subscription
from callrouter.dialplan.language.words import listed


def described(one: Subscription) -> str:
    """`https://crm.example/hooks is told of call.ended and message.taken, signed with CALLROUTER_SECRET_CRM`."""
    signed = f"signed with CALLROUTER_SECRET_{one.secret}" if one.secret else "not signed"
    return f"{one.url} is told of {listed([str(kind) for kind in one.kinds])}, {signed}"
