"""Other systems that want to know what happens to a client's calls and messages: which, what of it, and where they are
told.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Kind(StrEnum):
    """What happens, as subscriptions call it; those that are also events of the live stream are called so there."""

    CALL_ENDED = "call.ended"
    """A call is over; told again where its record is corrected."""
    CALL_ABANDONED = "call.abandoned"
    """The same of a call that entered human service and ended before anybody answered."""
    MESSAGE_TAKEN = "message.taken"
    MESSAGE_ACKNOWLEDGED = "message.acknowledged"
    MESSAGE_OVERDUE = "message.overdue"
    """It stands on the agents' list: nobody has acknowledged it in time, or nobody could be told."""
    CALLBACK_ASKED = "callback.asked"
    CALLBACK_SETTLED = "callback.settled"
    DAY_FIGURES = "day.figures"
    """A day's figures, a quarter of an hour after it is over; told again where they change."""

    @property
    def versioned(self) -> str:
        """The `type` of what is posted: `message.taken.v1`."""
        return f"{self.value}{VERSION}"


VERSION: Final = ".v1"
"""Of all kinds. A change that a reader must know makes another one beside it, which a subscription has to name."""


class Subscription(Struct, frozen=True, kw_only=True):
    """One system of a client's."""

    name: str
    """As the client's file calls it."""
    url: str
    secret: str = ""
    """Name of the secret (`env:CRM` is CRM) that what is posted is signed with; empty: it is not signed."""
    kinds: tuple[Kind, ...]
    line: int = 0
    """Where it is written in the client's file."""
