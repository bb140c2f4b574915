"""Each time in which somebody had the caller on hold, as a numbered fact of its own. Pure.

A leg knows since when it has the caller on hold, how often it had, and for how long in all (`legs`): what travels with
the call. What began or ended is read off two states of a leg, whoever changed it.
"""

from __future__ import annotations

from datetime import timedelta

from callrouter.core.call import Call, Hold, Leg, replace


def noted(before: Call, after: Call) -> tuple[Call, list[Hold]]:
    """The call with the holds that began or ended since `before`, and those."""
    if after.legs is before.legs:
        return after, []
    were = {leg.number: leg for leg in before.legs}
    told = [hold for leg in after.legs if (was := were.get(leg.number)) is not None and (hold := _changed(was, leg))]
    if not told:
        return after, []
    known = {(hold.leg, hold.number): hold for hold in (*after.holds, *told)}
    return replace(after, holds=tuple(known.values())), told


def _changed(was: Leg, leg: Leg) -> Hold | None:
    if was.held_at is None and leg.held_at is not None:
        return Hold(leg=leg.number, number=leg.holds, began_at=leg.held_at)
    if was.held_at is not None and leg.held_at is None:
        ended_at = was.held_at + timedelta(seconds=leg.hold_seconds - was.hold_seconds)
        return Hold(leg=leg.number, number=max(1, leg.holds), began_at=was.held_at, ended_at=ended_at)
    return None
