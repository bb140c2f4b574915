"""The leg of whoever an outgoing call rang: a row of `legs` like any other, which belongs to no caller's call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callrouter.core.call import LegDirection, LegPurpose
from callrouter.outgoing.order import Progress, Purpose, far_channel

_PURPOSES: Mapping[str, LegPurpose] = {
    Purpose.CALLBACK: LegPurpose.CALLBACK,
    Purpose.MESSAGE: LegPurpose.DELIVERY,
}


def far_leg(placed: Mapping[str, Any], progress: Progress, ended_at: datetime, epoch: int) -> dict[str, Any] | None:
    """Its row, of a call that is over; None where nobody was rung.

    Args:
        placed: the call's row of `outgoing_calls`.
        progress: how far it came.
        ended_at: when it was over, should the PBX not have said.
        epoch: of the engine that had it.
    """
    if progress.rung_at is None:
        return None
    over_at, answered_at = progress.over_at or ended_at, progress.answered_at
    return {
        "leg_id": far_channel(placed["outgoing_id"]),
        "number": 1,
        "pbx": placed["pbx"],
        "purpose": _PURPOSES[placed["purpose"]].value,
        "direction": LegDirection.OUTGOING.value,
        "party": "",
        "identity": placed["shown"] or None,
        "trunk": progress.trunk or None,
        "began_at": progress.rung_at,
        "answered_at": answered_at,
        "ended_at": over_at,
        "talk_seconds": max(0.0, (over_at - answered_at).total_seconds()) if answered_at else 0.0,
        "hold_seconds": 0.0,
        "cause": progress.hangup_cause or 0,
        "tech_cause": str(progress.sip) if progress.sip else None,
        "epoch": epoch,
    }
