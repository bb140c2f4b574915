"""Who we are when we call out: the number that whoever is rung sees, and who is said to have forwarded the call.

A carrier lets us show our own number, and others only where it has agreed to it: a client's, for which French law asks
for a mandate, or the caller's, which is not ours to vouch for and which a carrier may refuse. What ours takes stands in
`shared/trunk.yaml`, what a client wants in its own file; `dialplan.shared.identities` makes an `Identity` of both.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Struct

from callrouter.core.call import CallerId


class Shows(StrEnum):
    """Whose number is shown."""

    OPERATOR = "operator"
    CLIENT = "client"
    CALLER = "caller"


class Forwarding(StrEnum):
    """How the carrier wants to be told that a call was forwarded, and by which number."""

    NONE = "none"
    """Not at all."""
    DIVERSION = "diversion"
    """RFC 5806."""
    HISTORY_INFO = "history_info"
    """RFC 7044, with the cause of RFC 4458."""


class Identity(Struct, frozen=True, kw_only=True):
    """What one client's calls to outside numbers say of who calls."""

    shows: Shows
    number: str
    """E.164: the operator's or the client's own; with `caller`, what is shown of callers who show none."""
    forwarding: Forwarding = Forwarding.NONE
    mandate: date | None = None
    """Since when the client lets us show its number."""

    def __str__(self) -> str:
        """Whose number is shown, and in which header the number dialled, for a person."""
        whose = f"the {self.shows}'s number"
        number = f"{whose}, or {self.number}" if self.shows is Shows.CALLER else f"{whose} ({self.number})"
        named = {Forwarding.DIVERSION: "Diversion", Forwarding.HISTORY_INFO: "History-Info"}.get(self.forwarding)
        return f"{number}, with {named}" if named else number

    def presented(self, caller: CallerId, did: str) -> Presented:
        """What a call of this caller to one of the client's numbers shows when it goes on to somebody outside."""
        own = caller.number if self.shows is Shows.CALLER and not caller.without_number else None
        number = own if own is not None and _is_whole(own) else self.number
        forwarded_by = did if self.forwarding is not Forwarding.NONE and _is_whole(did) else ""
        return Presented(number=number, forwarded_by=forwarded_by, forwarding=self.forwarding)


class Presented(Struct, frozen=True, kw_only=True, gc=False):
    """What one call to an outside number shows."""

    number: str
    """E.164."""
    forwarded_by: str = ""
    """E.164: the number that the caller dialled; empty: nobody is named."""
    forwarding: Forwarding = Forwarding.NONE


def _is_whole(number: str) -> bool:
    """Whether it is an international number: a short one, or one that did not normalise, is nobody's identity."""
    return number[:1] == "+" and number[1:].isascii() and number[1:].isdecimal()
