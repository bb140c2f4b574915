"""What nobody heard of those who were rung for a caller, or talk to them: by the channels that there are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callrouter.asterisk.adoption.snapshot import Found, Snapshot
from callrouter.core import inputs
from callrouter.core.call import Call, CallState, LegPurpose

_PARTIES = (LegPurpose.AGENT, LegPurpose.CONTACT)


@dataclass(frozen=True, slots=True)
class Legs:
    """Of one call."""

    there: Sequence[str]
    """Channels that live: what becomes of them is to be heard."""
    told: Sequence[inputs.LegHeard]
    """Of those that do not."""


def legs_of(snapshot: Snapshot, found: Found, call: Call, gone_at: datetime) -> Legs:
    """`gone_at`: since when those are gone that are."""
    there, told = list[str](), list[inputs.LegHeard]()
    of_legs = {one.leg: one.purpose for one in call.legs if one.open}
    for leg in {one.leg: None for one in call.offers if one.outcome is None} | dict.fromkeys(of_legs):
        if not leg:
            continue
        if leg in snapshot.channels:
            there.append(leg)
            continue
        # Of a conversation that is over, and whose caller is still there, somebody else has hung up.
        by_them = call.state is CallState.CONNECTED and found.after_routine and not found.given_away
        if by_them and of_legs.get(leg) in _PARTIES:
            told.append(inputs.LegHeard(leg=leg, sign=inputs.LegSign.HUNG_UP, at=gone_at))
        told.append(inputs.LegHeard(leg=leg, sign=inputs.LegSign.ENDED, at=gone_at))
    if call.state is not CallState.QUEUED and (peer := snapshot.peer(found.channel)):
        there.append(peer)
    return Legs(there, told)
