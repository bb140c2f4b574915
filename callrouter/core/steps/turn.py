"""What one input leads to."""

from __future__ import annotations

from msgspec import Struct

from callrouter.core import facts as fact
from callrouter.core.call import (
    Call,
)
from callrouter.core.effects import Effect


class Turn(Struct, frozen=True, kw_only=True, gc=False):
    """What one input led to."""

    call: Call
    effects: tuple[Effect, ...] = ()
    facts: tuple[fact.Fact, ...] = ()


def refuse(call: Call, reason: str) -> Turn:
    """It does not fit: nothing changes."""
    return Turn(call=call, facts=(fact.InputRefused(call=call, reason=reason),))
