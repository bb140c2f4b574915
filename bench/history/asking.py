"""Every question of figures and pages over a history, of three in one run: `python -m bench figures [--folder F]`.

- before: an earlier build (`--before`), checked out beside this one as `bench against` does. It is asked first, on the
  schema that it made, where the folder still has that one;
- this: the schema is upgraded, days are made, and the same questions are asked;
- DuckDB over Parquet files of the same calls (`bench.peers.duckdb_figures`), for figures.

Medians of twenty, with the 95th percentile; of pages and months also cold: the server was stopped, and its files have
left the page cache. The ratios bind, the milliseconds guide: they depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import text

from bench.against import ROOT, Build, checked_out, environment
from bench.figures import percentile
from bench.history.filling import CALLS, QUICK_CALLS, Size, make
from bench.history.probe import (
    BUSY_PAGE,
    COLD,
    COMMAND,
    COMMAND_OF_ONE,
    FIGURES,
    LARGEST,
    MEDIAN,
    PAGES,
    QUIET_PAGE,
    REPORT_HTTP,
    TRAFFIC,
)
from bench.peers import duckdb_figures
from bench.report import Check, Section, Table, at_least, at_most
from callrouter.store.database import Database
from callrouter.store.figures.rebuilding import mark_days, rebuild_some

PROBE: Final = Path(__file__).resolve().parent / "probe.py"
BEFORE: Final = "a8953193"
LIMIT_SECONDS: Final = 3600.0
NO_TIMES: Final = "–"
WORKERS: Final = os.cpu_count() or 1
_YEAR: Final = [f"2025-{month}" for month in (11, 12)] + [f"2026-{month:02}" for month in range(1, 11)]
_ALL: Final = [f"{2024 + (month + 5) // 12}-{(month + 5) % 12 + 1:02}" for month in range(30)]
DUCKDB: Final[Mapping[str, tuple[list[str], str | None]]] = {
    "month, largest client": (["2026-10"], LARGEST),
    "month, median client": (["2026-10"], MEDIAN),
    "month, all": (["2026-10"], None),
    "year, all": (_YEAR, None),
    "thirty months, largest client": (_ALL, LARGEST),
}
LIMITS: Final[Mapping[str, float]] = {
    "month, largest client": 5,
    "month, median client": 2,
    "month, all": 35,
    "running month, all, 50 calls/s written": 75,
    "running month, largest client, 50 calls/s written": 15,
    "year, all": 400,
    "thirty months, largest client": 100,
    "agent's day": 1,
    "agent's month": 5,
    COMMAND: 400,
    **dict.fromkeys(PAGES, 10.0),
}
"""Milliseconds, of the median."""
COLD_LIMIT: Final = 40.0
"""Of a page."""


@dataclass(kw_only=True)
class Asked:
    """What one build, or DuckDB, took: milliseconds by question."""

    warm: Mapping[str, Sequence[float]] = field(default_factory=dict)
    cold: Mapping[str, Sequence[float]] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    command_bytes: int = 0

    def median(self, name: str) -> float:
        """Of one question; nan without an answer."""
        return percentile(self.warm.get(name, ()), 50)


@dataclass(kw_only=True)
class Made:
    """What this build made of the calls, and what that took."""

    index_seconds: float = 0.0
    """Of the schema's upgrade."""
    all_seconds: float = 0.0
    """Of all days of everybody."""
    day_milliseconds: float = 0.0
    """Of one day of everybody."""
    bytes_of: Mapping[str, int] = field(default_factory=dict)
    """Of tables and indexes, by name."""


