"""One run, from the first log-in to the last row."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import pairwise
from typing import Final

from tests.laws import callers, ours
from tests.laws.answering import Answering
from tests.laws.callers import Run
from tests.laws.notes import Notes
from tests.laws.ours import Ours
from tests.laws.shifts import Shifts
from tests.laws.sip import Port
from tests.laws.town import Town, town

OVER_SECONDS: Final = 100.0
"""After the last caller has left: telephones without power are given up, callbacks rung, rows written."""
INTERVALS: Final = 6


async def live_through(run: Run) -> tuple[Notes, Ours]:
    """What the telephones wrote down, and what we did."""
    notes = Notes()
    answering = Answering(run.seed, notes)
    port = await Port.open(answering.ring)
    try:
        async with town(port) as place:
            answering.town = place
            began_at = time.time()
            shifts = Shifts(place.engine, notes, run.seed)
            await shifts.begin()
            clerk = asyncio.get_running_loop().create_task(notes.watch())
            enough = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(shifts.go_on(enough))
                await _callers(run, place, notes)
                enough.set()
            await _until_over(place)
            await shifts.end()
            await asyncio.sleep(2)
            clerk.cancel()
            found = await ours.read(place.engine, began_at, bounds(notes))
        assert port.faults == []
    finally:
        await port.close()
    return notes, found


async def _callers(run: Run, place: Town, notes: Notes) -> None:
    pace = random.Random(f"{run.seed}:pace")
    async with asyncio.TaskGroup() as group:
        for number, caller in enumerate(callers.draw(run)):
            chance = random.Random(f"{run.seed}:live:{number}")
            group.create_task(callers.live(caller, place, notes, run, chance))
            await asyncio.sleep(pace.expovariate(run.rate))


async def _until_over(place: Town) -> None:
    """No channel at the PBX, no live call, no callback under way, no row on its way."""
    deadline, quiet = time.monotonic() + OVER_SECONDS, 0
    while time.monotonic() < deadline and quiet < 4:
        channels = await asyncio.to_thread(place.pbx.cli, "core show channels count")
        live = (await place.engine.get("/live"))["calls"]
        wishes = (await place.engine.get("/api/callbacks", limit=500))["callbacks"]
        pending = any(one["settled_by"] is None for one in wishes)
        idle = channels.startswith("0 active channels") and not live and not pending
        quiet = quiet + 1 if idle else 0
        await asyncio.sleep(0.5)


def bounds(notes: Notes) -> list[float]:
    """Instants that cut the run into intervals, each in the middle of a time in which nobody dialled."""
    dialled = sorted(one.dialled_at for one in notes.callers)
    gaps = sorted(pairwise(dialled), key=lambda pair: pair[0] - pair[1])[: INTERVALS - 1]
    inside = sorted((first + second) / 2 for first, second in gaps)
    return [dialled[0] - 1, *inside, dialled[-1] + 1]
