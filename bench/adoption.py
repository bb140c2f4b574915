"""A thousand live calls go on with a new engine: how long it takes from its log-in until it has them all."""

from __future__ import annotations

import json
import time
from datetime import datetime

from bench.report import Section, Table, at_most, exactly
from bench.stand import DID, EngineProcess, Stand

IN_MENUS, IN_QUEUES = 800, 200
CALLS = IN_MENUS + IN_QUEUES
MENU_CALLER, QUEUE_CALLER = "+33612000120", "+33612000130"
RAMP_PER_SECOND = 50.0
LIMIT_MS = 500.0
TOGETHER_SECONDS = 20.0
LOGGED_IN, TAKEN_OVER = "logged in to Asterisk", "live calls were taken over"
ABOUT = f"""\
{IN_MENUS} callers wait for a key in a menu and {IN_QUEUES} in a queue where nobody sits. The engine is killed
(SIGKILL), and another one starts in its place, with its data folder. What is measured is between two lines of its own
log: that it has logged in to Asterisk, and that it has taken the calls over; all of them are then counted, and
hung up on."""


def bench(stand: Stand, _seconds: float) -> Section:
    """Kill, start, and read its log."""
    engine = stand.engine()
    streams = [
        stand.callers(DID, calls=calls, rate=calls / CALLS * RAMP_PER_SECOND, caller=caller)
        for calls, caller in ((IN_MENUS, MENU_CALLER), (IN_QUEUES, QUEUE_CALLER))
    ]
    _wait_for(engine, CALLS)
    engine.kill()
    killed = time.monotonic()
    successor = stand.engine(after=engine)
    ready_seconds = time.monotonic() - killed
    taken, adopting_ms, whole_ms = _logged(successor)
    live = successor.figure("callrouter_live_calls")
    channels = stand.pbx.cli("core show channels count").partition(" ")[0]
    stand.pbx.cli("channel request hangup all")
    failed = sum(stream.finish().failed for stream in streams)
    rows = successor.rows()
    successor.stop()
    return Section(
        title="Calls taken over",
        about=ABOUT,
        tables=[
            Table(
                columns=("", "found"),
                rows=[
                    ["from the log-in to the last call, ms", f"{whole_ms:.0f}"],
                    ["of it the taking over itself, ms", f"{adopting_ms:.0f}"],
                    ["from the kill until the next engine is ready, s", f"{ready_seconds:.1f}"],
                    ["rows by disposition", ", ".join(f"{name} {count:,}" for name, count in sorted(rows.items()))],
                ],
            )
        ],
        checks=[
            at_most(f"{CALLS:,} calls taken over after the log-in", whole_ms, LIMIT_MS, "ms", 0),
            exactly("calls taken over", taken, CALLS),
            exactly("live calls then", int(live), CALLS),
            exactly("channels that Asterisk still has then", int(channels), CALLS),
            exactly("calls that failed", failed, 0),
            exactly("rows written", sum(rows.values()), CALLS),
        ],
    )


def _wait_for(engine: EngineProcess, calls: int) -> None:
    deadline = time.monotonic() + calls / RAMP_PER_SECOND + TOGETHER_SECONDS
    while engine.figure("callrouter_live_calls") < calls:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {engine.figure('callrouter_live_calls'):.0f} of {calls} calls are there")
        time.sleep(0.2)


def _logged(engine: EngineProcess) -> tuple[int, float, float]:
    """Calls taken over, the milliseconds that it says it took, and those from its log-in to that line."""
    logged_in: datetime | None = None
    taken, said_ms, whole_ms = 0, 0.0, 0.0
    for line in engine.log_path.read_text(errors="replace").splitlines():
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        at = datetime.fromisoformat(entry["timestamp"])
        if entry["event"].startswith(LOGGED_IN):
            logged_in = at
        elif entry["event"] == TAKEN_OVER and logged_in is not None:
            taken += int(entry["calls"])
            said_ms += 1000 * float(entry["seconds"])
            whole_ms = (at - logged_in).total_seconds() * 1000
    return taken, said_ms, whole_ms
