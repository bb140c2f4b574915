"""A PostgreSQL of its own, with a history of calls in it: `python -m bench history --calls 1000000 --folder F`.

The server is the embedded one, with PostgreSQL's own settings, and the schema is that of the tree that runs this
(`Database.upgrade`). Rows go by COPY into the tables as they are, with every index and every trigger but those of
messages (nobody shall be told of these), a day at a time, in as many processes as are asked for. Afterwards the tables
are vacuumed and analysed, as autovacuum would have done in 30 months, and the server is stopped.

A folder that holds the history already is left as it is, but for the schema, which becomes this tree's; without
`--folder` it is a temporary one (`filled`, for other benches), gone afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncpg
import numpy as np

from bench.history.clients import FIRST_DAY, MONTHS, history_of
from bench.history.days import COLUMNS, PEOPLE, WEEKDAYS, rows_of
from callrouter.store import schema
from callrouter.store.database import Database
from callrouter.store.embedded import FOLDER
from callrouter.store.plans import remember_live
from callrouter.store.writing.rows import expect_rows

CALLS: Final = 10_000_000
QUICK_CALLS: Final = 1_000_000
SEED: Final = 13
MARKER: Final = "history.json"
"""In the folder, once it is whole: what it holds."""
TELLS_EVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Which history: the same size gives the same rows."""

    calls: int = CALLS
    clients: int = 800
    months: int = MONTHS
    """The last ones of the thirty."""
    seed: int = SEED
    people: bool = True
    """With offers, legs, holds and agents' sessions."""

    def days(self) -> list[tuple[date, int]]:
        """Each day, and how many calls it has: they grow by a third over the months, and stand still in August."""
        last = date(FIRST_DAY.year + (FIRST_DAY.month - 1 + MONTHS) // 12, (FIRST_DAY.month - 1 + MONTHS) % 12 + 1, 1)
        months_before = (last.year * 12 + last.month - 1) - self.months
        first = date(months_before // 12, months_before % 12 + 1, 1)
        days = [first + timedelta(days=number) for number in range((last - first).days)]
        whole = (last - FIRST_DAY).days
        weights = np.array(
            [
                WEEKDAYS[day.weekday()]
                * (0.85 + 0.3 * (day - FIRST_DAY).days / whole)
                * (0.6 if day.month == 8 else 0.1 if (day.month, day.day) in _HOLIDAYS else 1.0)
                for day in days
            ]
        )
        ends = np.rint(np.cumsum(weights / weights.sum()) * self.calls).astype(int)
        counts = np.diff(ends, prepend=0)
        return list(zip(days, counts.tolist(), strict=True))


_HOLIDAYS: Final = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}


@asynccontextmanager
async def filled(size: Size, folder: Path | None = None, *, workers: int = 2) -> AsyncIterator[Database]:
    """A database that holds this history, made first where the folder does not; without one, gone in the end.

    Raises:
        SystemExit: the folder holds another history.
    """
    with tempfile.TemporaryDirectory(prefix="callrouter-history-") as temporary:
        place = folder or Path(temporary)
        await make(size, place, workers=workers)
        database = await Database.open(None, place)
        try:
            yield database
        finally:
            await database.close()


async def make(size: Size, folder: Path, *, workers: int = 2, revision: str | None = None) -> None:
    """Fill a folder with this history; nothing is done where it is already. The server is stopped afterwards.

    `revision` is that of the schema, if not this tree's: for an earlier build.

    Raises:
        SystemExit: the folder holds another history, or part of one.
    """
    if _holds(folder, size):
        return
    database = await Database.open(None, folder)
    try:
        if revision is not None:
            async with database.connection() as connection:
                await connection.run_sync(schema.downgrade, revision)
        await fill(database, size, workers=workers)
    finally:
        await database.close()
    (folder / MARKER).write_text(json.dumps(asdict(size)), encoding="utf-8")


def _holds(folder: Path, size: Size) -> bool:
    """Whether a folder holds this history already; it is there, and empty, if it does not.

    Raises:
        SystemExit: it holds another history, or part of one.
    """
    marker = folder / MARKER
    if marker.exists():
        if json.loads(marker.read_text(encoding="utf-8")) != asdict(size):
            raise SystemExit(f"{folder} holds another history ({marker.read_text()}): name another folder")
        return True
    if (folder / FOLDER).exists():
        raise SystemExit(f"{folder} holds part of a history: remove it (--again)")
    folder.mkdir(parents=True, exist_ok=True)
    return False


async def fill(database: Database, size: Size, *, workers: int = 2) -> None:
    """Write this history into a database that is empty; tells its progress on stderr, once it takes long."""
    await remember_live(database, *history_of(size.clients))
    began = perf_counter()
    days = size.days()
    # A role that owns its server may: a checkpoint every gigabyte would write each page several times.
    await _outside(database, "ALTER TABLE messages DISABLE TRIGGER USER", "ALTER SYSTEM SET max_wal_size = '16GB'")
    await _outside(database, "SELECT pg_reload_conf()")
    url = database.url.render_as_string(hide_password=False)
    parts = [days[which::workers] for which in range(workers)]
    if workers == 1:
        await _write(url, size, parts[0], tells=False)
    else:
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            tasks = [
                loop.run_in_executor(pool, write_days, url, size, part, which == 0) for which, part in enumerate(parts)
            ]
            await asyncio.gather(*tasks)
    took = perf_counter() - began
    if took > 1:
        print(f"{size.calls:,} calls in {took:.0f} s: {size.calls / took:,.0f} a second", file=sys.stderr, flush=True)
    await _outside(
        database,
        "ALTER TABLE messages ENABLE TRIGGER USER",
        "ALTER SYSTEM RESET max_wal_size",
        "SELECT pg_reload_conf()",
        "VACUUM (ANALYZE)",
        "CHECKPOINT",
    )


def write_days(url: str, size: Size, days: Sequence[tuple[date, int]], tells: bool) -> None:
    """Write some days; in a process of its own."""
    asyncio.run(_write(url, size, days, tells=tells))


async def _write(url: str, size: Size, days: Sequence[tuple[date, int]], *, tells: bool) -> None:
    connection: Any = await asyncpg.connect(url)
    await connection.execute("SET synchronous_commit = off")
    await expect_rows(connection)
    told_at = perf_counter()
    for day, calls in days:
        if tells and perf_counter() > told_at + TELLS_EVERY_SECONDS:
            told_at = perf_counter()
            print(f"… {day:%Y-%m-%d}", file=sys.stderr, flush=True)
        rows = rows_of(day, calls, clients=size.clients, seed=size.seed, people=size.people)
        async with connection.transaction():
            for table, columns in COLUMNS.items():
                if rows.tables[table] and (size.people or table not in PEOPLE):
                    await connection.copy_records_to_table(table, records=rows.tables[table], columns=columns)
    await connection.close()


async def _outside(database: Database, *statements: str) -> None:
    """Run statements outside of a transaction, without a limit of time."""
    connection: Any = await asyncpg.connect(database.url.render_as_string(hide_password=False))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a history in a folder, and keep it."""
    parser = argparse.ArgumentParser(
        prog="bench history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where it is kept: 15 GB for ten million calls")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"how many (default: {CALLS:,})")
    parser.add_argument("--clients", type=int, default=800, help="of how many clients")
    parser.add_argument("--months", type=int, default=MONTHS, help="how many months, the last ones of thirty")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--no-people", action="store_true", help="without offers, legs, holds and agents' sessions")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that write")
    parser.add_argument("--again", action="store_true", help="remove what is in the folder first")
    options = parser.parse_args(arguments)
    if options.again:
        shutil.rmtree(options.folder, ignore_errors=True)
    size = Size(
        calls=options.calls,
        clients=options.clients,
        months=options.months,
        seed=options.seed,
        people=not options.no_people,
    )
    asyncio.run(make(size, options.folder, workers=options.workers))
    print(f"{options.folder} holds {size.calls:,} calls of {size.clients} clients in {size.months} months")
