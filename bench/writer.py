"""How fast ended calls become rows when the recorder has to catch up.

    python bench/writer.py [--calls 200000] [--runs 5] [--people]

An embedded PostgreSQL of its own, as it is installed. In one run, for calls of four nodes and one queue visit each:

- one by one: a call and its visit inserted and committed, the next one only then; what most call recorders do;
- recorder: the calls wait in its memory, and it is started: rows made, written, committed and acknowledged;
- raw COPY: the same rows made beforehand, into the same tables by asyncpg's COPY: what is left is PostgreSQL's.

With `--people` each call has what grows with a conversation too: an offer and two legs, three rows more. Only the
recorder writes those.

Median of the runs; the target is 50,000 calls/s for the recorder. Python and PostgreSQL need a core each for it, so
what other programs took of the machine meanwhile is printed beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

import uvloop
from sqlalchemy import text

if __package__ in (None, ""):  # run as a script: the project is one folder up
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench.cpu import busy_seconds, family_cpu_seconds
from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    Disposition,
    EndedBy,
    Leg,
    LegPurpose,
    Offer,
    OfferOutcome,
    QueueOutcome,
    QueueVisit,
    Visit,
    replace,
)
from callrouter.core.facts import CallEnded
from callrouter.store.database import Database
from callrouter.store.embedded import FOLDER
from callrouter.store.recorder import BATCH_CALLS, Recorder
from callrouter.store.writing.rows import CALL_COLUMNS, QUEUE_VISIT_COLUMNS, Rows, expect_rows

TARGET = 50_000.0
ONE_BY_ONE = 2_000
"""Calls of the slow peer: enough for a rate."""
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def ended_call(number: int) -> Call:
    """A caller who came through hours and a menu to a queue, and was answered; 800 clients in turn."""
    ringing_at = MONDAY + timedelta(milliseconds=370 * number)

    def after(seconds: float) -> datetime:
        return ringing_at + timedelta(seconds=seconds)

    return Call(
        call_id=f"{1795427775 + number // 3}-42-{number:06}",
        client=f"client-{number % 800}",
        plan_version="5f2d3c9a10be",
        did=f"+3314000{number % 800:04}",
        caller=CallerId(number=f"+336{number:08}", name="Hélène Dupont"),
        state=CallState.ENDED,
        step=5,
        node="secretaries",
        variables={"vip": "no"},
        clocks=Clocks(
            ringing_at=ringing_at,
            answered_at=after(0.01),
            entered_service_at=after(12.345678),
            offered_at=after(12.4),
            bridged_at=after(20.5),
            ended_at=after(95.123),
        ),
        visits=(
            Visit(node="filter", exit="otherwise", because="+33612345678", at=after(0.001)),
            Visit(node="hours", exit="open", because="Mon 10:02", at=after(0.001)),
            Visit(node="welcome", exit="key:2", because="key 2", at=after(12.3)),
            Visit(node="secretaries", exit="answered", because="anne, 8 s", at=after(95.1)),
        ),
        queue_visits=(
            QueueVisit(
                queue="medical",
                entered_at=after(12.345678),
                offers=1,
                offered_at=after(12.4),
                agent="anne",
                answered_at=after(20.5),
                left_at=after(95.1),
                outcome=QueueOutcome.ANSWERED,
            ),
        ),
        disposition=Disposition.ANSWERED,
        hangup_cause=16,
    )


def with_people(call: Call) -> Call:
    """The same call with the agent's offer, their leg and the caller's."""
    clocks = call.clocks
    rang_at, answered_at = clocks.offered_at or clocks.ringing_at, clocks.bridged_at
    offer = Offer(
        number=1,
        queue="medical",
        agent="anne",
        began_at=rang_at,
        ended_at=answered_at,
        outcome=OfferOutcome.ANSWERED,
    )
    agent = Leg(
        number=1,
        purpose=LegPurpose.AGENT,
        party="anne",
        began_at=rang_at,
        answered_at=answered_at,
        ended_at=clocks.ended_at,
        ended_by=EndedBy.CALLER,
        cause=16,
        open=False,
    )
    caller = replace(agent, number=2, purpose=LegPurpose.CALLER, party="", began_at=clocks.ringing_at)
    return replace(call, offers=(offer,), offers_made=1, legs=(agent, caller), legs_made=2)


def postmaster(data_dir: Path) -> int:
    """The process number of the embedded PostgreSQL."""
    return int((data_dir / FOLDER / "postmaster.pid").read_text().split()[0])


async def emptied(database: Database) -> None:
    """No rows, and no checkpoint of the run before under way."""
    async with database.connection() as connection:
        await connection.execute(
            text("TRUNCATE calls, superseded_calls, queue_visits, offers, legs, messages, message_changes CASCADE")
        )
    connection = await database.connect_raw()
    await connection.execute("CHECKPOINT")
    await connection.close()


async def one_by_one(database: Database, calls: Sequence[Call]) -> float:
    """Calls a second of the plain way."""
    rows = Rows()
    for call in calls:
        rows.add(call)
    connection = await database.connect_raw()
    await expect_rows(connection)
    call_sql = await connection.prepare(_insert("calls", CALL_COLUMNS))
    visit_sql = await connection.prepare(_insert("queue_visits", QUEUE_VISIT_COLUMNS))
    began = perf_counter()
    for call_row, visit_row in zip(rows.calls, rows.queue_visits, strict=True):
        async with connection.transaction():
            await call_sql.fetch(*call_row)
            await visit_sql.fetch(*visit_row)
    rate = len(calls) / (perf_counter() - began)
    await connection.close()
    return rate


async def raw_copy(database: Database, calls: Sequence[Call]) -> float:
    """Calls a second of COPY alone, the rows made beforehand, in transactions of the recorder's size."""
    rows = Rows()
    for call in calls:
        rows.add(call)
    connection = await database.connect_raw()
    await expect_rows(connection)
    gc.freeze()
    began = perf_counter()
    for first in range(0, len(calls), BATCH_CALLS):
        batch = slice(first, first + BATCH_CALLS)
        async with connection.transaction():
            await connection.copy_records_to_table("calls", records=rows.calls[batch], columns=CALL_COLUMNS)
            await connection.copy_records_to_table(
                "queue_visits", records=rows.queue_visits[batch], columns=QUEUE_VISIT_COLUMNS
            )
    rate = len(calls) / (perf_counter() - began)
    await connection.close()
    return rate


