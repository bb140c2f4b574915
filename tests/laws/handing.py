"""Agents who do more than talk: they hold callers, speak to a colleague first, and give callers away, each in one of
the `ways` to do so.
"""

from __future__ import annotations

import random
import time
from typing import Final

from tests.laws.notes import Kind, Notes, Ring
from tests.laws.town import AGENTS, COLLEAGUE_SECONDS, INVITE_SECONDS
from tests.laws.ways import CODE_SECONDS, Way, until

DOES: Final = {"hold": 25, "give": 15, "consult": 60}
"""What they do, of a hundred."""
COMPLETES: Final = 0.6
"""Share of those who give the caller to the colleague they have spoken to; the others take them back."""
REFUSED: Final = (486, 480, 603)
PATIENCE_SECONDS: Final = 9.0
"""For which they let a colleague's telephone ring."""


async def handle(way: Way, ring: Ring, notes: Notes, chance: random.Random) -> None:
    """Once they have a caller; returns when the caller is theirs alone again, or no more."""
    if await ring.dialog.is_over(chance.uniform(0.5, 1.5)):
        return
    (does,) = chance.choices(list(DOES), list(DOES.values()))
    colleague = chance.choice([name for name in AGENTS if name != ring.phone])
    speaks, completes, holds = chance.uniform(0.3, 1.5), chance.random() < COMPLETES, chance.uniform(0.5, 2)
    if does != "hold" and not notes.is_logged_in(colleague):
        return
    match does:
        case "hold":
            await _hold(way, ring, holds)
        case "give":
            await _give(way, ring, colleague)
        case _:
            await _consult(way, ring, colleague, notes, speaks if completes else -speaks)


async def _hold(way: Way, ring: Ring, seconds: float) -> None:
    if not await way.hold(on=True):
        return
    since = time.time()
    ring.held.append((since, 0.0))
    if not await ring.dialog.is_over(seconds) and await way.hold(on=False):
        ring.held[-1] = since, time.time()


async def _give(way: Way, ring: Ring, colleague: str) -> None:
    ring.gave_to, ring.gave_at = colleague, time.time()
    if not await way.give(colleague):
        ring.gave_to, ring.gave_at = "", 0.0
        return
    if way.is_keyed:
        ring.held.append((ring.gave_at + CODE_SECONDS, 0.0))
        ring.gave_at = time.time()
    await _gone(ring)


async def _consult(way: Way, ring: Ring, colleague: str, notes: Notes, speaks: float) -> None:
    """`speaks`: for so long, in seconds; negative: and then takes the caller back."""
    began = time.time()
    if not (since := await way.consult(colleague)):
        return
    ring.held.append((since, 0.0))
    theirs = await _ring_of(colleague, ring, notes, began)
    if theirs is not None and way.by_pbx and (given_back_at := _given_back_at(theirs)):
        ring.held[-1] = since, given_back_at
        return
    talk = theirs is not None and theirs.dialog.status == 200
    if theirs is not None and talk and not await theirs.dialog.is_over(abs(speaks)) and speaks > 0:
        if not ring.dialog.over.is_set() and await way.complete():
            ring.gave_to, ring.gave_at = colleague, time.time()
            theirs.accepted_at, theirs.unsure_seconds = ring.gave_at, ring.unsure_seconds
            ring.held[-1] = since, ring.gave_at
            await _gone(ring)
        return
    if not ring.dialog.over.is_set():
        await way.take_back()
        ring.held[-1] = since, time.time()


def _given_back_at(theirs: Ring) -> float:
    """When the PBX gives the agent their caller back: the colleague refuses, or nothing is heard of their telephone
    (SIP's timer B); 0: it rings.
    """
    if theirs.dialog.status in REFUSED:
        return theirs.dialog.ended_at
    return theirs.dialog.began_at + min(INVITE_SECONDS, COLLEAGUE_SECONDS) if theirs.without_power else 0.0


async def _ring_of(colleague: str, ring: Ring, notes: Notes, since: float) -> Ring | None:
    """The colleague's ring, once they have picked up or refused; None if it does not come, or they let it ring."""

    def found() -> Ring | None:
        rings = (one for one in reversed(notes.rings) if one.kind is Kind.CONSULTATION and one.phone == colleague)
        return next((one for one in rings if one.call == ring.call and one.dialog.began_at > since), None)

    await until(lambda: _settled(found()) or ring.dialog.over.is_set(), PATIENCE_SECONDS)
    return found()


def _settled(ring: Ring | None) -> bool:
    return ring is not None and ring.dialog.settled.is_set()


async def _gone(ring: Ring) -> None:
    """They put the telephone down, if the PBX does not end the call."""
    if not await ring.dialog.is_over(0.5):
        await ring.dialog.hang_up()
