"""The benches that are programs of their own: a step of the core, the writer, and the backlog of an outage."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bench.report import Check, Section, at_least, at_most

HERE = Path(__file__).resolve().parent
MISSING = float("nan")


def core() -> Section:
    """A step of the core; the slowest tree counts."""
    output = output_of("bench/core_step.py")
    steps = [float(row[1]) for row in re.finditer(r"^\S.*?\s+\d+\s+([\d.]+)\s+[\d.]+\s+[\d.]+\s", output, re.MULTILINE)]
    return Section(
        title="A step of the core",
        about="Microseconds from an input to effects and facts, without performing them; then with the call's state "
        "written, whose largest size is the last column. Journeys through the demonstration clients' trees.",
        output=output,
        checks=[at_most("a step of the core", max(steps, default=MISSING), 20, "µs", 1)],
    )


def writer() -> Section:
    """Rows to PostgreSQL when catching up."""
    output = output_of("bench/writer.py")
    found = re.search(r"^recorder\s+([\d,]+)", output, re.MULTILINE)
    rate = float(found[1].replace(",", "")) if found else MISSING
    checks: list[Check] = [at_least("rows to PostgreSQL when catching up", rate, 50_000, "calls/s", 0)]
    return Section(
        title="Rows to PostgreSQL",
        about="The recorder with calls waiting in its memory, beside single committed inserts (what most call "
        "recorders do) and asyncpg's COPY of the same rows made beforehand (the limit); a call has four nodes and a "
        "queue visit.",
        output=output,
        checks=checks,
    )


def drain() -> Section:
    """The backlog of an outage; the slower way counts."""
    output = output_of("bench/drain.py")
    found = re.findall(r"^(?:same|next) engine\s+([\d.]+)", output, re.MULTILINE)
    return Section(
        title="After an outage",
        about="PostgreSQL was away while 12,000 calls ended (ten minutes at 20 a second), every tenth of them told "
        "twice. From its start to the last commit: by the engine that put them on disk, and by the next one.",
        output=output,
        checks=[at_most("a backlog of ten minutes is gone", max(map(float, found), default=MISSING), 5, "s")],
    )


def told(*, quick: bool) -> Section:
    """Messages to people's systems."""
    output = output_of("-m", "bench.dispatch", *(("--quick",) if quick else ("--queued", "20000")))
    ratio = re.search(r"bare httpx loop [\d,]+/s: ([\d.]+)", output)
    late = re.search(r"p99 ([\d.]+) s", output)
    return Section(
        title="Telling people of messages",
        about="20,000 messages that wait, told to 20 web services by the worker, rows and all, beside a bare httpx "
        "loop with as many connections; and 100 a second that arrive for 100 web services, of which ten take a "
        "connection and never answer.",
        output="\n".join(line for line in output.splitlines() if line.startswith(("queued", "arriving"))),
        checks=[
            at_least("queued messages told, of a bare loop", float(ratio[1]) if ratio else MISSING, 0.4, "×", 2),
            at_most("p99 of the living beside ten dead", float(late[1]) if late else MISSING, 5, "s"),
        ],
    )


def output_of(*program: str) -> str:
    """What a program of the bench prints, missed numbers or not; its path, or `-m` and its name, come first."""
    done = subprocess.run(
        [sys.executable, *program], cwd=HERE.parent, capture_output=True, text=True, check=False, timeout=300
    )
    if not done.stdout:
        raise SystemExit(f"{' '.join(program)} failed: {done.stderr[-2000:]}")
    return done.stdout.rstrip()
