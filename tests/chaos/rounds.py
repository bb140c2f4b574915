"""A round: callers come, the fault strikes at an instant that the seed draws, and everybody's notes are compared."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx

from deploy.demo.plain_http import plain_client
from tests.chaos.callers import Pace, draw, live, probe
from tests.chaos.faults import Kind, Scale
from tests.chaos.notes import Fault, Notes
from tests.chaos.town import Town, is_quiet
from tests.chaos.verdict import Row, Verdict, instant, judge

NEWCOMERS_BEFORE_SECONDS: Final = 1.0
"""The last of those who dial during a fault does so, so long before it is over."""
NEWCOMERS: Final[Mapping[str, Any]] = {
    "acts": (1.0, 4.0),
    "leaves": (4.0, 12.0),
    "talks_seconds": 5.0,
    "gives_up_seconds": 12.0,
    "streaming": True,
}
FAULT_SECONDS: Final = (0.5, 4.0)
"""After the last caller has dialled."""
PROBED_EVERY_SECONDS: Final = 0.25
PROBED_SECONDS: Final = 60.0
"""For so long somebody tries to reach an engine."""
PROBE_PATIENCE_SECONDS: Final = 8.0
OVER_SECONDS: Final = 90.0
LATE_ROWS_SECONDS: Final = 12.0
"""After the last call: twice the pause between two collections of what the PBX alone knows, and more."""
AT_ONCE: Final = 4
NUMBERS: Final = 20_000
"""Of callers, in a round."""


async def play(place: Town, kind: Kind, scale: Scale, seed: int, number: int) -> tuple[Verdict, Notes]:
    """One round of a fault, the `number`th of a seed."""
    notes = Notes(seed=f"{seed}:{kind.name}:{number}")
    place.answering.begin(notes)
    place.service.asked = notes.asked
    numbers = iter(range(number * NUMBERS, (number + 1) * NUMBERS))
    scripts = draw(notes.seed, scale.callers, next(numbers), scale.pace)
    numbers = itertools.islice(numbers, scale.callers, None)
    chance = random.Random(f"{notes.seed}:fault")
    strikes_after = scale.pace.ramp_seconds * bool(scripts) + chance.uniform(*FAULT_SECONDS)
    began_at = time.time()
    clerk = asyncio.get_running_loop().create_task(_watch(notes))
    worked_before = time.process_time()
    try:
        async with asyncio.TaskGroup() as group:
            for script in scripts:
                group.create_task(live(script, place, notes, began_at))
            group.create_task(_strike(place, kind, scale, notes, began_at + strikes_after, numbers))
        notes.processor_share = (time.process_time() - worked_before) / (time.time() - began_at)
        await _until_quiet(place)
    finally:
        clerk.cancel()
    return await _judged(place, notes, began_at), notes


async def _judged(place: Town, notes: Notes, began_at: float) -> Verdict:
    """Rows of calls that only the PBX knows are fetched from it every few seconds: they have time to be there."""
    deadline = time.monotonic() + LATE_ROWS_SECONDS
    while (found := judge(notes, await _rows(place, began_at))).missing and time.monotonic() < deadline:
        await asyncio.sleep(1.0)
    return found


async def _strike(place: Town, kind: Kind, scale: Scale, notes: Notes, at: float, numbers: Iterator[int]) -> None:
    await asyncio.sleep(at - time.time())
    fault = Fault(name=kind.name)
    pace = Pace(ramp_seconds=max(0.1, scale.seconds - NEWCOMERS_BEFORE_SECONDS), **NEWCOMERS)
    newcomers = draw(f"{notes.seed}:new", scale.newcomers, next(numbers), pace)
    numbers = itertools.islice(numbers, scale.newcomers, None)
    async with asyncio.TaskGroup() as group:
        striking = group.create_task(kind.strike(place, fault, scale.seconds))
        while not fault.at and not striking.done():
            await asyncio.sleep(0.002)
        notes.faults.append(fault)
        for script in newcomers:
            group.create_task(live(script, place, notes, fault.at))
        if kind.probed_when_healed:
            await striking
        await _probe(place, notes, fault, numbers)


async def _probe(place: Town, notes: Notes, fault: Fault, numbers: Iterator[int]) -> None:
    """Callers who want to know whether an engine is there, until one is."""
    deadline = time.time() + PROBED_SECONDS

    async def one(number: int) -> None:
        heard_at = await probe(number, place, notes, PROBE_PATIENCE_SECONDS)
        if heard_at and (not fault.in_control_at or heard_at < fault.in_control_at):
            fault.in_control_at = heard_at

    async with asyncio.TaskGroup() as group:
        while not fault.in_control_at and time.time() < deadline:
            group.create_task(one(next(numbers)))
            await asyncio.sleep(PROBED_EVERY_SECONDS)


async def _until_quiet(place: Town) -> None:
    """Nobody is left at the PBX or in the engine, and rows had time to be written."""
    deadline, quiet = time.monotonic() + OVER_SECONDS, 0
    while time.monotonic() < deadline and quiet < 4:
        with contextlib.suppress(httpx.HTTPError):
            quiet = quiet + 1 if await is_quiet(place) else 0
        await asyncio.sleep(0.5)


async def _rows(place: Town, began_at: float) -> list[Row]:
    """Every call since then, in full."""
    calls = [row for row in await place.engine.calls() if instant(row["clocks"]["ringing_at"]) >= began_at - 2.0]
    turns = asyncio.Semaphore(AT_ONCE)
    headers = {"Authorization": f"Bearer {place.engine.token}"}
    async with plain_client(timeout=30, headers=headers, base_url=place.engine.web_url) as client:

        async def detail(call_id: str) -> Any:
            async with turns:
                return (await client.get(f"/api/calls/{call_id}")).raise_for_status().json()

        return list(await asyncio.gather(*(detail(row["call_id"]) for row in calls)))


async def _watch(notes: Notes) -> None:
    """Notice when this process is held up, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(0.02)
        notes.held_up_seconds = max(notes.held_up_seconds, loop.time() - before - 0.02)
