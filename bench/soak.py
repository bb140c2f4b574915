"""Ten thousand calls and more through the real engine, and whether anything grows: `python -m bench soak`, `make soak`.

Calls of all kinds come in windows. After each all of them have ended, and what is left is measured: memory, tasks,
descriptors and every long-lived container of the engine (`sizes`), Asterisk's memory, descriptors, channels, ports
and database. What grows has a slope over the windows; the first are left out, in which pools and caches fill.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

import psutil

from bench.cpu import resident_mb
from bench.report import Check, Section, Table, at_most, exactly
from bench.sizes import OBJECTS, TASKS
from bench.stand import AGENTS_CONTEXT, DID, EngineProcess, Stand

CALLS: Final = 10_000
RATE: Final = 30.0
WINDOW: Final = 1_000
"""Calls between two looks."""
WARM_WINDOWS: Final = 3
AGENTS: Final = 12
PER: Final = 10_000
"""Slopes are of so many calls."""
QUIET_SECONDS: Final = 60.0
JOURNAL_SECONDS: Final = 6.0
"""Asterisk's journal is collected every five seconds."""
SETTLED_SECONDS: Final = 36.0
"""Asterisk holds what it needs to answer a repeated request for another 32 s (RFC 3261, timers H and J)."""
WINDOWS: Final = 20
"""At most so many."""
GROWS: Final = 0.02
"""A container that grows by more than this a call is one that only grows."""
BOUNDED: Final[Mapping[str, int]] = {
    "callrouter.asterisk.journal.EndedJournal._recent": 50_000,
    "callrouter.asterisk.switch.AsteriskSwitch._over": 4_096,
    "callrouter.asterisk.switch.AsteriskSwitch._asked_early": 1_024,
}
"""What remembers the last so many, and fills before it stays as it is."""
NOBODY: Final = "0199009999"
KINDS: Final[Mapping[str, tuple[str, str, float | None]]] = {
    "served by the tree": (DID, "+33612345678", None),
    "hang up in a menu": (DID, "+33612000120", 0.5),
    "give up in a queue": (DID, "+33612000130", 0.7),
    "talk to an agent": (DID, "+33612000140", 1.2),
    "dial a number of nobody's": (NOBODY, "+33612345678", None),
}
"""What callers do: the number they dial, their own, and after how many seconds they hang up, if they do."""
ABOUT: Final = """\
Callers who are served by the tree, hang up in a menu, give up in a queue, talk to an agent, and dial a number of
nobody's, a fifth each. After each {window:,} of them all have ended, and what is left is measured; a slope is that of
the straight line through the windows after the first {warm}, for {per:,} calls."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was there when all calls had ended."""

    calls: int
    """Placed so far."""
    values: Mapping[str, float]
    """Of the processes, by what it is."""
    containers: Mapping[str, int]
    """Of the engine."""