def ask(build: Build, options: Mapping[str, Any]) -> Asked:
    """Have a build asked, in a process of its own.

    Raises:
        SystemExit: it failed, or another tree was asked.
    """
    program = f"import sys; exec(compile(open({str(PROBE)!r}).read(), 'probe', 'exec'))"
    done = subprocess.run(
        [str(build.python), "-c", program, json.dumps(options)],
        cwd=build.tree,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode:
        raise SystemExit(f"{build.name} failed")
    found = json.loads(done.stdout.splitlines()[-1])
    if Path(found["callrouter"]).parents[1] != build.tree:
        raise SystemExit(f"{build.name} is {found['callrouter']}, not {build.tree}")
    return Asked(warm=found["warm"], cold=found["cold"], said=found["said"], command_bytes=int(found["command_bytes"]))


async def prepare(folder: Path) -> Made:
    """Upgrade the schema, and make all days that are not made."""
    began = time.perf_counter()
    database = await Database.open(None, folder)
    try:
        upgraded = time.perf_counter()
        while not (await rebuild_some(database)).did_nothing:
            pass
        rebuilt = time.perf_counter()
        day = datetime(2026, 11, 24, 12, tzinfo=UTC)
        days = []
        for _ in range(5):
            await mark_days(database, day, day.replace(hour=13))
            started = time.perf_counter()
            while not (await rebuild_some(database)).did_nothing:
                pass
            days.append((time.perf_counter() - started) * 1000)
        async with database.connection() as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            sizes = await connection.execute(
                text(
                    "SELECT relname, pg_table_size(oid) FROM pg_class"
                    " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
                )
            )
            bytes_of = {name: int(size) for name, size in sizes}
    finally:
        await database.close()
    await _vacuumed(folder)
    return Made(
        index_seconds=upgraded - began,
        all_seconds=rebuilt - upgraded,
        day_milliseconds=percentile(days, 50),
        bytes_of=bytes_of,
    )


async def _vacuumed(folder: Path) -> None:
    """As autovacuum does once such a table has come to be."""
    database = await Database.open(None, folder)
    connection: Any = await asyncpg.connect(database.url.render_as_string(hide_password=False))
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()
    await database.close()


async def ask_duckdb(folder: Path, repeats: int) -> tuple[Asked, duckdb_figures.Parquet]:
    """Export what is not exported yet, and ask."""
    database = await Database.open(None, folder)
    try:
        place = folder / "parquet"
        await asyncio.to_thread(place.mkdir, exist_ok=True)
        exported = await duckdb_figures.export(database, place, _ALL)
    finally:
        await database.close()
    warm = {
        name: await asyncio.to_thread(duckdb_figures.ask, exported, months, client, repeats)
        for name, (months, client) in DUCKDB.items()
    }
    return Asked(warm=warm), exported


def table(before: Asked, this: Asked, duck: Asked) -> Table:
    """All questions."""
    columns = ("ms: median (p95)", "before", "this", "DuckDB", "before / this", "limit")
    rows = []
    names = dict.fromkeys([*FIGURES, *(f"{name}, 50 calls/s written" for name in TRAFFIC), *PAGES])
    for name in [*names, COMMAND, COMMAND_OF_ONE, QUIET_PAGE, BUSY_PAGE, REPORT_HTTP]:
        limit = f"{LIMITS[name]:g}" if name in LIMITS else ""
        rows.append(_row(name, before.warm, this.warm, duck.warm, before.said, limit))
    for name in COLD:
        limit = f"{COLD_LIMIT:g}" if name in PAGES else ""
        rows.append(_row(f"{name}, cold", before.cold, this.cold, {}, before.said, limit, key=name))
    return Table(columns=columns, rows=rows)


Times = Mapping[str, Sequence[float]]


def _row(
    name: str, before: Times, this: Times, duck: Times, said: Mapping[str, str], limit: str, *, key: str = ""
) -> list[str]:
    known = key or name
    old, new = percentile(before.get(known, ()), 50), percentile(this.get(known, ()), 50)
    ratio = old / new if old == old and new == new and new else float("nan")
    cells = [_cell(times.get(known, ())) for times in (before, this, duck)]
    if cells[0] == NO_TIMES and (sentence := said.get(known)):
        cells[0] = sentence.partition(":")[0]
    return [name, *cells, NO_TIMES if ratio != ratio else f"{ratio:.1f}", limit]


def _cell(times: Sequence[float]) -> str:
    return f"{percentile(times, 50):,.1f} ({percentile(times, 95):,.1f})" if times else NO_TIMES


def checks(before: Asked, this: Asked, duck: Asked, made: Made) -> list[Check]:
    """What was promised."""
    found = [at_most(name, this.median(name), limit, "ms") for name, limit in LIMITS.items() if name in this.warm]
    found += [
        at_most(f"{name}, cold", percentile(this.cold[name], 50), COLD_LIMIT, "ms", 1)
        for name in PAGES
        if name in this.cold
    ]
    month = this.median("month, all")
    if before.median("month, all") == before.median("month, all"):
        found.append(at_least("month of all, beside before", before.median("month, all") / month, 14, "×"))
    if duck.warm:
        found.append(at_least("month of all, beside DuckDB", duck.median("month, all") / month, 1, "×", 2))
    if BUSY_PAGE in this.warm:
        found.append(at_most(f"{BUSY_PAGE}, p99", percentile(this.warm[BUSY_PAGE], 99), 100, "ms", 0))
    if this.command_bytes:
        found.append(at_most("memory of the command", this.command_bytes / 1e6, 90, "MB", 0))
    found += [
        at_most("a day of all is made again", made.day_milliseconds, 100, "ms", 0),
        *([at_most("thirty months are made", made.all_seconds, 40, "s", 0)] if made.all_seconds > 1 else []),
    ]
    calls = sum(size for name, size in made.bytes_of.items() if name == "calls" or name.startswith("calls_"))
    days = sum(size for name, size in made.bytes_of.items() if name.startswith("figure_"))
    found.append(at_most("days, of the calls", 100 * days / calls, 3, "%"))
    agents = made.bytes_of["queue_visits_agent_entered_at_idx"]
    found.append(at_most("agents by index, of the calls", 100 * agents / calls, 5, "%"))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the history where it is not made, ask all three, and print what was found."""
    parser = argparse.ArgumentParser(
        prog="bench figures", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the history is kept, or was; else a temporary one")
    parser.add_argument("--before", default=BEFORE, help=f"the earlier build; empty: none (default: {BEFORE})")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CALLS:,} calls instead of {CALLS:,}")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--cold", type=int, default=3, help="how often each is asked cold")
    parser.add_argument("--names", nargs="*", default=[], help="only questions that begin so")
    parser.add_argument("--json", type=Path, help="where all times are written, too")
    options = parser.parse_args(arguments)
    size = Size(calls=QUICK_CALLS if options.quick else CALLS)
    with tempfile.TemporaryDirectory(prefix="callrouter-figures-") as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        section = compare(folder, size, options)
    print(section.plain(), flush=True)


def compare(folder: Path, size: Size, options: argparse.Namespace) -> Section:
    """All of it, on one folder."""
    asked = {"folder": str(folder), "repeats": options.repeats, "cold": options.cold, "names": options.names}
    before, tree_of_before = Asked(), NO_TIMES
    with tempfile.TemporaryDirectory(prefix="callrouter-figures-") as place:
        Path(place).chmod(0o755)
        this_build = Build(name="this", tree=ROOT, python=environment(Path(place) / "new", ROOT))
        if options.before:
            with checked_out(options.before) as (tree, spare):
                build = Build(name="before", tree=tree, python=environment(spare / "old", tree))
                # On the schema that it made, without the indexes and days of this one.
                asyncio.run(make(size, folder, workers=WORKERS, revision=_head(tree)))
                before, tree_of_before = ask(build, asked), options.before
        asyncio.run(make(size, folder, workers=WORKERS))
        made = asyncio.run(prepare(folder))
        duck, exported = asyncio.run(ask_duckdb(folder, options.repeats))
        traffic = [str(this_build.python), "-m", "bench.history.traffic"]
        this = ask(this_build, asked | {"traffic": traffic})
    if options.json:
        found = {"before": vars(before), "this": vars(this), "DuckDB": vars(duck), "made": vars(made)}
        options.json.write_text(json.dumps(found), encoding="utf-8")
    calls = sum(bytes_ for name, bytes_ in made.bytes_of.items() if name == "calls" or name.startswith("calls_"))
    return Section(
        title=f"Figures and pages over {size.calls:,} calls",
        about=(__doc__ or "").partition("\n\n")[2].strip(),
        tables=[table(before, this, duck), _sizes(made)],
        checks=checks(before, this, duck, made),
        notes=[
            f"before: {tree_of_before}; calls with their indexes: {calls / 1e6:,.0f} MB",
            f"upgrade of the schema {made.index_seconds:.0f} s, all days {made.all_seconds:.0f} s",
            f"Parquet: {exported.size / 1e6:,.0f} MB, exported in {exported.seconds:.0f} s",
            f"memory of the command: {before.command_bytes / 1e6:.0f} MB before, {this.command_bytes / 1e6:.0f} now",
            f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            *(f"this build, {name}: {sentence}" for name, sentence in this.said.items()),
            *(f"before, {name}: {sentence}" for name, sentence in before.said.items()),
        ],
    )


def _head(tree: Path) -> str:
    """The last revision of a tree's schema."""
    return max(path.name[:4] for path in (tree / "migrations" / "versions").glob("[0-9]*.py"))


def _sizes(made: Made) -> Table:
    largest = sorted(made.bytes_of.items(), key=lambda one: -one[1])
    wanted = [(name, size) for name, size in largest if name.startswith(("calls", "queue_visits", "figure_"))]
    return Table(columns=("table or index", "MB"), rows=[[name, f"{size / 1e6:,.0f}"] for name, size in wanted])
