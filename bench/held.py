"""Many live calls at once: without media, and hearing music."""

from __future__ import annotations

import time

from bench.callers import Callers
from bench.cpu import cpu_seconds, resident_mb
from bench.figures import milliseconds
from bench.report import Section, Table, at_most, exactly
from bench.stand import DID, EngineProcess, Stand

IDLE, MUSIC = 1000, 300
IDLE_CALLER, MUSIC_CALLER = "+33612000120", "+33612000130"
RAMP_PER_SECOND = 100.0
SETTLE_SECONDS = 4.0
ABOUT = f"""\
{IDLE:,} callers wait for a key in silence, and at the same time {MUSIC} hear music in a queue where nobody sits
(their RTP is thrown away by the receiver). When all are there they are watched, and then they hang up."""


def bench(stand: Stand, hold_seconds: float) -> Section:
    """All of them for so many seconds."""
    engine = stand.engine()
    before = resident_mb(engine.pid)
    ramp_seconds = max(IDLE, MUSIC) / RAMP_PER_SECOND
    stay = hold_seconds + ramp_seconds + SETTLE_SECONDS
    idle = stand.callers(DID, calls=IDLE, rate=RAMP_PER_SECOND, caller=IDLE_CALLER, hold_seconds=stay)
    music_rate = MUSIC / ramp_seconds
    music = stand.callers(DID, calls=MUSIC, rate=music_rate, caller=MUSIC_CALLER, hold_seconds=stay)
    time.sleep(ramp_seconds + SETTLE_SECONDS / 2)
    watched = _watch(stand, engine, hold_seconds)
    placed = [_finish(stream) for stream in (idle, music)]
    time.sleep(1)
    rows = engine.rows()
    left = engine.figure("callrouter_live_calls")
    engine.stop()
    failed = sum(one[1] for one in placed)
    return Section(
        title="Calls held",
        about=ABOUT,
        tables=[
            Table(
                columns=("", "found"),
                rows=[
                    ["live calls first / fewest", f"{watched[0]:.0f} / {watched[1]:.0f}"],
                    ["seconds watched", f"{hold_seconds:g}"],
                    ["engine's memory before / most, MB", f"{before:.0f} / {watched[2]:.0f}"],
                    ["engine's CPU, % of a core", f"{watched[3]:.1f}"],
                    ["Asterisk's CPU, % of a core", f"{watched[4]:.0f}"],
                    ["longest time of a /metrics page, ms", milliseconds(watched[5])],
                    ["rows by disposition", ", ".join(f"{name} {count:,}" for name, count in sorted(rows.items()))],
                ],
            )
        ],
        checks=[
            at_most("engine's memory", watched[2], 200, "MB", 0),
            exactly("live calls through the whole watch", int(watched[1]), IDLE + MUSIC),
            exactly("calls dropped", failed, 0),
            exactly("rows written", sum(rows.values()), IDLE + MUSIC),
            exactly("calls left in the engine", int(left), 0),
        ],
    )


def _watch(stand: Stand, engine: EngineProcess, seconds: float) -> tuple[float, float, float, float, float, float]:
    """Fewest live calls, memory and CPU."""
    first = fewest = engine.figure("callrouter_live_calls")
    memory = resident_mb(engine.pid)
    used, asterisk = engine.cpu_seconds(), cpu_seconds(stand.pbx.pid)
    page = 0.0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        began = time.perf_counter()
        fewest = min(fewest, engine.figure("callrouter_live_calls"))
        page = max(page, time.perf_counter() - began)
        memory = max(memory, resident_mb(engine.pid))
        time.sleep(min(1.0, seconds / 5))
    used, asterisk = engine.cpu_seconds() - used, cpu_seconds(stand.pbx.pid) - asterisk
    return first, fewest, memory, 100 * used / seconds, 100 * asterisk / seconds, page


def _finish(stream: Callers) -> tuple[int, int]:
    placed = stream.finish()
    return placed.succeeded, placed.failed
