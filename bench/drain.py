"""How soon the backlog of an outage is in PostgreSQL: ten minutes at 20 calls a second, by default.

    python bench/drain.py [--calls 12000] [--runs 3]

An embedded PostgreSQL of its own is killed, calls end and go to the recorder's spool, and the server is started again.
The clock runs from the moment that `pg_ctl start` says it is there, as an operator's does, to the last commit:

- same engine: the recorder that has put them on disk writes them, from its next try on;
- next engine: that one was killed, too; another one starts with the server, and adopts what stands on the disk.

A call has four nodes, a queue visit, an offer and two legs. Every tenth was told twice, the second time with a higher
revision: it is there once, as it was told last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import uvloop
from sqlalchemy import text
from sqlalchemy.engine import make_url

if __package__ in (None, ""):  # run as a script: the project is one folder up
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.cpu import busy_seconds, family_cpu_seconds
from bench.writer import emptied, ended_call, postmaster, with_people
from callrouter.core.call import Call, Revision, replace
from callrouter.core.facts import CallEnded
from callrouter.store.database import Database
from callrouter.store.recorder import Recorder
from tests.postgres import Server, started

TARGET_SECONDS = 5.0
CORRECTED = 10
"""One call of so many is told again."""
CORRECTED_CAUSE = 17
LOT = 200
"""Calls told without a pause."""
OUTAGE_SECONDS = 120.0
"""At most until all are on disk."""


@dataclass(frozen=True, kw_only=True)
class Drained:
    """From the start of the server to the last commit."""

    seconds: float
    own_cpu_seconds: float
    postgresql_cpu_seconds: float
    other_cores: float
    """Cores that everything else on the machine kept busy meanwhile."""


def backlog(count: int) -> list[Call]:
    """So many calls, and those of them that are told again."""
    calls = [with_people(ended_call(number)) for number in range(count)]
    again = [
        replace(call, revision=Revision(call.revision.epoch, call.revision.count + 1), hangup_cause=CORRECTED_CAUSE)
        for call in calls[::CORRECTED]
    ]
    return calls + again


async def told(recorder: Recorder, calls: Sequence[Call]) -> None:
    """Tell it of them while PostgreSQL is away, until all are on the disk."""
    async with asyncio.timeout(OUTAGE_SECONDS):
        for first in range(0, len(calls), LOT):
            recorder.observe([CallEnded(call=call) for call in calls[first : first + LOT]])
            await asyncio.sleep(0.01)
        while recorder.memory_calls:
            await asyncio.sleep(0.05)


async def drained(database: Database, server: Server, calls: Sequence[Call], folder: Path, *, killed: bool) -> Drained:
    """The outage, and its end. `killed`: the engine that saw it is not the one that writes."""
    await emptied(database)
    await asyncio.to_thread(server.crash)
    first = Recorder(database, folder)
    async with asyncio.TaskGroup() as group:
        group.create_task(first.run())
        await told(first, calls)
        if killed:
            await first.close(0.0)
            writing = Recorder(database, folder)
        else:
            writing = first
        await asyncio.to_thread(server.start)
        pid = postmaster(server.handle.pgdata.parent)
        began = perf_counter(), process_time(), family_cpu_seconds(pid), busy_seconds()
        if killed:
            group.create_task(writing.run())
            await writing.adopted.wait()
        while writing.backlog:
            await asyncio.sleep(0.005)
        ended = perf_counter(), process_time(), family_cpu_seconds(pid), busy_seconds()
        await writing.close()
    await _all_there(database, calls)
    seconds, own, postgresql, busy = (after - before for before, after in zip(began, ended, strict=True))
    return Drained(
        seconds=seconds,
        own_cpu_seconds=own,
        postgresql_cpu_seconds=postgresql,
        other_cores=max(0.0, busy - own - postgresql) / seconds,
    )


async def _all_there(database: Database, calls: Sequence[Call]) -> None:
    """Each call once, as it was told last."""
    wanted = len({call.call_id for call in calls})
    counts = "SELECT count(*), count(*) FILTER (WHERE hangup_cause = :cause) FROM calls"
    parts = "SELECT (SELECT count(*) FROM queue_visits), (SELECT count(*) FROM offers), (SELECT count(*) FROM legs)"
    async with database.connection() as connection:
        rows, corrected = (await connection.execute(text(counts), {"cause": CORRECTED_CAUSE})).one()
        found = (await connection.execute(text(parts))).one()
    if (rows, corrected, *found) != (wanted, len(calls) - wanted, wanted, wanted, 2 * wanted):
        raise SystemExit(f"{wanted} calls were told; stored: {rows} calls, {corrected} corrected, parts {found}")


async def measure(count: int, runs: int) -> float:
    """Run both, print the table, and give the longest median in seconds."""
    calls = backlog(count)
    found: dict[str, list[Drained]] = {"same engine": [], "next engine": []}
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as folder, started(Path(folder)) as server:
        database = Database(make_url(server.url_of(await server.migrated())))
        for run in range(runs):
            for name, results in found.items():
                spool = Path(folder, f"spool-{run}-{name[:4]}")
                results.append(await drained(database, server, calls, spool, killed=name == "next engine"))
        await database.close()
    print(f"{count:,} calls, {len(calls) - count:,} of them told twice")
    print(
        f"{'backlog to PostgreSQL':<22}{'seconds':>9}{'shortest':>9}{'longest':>9}{'own CPU s':>11}{'PostgreSQL':>11}"
    )
    for name, results in found.items():
        seconds = [one.seconds for one in results]
        own, postgresql = (
            statistics.median(values)
            for values in zip(*((one.own_cpu_seconds, one.postgresql_cpu_seconds) for one in results), strict=True)
        )
        print(
            f"{name:<22}{statistics.median(seconds):>9.2f}{min(seconds):>9.2f}{max(seconds):>9.2f}"
            f"{own:>11.2f}{postgresql:>11.2f}"
        )
    others = statistics.median(one.other_cores for results in found.values() for one in results)
    print(f"cores busy with anything else meanwhile: {others:.2f} of {os.cpu_count()}")
    return max(statistics.median(one.seconds for one in results) for results in found.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=12_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    seconds = uvloop.run(measure(options.calls, options.runs))
    print(f"target: {TARGET_SECONDS:g} s: {'met' if seconds <= TARGET_SECONDS else 'missed'}")
    return int(seconds > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