def bench(stand: Stand, *, calls: int = CALLS) -> Section:
    """Place them, and judge what is left of them."""
    window = max(WINDOW, calls // WINDOWS)
    return _section(*soak(stand, calls=calls, window=window, settled_seconds=SETTLED_SECONDS))


def soak(
    stand: Stand, *, calls: int, window: int, rate: float = RATE, settled_seconds: float = JOURNAL_SECONDS
) -> tuple[list[Look], int, int]:
    """Place them, and look after each window: what was seen, how many calls failed, and how many rows there are."""
    engine = stand.engine("sizes")
    for number in range(1, AGENTS + 1):
        stand.pbx.cli(f"queue add member Local/{number:02}@{AGENTS_CONTEXT} to desk penalty 0 as agent-{number}")
    looks = [_look(stand, engine, 0, JOURNAL_SECONDS)]
    failed = 0
    while looks[-1].calls < calls:
        streams = [
            stand.callers(did, calls=window // len(KINDS), rate=rate / len(KINDS), caller=caller, hold_seconds=hold)
            for did, caller, hold in KINDS.values()
        ]
        # Who dials a number of nobody's is refused, which SIPp counts as a failure.
        failed += sum(stream.finish().failed for stream in streams[:-1])
        streams[-1].finish()
        looks.append(_look(stand, engine, looks[-1].calls + window, settled_seconds))
    rows = engine.rows()
    engine.stop()
    return looks, failed, sum(rows.values())


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line through points, by least squares; 0 of fewer than two."""
    if len(points) < 2:
        return 0.0
    x, y = fmean(at for at, _ in points), fmean(value for _, value in points)
    spread = sum((at - x) ** 2 for at, _ in points)
    return sum((at - x) * (value - y) for at, value in points) / spread if spread else 0.0


LIMITS: Final[Mapping[str, float]] = {
    "engine: memory, MB": 4.0,
    "engine: descriptors": 2.0,
    f"engine: {TASKS}": 1.0,
    f"engine: {OBJECTS}": 2_000.0,
    "engine: journal of calls in progress, bytes": 2_000.0,
    "Asterisk: memory, MB": 12.0,
    "Asterisk: descriptors": 2.0,
    "Asterisk: UDP ports": 1.0,
    "Asterisk: channels": 0.5,
    "AstDB: rows of callrouter/ended": 2.0,
    "AstDB: other rows of ours": 2.0,
}
"""By how much each may grow in `PER` calls: what the allocator's noise may look like, and no more."""


def _section(looks: Sequence[Look], failed: int, rows: int) -> Section:
    warm = looks[min(WARM_WINDOWS, len(looks) - 2) :]
    slopes = {what: PER * slope([(one.calls, one.values[what]) for one in warm]) for what in LIMITS}
    table = [
        [what, f"{looks[0].values[what]:,.1f}", f"{looks[-1].values[what]:,.1f}", f"{slopes[what]:+,.2f}"]
        for what in LIMITS
    ]
    growing = growing_in(warm)
    memory = ", ".join(f"{one.values['Asterisk: memory, MB']:.0f}" for one in looks)
    checks: list[Check] = [
        at_most(f"{what}, by {PER:,} calls", slopes[what], limit, "") for what, limit in LIMITS.items()
    ]
    checks.append(exactly(f"containers that only grow{_named(growing)}", len(growing), 0))
    checks += [exactly("calls that failed", failed, 0), exactly("rows written", rows, looks[-1].calls)]
    return Section(
        title="Soak",
        about=ABOUT.format(window=looks[1].calls, warm=WARM_WINDOWS, per=PER),
        tables=[Table(columns=("", "first", "last", f"by {PER:,} calls"), rows=table)],
        checks=checks,
        notes=[f"{looks[-1].calls:,} calls. Asterisk's memory after each window, MB: {memory}."],
    )


def growing_in(looks: Sequence[Look]) -> dict[str, float]:
    """Containers of the engine that grow with the calls, by how much a call; those that have a bound, beyond it."""
    names = {name for one in looks for name in one.containers}
    found = {}
    for name in sorted(names - {TASKS, OBJECTS}):
        by_call = slope([(one.calls, one.containers.get(name, 0)) for one in looks])
        if by_call > GROWS and not looks[-1].containers.get(name, 0) <= BOUNDED.get(name, -1):
            found[name] = by_call
    return found


def _named(growing: Mapping[str, float]) -> str:
    return ": " + ", ".join(f"{name} {by_call:+.2f} a call" for name, by_call in growing.items()) if growing else ""


def _look(stand: Stand, engine: EngineProcess, calls: int, settled_seconds: float) -> Look:
    """Once nothing is left of the calls, and so long after that."""
    deadline = time.monotonic() + QUIET_SECONDS
    busy = ("callrouter_live_calls", "callrouter_writer_backlog_calls")
    while time.monotonic() < deadline and (any(engine.figure(name) for name in busy) or _channels(stand)):
        time.sleep(0.5)
    time.sleep(settled_seconds)
    containers = _sizes(engine)
    stand.pbx.cli("malloc trim")  # what its allocator keeps for later is not held by anybody
    database = Counter(re.findall(r"^/(callrouter/[a-z_]+)/", stand.pbx.cli("database show callrouter"), re.MULTILINE))
    asterisk = psutil.Process(stand.pbx.pid)
    ended = database.pop("callrouter/ended", 0)
    values = {
        "engine: memory, MB": resident_mb(engine.pid),
        "engine: descriptors": float(psutil.Process(engine.pid).num_fds()),
        f"engine: {TASKS}": float(containers[TASKS]),
        f"engine: {OBJECTS}": float(containers[OBJECTS]),
        "engine: journal of calls in progress, bytes": float(
            sum(path.stat().st_size for path in (engine.data_dir / "spool").glob("live-*"))
        ),
        "Asterisk: memory, MB": resident_mb(stand.pbx.pid),
        "Asterisk: descriptors": float(asterisk.num_fds()),
        "Asterisk: UDP ports": float(len(asterisk.net_connections("udp"))),
        "Asterisk: channels": float(_channels(stand)),
        "AstDB: rows of callrouter/ended": float(ended),
        "AstDB: other rows of ours": float(database.total()),
    }
    return Look(calls=calls, values=values, containers=containers)


def _channels(stand: Stand) -> int:
    found = re.search(r"(\d+) active channel", stand.pbx.cli("core show channels count"))
    return int(found[1]) if found else 0


def _sizes(engine: EngineProcess) -> dict[str, int]:
    path: Path = engine.sizes_path
    path.unlink(missing_ok=True)
    os.kill(engine.pid, signal.SIGUSR2)
    deadline = time.monotonic() + QUIET_SECONDS
    while not path.exists():
        engine.check()
        if time.monotonic() > deadline:
            raise SystemExit("the engine does not say how large it is")
        time.sleep(0.05)
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found
