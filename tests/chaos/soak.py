"""Long life: very many short calls, and what callrouter and Asterisk hold after each part of them."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import psutil

from bench.callers import Callers, Sink
from tests.chaos.clients import DIDS
from tests.chaos.striking import figures
from tests.chaos.town import Town

PER_CALLS: Final = 10_000
"""Growth is told for so many calls."""
QUIET_SECONDS: Final = 4.0
"""After the last call of a part: rows are written, and Asterisk's own clearing up is done."""
TASKS: Final = "callrouter_tasks"
GROWS: Final[Mapping[str, float]] = {
    "engine_mb": 0.5,
    "asterisk_mb": 1.0,
    "engine_files": 0.5,
    "asterisk_files": 0.5,
    "engine_threads": 0.5,
    "astdb_rows": 1.0,
    "tasks": 0.5,
}
"""So much each may grow with PER_CALLS calls, beyond what it varies by."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """After so many calls, with none in progress."""

    calls: int
    failed: int
    engine_mb: float
    asterisk_mb: float
    engine_files: int
    asterisk_files: int
    """RTP ports are among them."""
    engine_threads: int
    astdb_rows: int
    tasks: float
    """Of asyncio; 0 where the engine does not tell."""


async def soak(place: Town, *, calls: int, parts: int, rate: float) -> list[Held]:
    """Place them part by part, and look after each."""
    found, failed = [await _look(place, 0, 0)], 0
    for part in range(1, parts + 1):
        failed += await asyncio.to_thread(_place, place, part, calls // parts, rate)
        await asyncio.sleep(QUIET_SECONDS)
        found.append(await _look(place, part * (calls // parts), failed))
    return found


def _place(place: Town, part: int, calls: int, rate: float) -> int:
    """How many failed."""
    sink = Sink()
    crowd = Callers(place.root / f"soak-{part}", place.address, DIDS["quick"], calls=calls, rate=rate, sink=sink)
    try:
        return crowd.finish().failed
    finally:
        crowd.stop()
        sink.close()


async def _look(place: Town, calls: int, failed: int) -> Held:
    engine, asterisk = await place.leader_process(), psutil.Process(place.pbx.pid)
    shown = await asyncio.to_thread(place.pbx.cli, "database show callrouter")
    return Held(
        calls=calls,
        failed=failed,
        engine_mb=engine.memory_info().rss / 2**20,
        asterisk_mb=asterisk.memory_info().rss / 2**20,
        engine_files=engine.num_fds(),
        asterisk_files=asterisk.num_fds(),
        engine_threads=engine.num_threads(),
        astdb_rows=shown.count("\n/callrouter/") + shown.startswith("/callrouter/"),
        tasks=(await figures(place)).get(TASKS, 0.0),
    )


def growth(found: Sequence[Held]) -> dict[str, tuple[float, float]]:
    """Of each of GROWS: by how much it grows with PER_CALLS calls (a straight line by least squares), and twice the
    error of that. What a process gets ready with the first calls it keeps: the first half is left out.
    """
    late = found[len(found) // 2 :]
    return {name: _slope([(one.calls / PER_CALLS, float(asdict(one)[name])) for one in late]) for name in GROWS}


def _slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    slope, start = statistics.linear_regression(xs, ys)
    if len(points) < 3:
        return slope, 0.0
    middle = statistics.fmean(xs)
    left = sum((y - start - slope * x) ** 2 for x, y in points) / (len(points) - 2)
    return slope, float(2 * (left / sum((x - middle) ** 2 for x in xs)) ** 0.5)


def leaks(found: Sequence[Held]) -> dict[str, float]:
    """What grows by more than it may and by more than noise, and by how much."""
    return {name: slope for name, (slope, noise) in growth(found).items() if slope > GROWS[name] and slope > noise}
