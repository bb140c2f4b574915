"""Supervisors in a conversation: legs of their own, and what becomes of the agent's when one takes over. Pure.

A supervisor's leg begins when they have picked up and is over when their channel is, or the call. Each thing they do is
stamped in the journey. Who takes over is an agent from then on: they have the caller (`take_over`), and the first
agent's conversation ends with nobody's hang-up, as when a caller is given away.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from callrouter.core.books import legs
from callrouter.core.call import Call, DialAttempt, Leg, LegPurpose, Visit, replace
from callrouter.core.inputs import SupervisionMode, SupervisorTold

STAMP: Final = "supervision"
"""The exit of a stamp; the value says what happened."""


MAX_STAMPS: Final = 40
"""Of one call: they travel with it."""


def hear(call: Call, told: SupervisorTold) -> Call:
    """A supervisor has begun to do something; told twice, it counts once."""
    own = next((one for one in reversed(call.legs) if one.leg == told.leg and one.open), None)
    if own is not None and own.purpose is not LegPurpose.SUPERVISION:
        return call  # they have the caller
    if own is None:
        call = legs.add(call, LegPurpose.SUPERVISION, told.party, leg=told.leg, began_at=told.at, answered_at=told.at)
    elif told.mode is not SupervisionMode.TAKE_OVER and told.mode.value in _last_stamp(call):
        return call
    return _stamped(call, f"{told.mode} by {told.party}", told.at)


def closed(before: Call, after: Call, at: datetime) -> tuple[Call, list[Leg]]:
    """The call without the supervisors whose channels have ended since, and their legs."""
    if after.legs is before.legs:
        return after, []
    over = [one for one in after.legs if _supervises(one) and one.ended_at is not None]
    if not over:
        return after, []
    return _close(after, over, at), over


def close(call: Call, at: datetime) -> tuple[Call, list[Leg]]:
    """The call is over: nobody supervises it any more."""
    over = [one for one in call.legs if _supervises(one)]
    return (_close(call, over, at), over) if over else (call, [])


def take_over(call: Call, told: SupervisorTold) -> Call:
    """The supervisor has the caller of a conversation that is closed: one of their own, in the same wait of the same
    node, and no supervision any more.
    """
    agent = told.agent or told.party
    call = _close(call, [one for one in call.legs if _supervises(one) and one.leg == told.leg], told.at)
    has = DialAttempt(target=agent, started_at=told.at, answered_at=told.at, agent=agent)
    return legs.begin_colleague(replace(call, dials=(*call.dials, has)), told.at, told.leg)


def _supervises(one: Leg) -> bool:
    return one.open and one.purpose is LegPurpose.SUPERVISION


def _close(call: Call, over: list[Leg], at: datetime) -> Call:
    numbers = {one.number for one in over}
    ended = tuple(
        replace(one, ended_at=one.ended_at or at, open=False) if one.number in numbers else one for one in call.legs
    )
    return replace(call, legs=ended)


def _last_stamp(call: Call) -> str:
    return next((visit.because for visit in reversed(call.visits) if visit.exit == STAMP), "")


def _stamped(call: Call, what: str, at: datetime) -> Call:
    if sum(visit.exit == STAMP for visit in call.visits) >= MAX_STAMPS:
        return call
    return replace(call, visits=(*call.visits, Visit(node=call.node, exit=STAMP, because=what, at=at)))
