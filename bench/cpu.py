"""What processes used, from /proc."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A process that ended."""

    status: int
    cpu_seconds: float
    """User and system time."""
    seconds: float
    """From the call of `wait`, on the clock."""


def cpu_seconds(pid: int) -> float:
    """User and system time of a living process, its threads included, its children not (1/100 s)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family_cpu_seconds(pid: int) -> float:
    """User and system time of a process, of its living children, and of those that were waited for."""
    total = 0.0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB of 10^6 bytes."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def busy_seconds() -> float:
    """What all processes of the machine used so far, all cores together."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def wait(process: subprocess.Popen[bytes]) -> Finished:
    """Wait for a child, and return what it used."""
    began = perf_counter()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Finished(
        status=process.returncode,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        seconds=perf_counter() - began,
    )
