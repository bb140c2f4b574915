"""What `callrouter route` costs as a command, beside `python -c pass`: wall clock and processor time, the least of all.

    python -m bench.route_command [--runs 15]

The interpreter's own start is part of both; on a busy machine only the ratio and the processor time say something.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

LIMIT_SECONDS = 0.25
ROOT = Path(__file__).parents[1]
ROUTE = ("-m", "callrouter", "route", "dialplans/cabinet-moreau.yaml", "--at", "2026-01-06T10:00", "--keys", "2")
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "route, one call": ROUTE,
    "route --all": (*ROUTE[:4], "--all"),
    "show": ("-m", "callrouter", "show", ROUTE[3]),
    "check, four clients": ("-m", "callrouter", "check", "dialplans"),
}


def measured(arguments: Sequence[str], runs: int) -> tuple[float, float]:
    """Least wall clock and least processor time of a command, in seconds.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    walls, processor = [], []
    # Compiled code is kept from the first run on, as an installed command has it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(runs):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        walls.append(perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls), min(processor)


def main() -> None:
    """Measure all, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    nothing, _ = measured(COMMANDS["python -c pass"], runs)
    for name, arguments in COMMANDS.items():
        wall, processor = measured(arguments, runs)
        limit = f", at most {LIMIT_SECONDS * 1000:.0f}" if name == "route, one call" else ""
        print(f"{name:<20} {wall * 1000:4.0f} ms{limit} ({wall / nothing:.1f} ×), processor {processor * 1000:.0f} ms")


if __name__ == "__main__":
    main()