@dataclass(frozen=True, kw_only=True)
class Caught:
    """How the recorder caught up, from a full memory to the last commit."""

    rate: float
    """Calls a second."""
    own_cpu: float
    """Microseconds a call in the recorder's process."""
    postgresql_cpu: float
    """The same of PostgreSQL."""
    other_cores: float
    """Cores that everything else on the machine kept busy meanwhile."""


async def recorder(database: Database, calls: Sequence[Call], folder: Path, server: int) -> Caught:
    """Let the recorder catch up; `server` is the process number of PostgreSQL."""
    at_work = Recorder(database, folder, memory_calls=len(calls))
    for call in calls:
        at_work.observe([CallEnded(call=call)])
    gc.freeze()
    began = perf_counter(), process_time(), family_cpu_seconds(server), busy_seconds()
    async with asyncio.TaskGroup() as group:
        group.create_task(at_work.run())
        while at_work.backlog:
            await asyncio.sleep(0.005)
        ended = perf_counter(), process_time(), family_cpu_seconds(server), busy_seconds()
        await at_work.close()
    async with database.connection() as connection:
        stored = (await connection.execute(text("SELECT count(*) FROM calls"))).scalar_one()
    if not stored == at_work.written_total == len(calls):
        raise SystemExit(f"{len(calls)} calls were told and {stored} are stored")
    seconds, own, postgresql, busy = (after - before for before, after in zip(began, ended, strict=True))
    return Caught(
        rate=len(calls) / seconds,
        own_cpu=own / len(calls) * 1e6,
        postgresql_cpu=postgresql / len(calls) * 1e6,
        other_cores=max(0.0, busy - own - postgresql) / seconds,
    )


def _insert(table: str, columns: Sequence[str]) -> str:
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"


async def measure(calls_wanted: int, runs: int, *, people: bool = False) -> float:
    """Run all three, print the table, and give the recorder's rate."""
    calls = [ended_call(number) for number in range(calls_wanted)]
    if people:
        calls = [with_people(call) for call in calls]
    found: dict[str, list[float]] = {"one by one": [], "recorder": [], "raw COPY": []}
    caught: list[Caught] = []
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as folder:
        database = await Database.open(None, Path(folder))
        server = postmaster(Path(folder))
        for run in range(runs):
            await emptied(database)
            found["one by one"].append(await one_by_one(database, calls[:ONE_BY_ONE]))
            await emptied(database)
            caught.append(await recorder(database, calls, Path(folder, f"spool-{run}"), server))
            found["recorder"].append(caught[-1].rate)
            await emptied(database)
            found["raw COPY"].append(await raw_copy(database, calls))
        await database.close()
    print(f"{'rows to PostgreSQL':<20}{'calls/s':>10}{'lowest':>10}{'highest':>10}")
    for name, rates in found.items():
        print(f"{name:<20}{statistics.median(rates):>10,.0f}{min(rates):>10,.0f}{max(rates):>10,.0f}")
    own, postgresql, others = (
        statistics.median(values)
        for values in zip(*((one.own_cpu, one.postgresql_cpu, one.other_cores) for one in caught), strict=True)
    )
    print(f"CPU of a call: {own:.1f} µs in the recorder's process, {postgresql:.1f} µs in PostgreSQL's")
    print(f"cores busy with anything else meanwhile: {others:.2f} of {os.cpu_count()}")
    return statistics.median(found["recorder"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--people", action="store_true")
    options = parser.parse_args(arguments)
    rate = uvloop.run(measure(options.calls, options.runs, people=options.people))
    print(f"target: {TARGET:,.0f} calls/s: {'met' if rate >= TARGET else 'missed'}")
    return int(rate < TARGET)


if __name__ == "__main__":
    sys.exit(main())
