"""DuckDB over Parquet, a file a month: what somebody would take who wants no figures by day in PostgreSQL.

It holds what figures need of a call and nothing more, exported in order of client and time, and is asked for the same
counts and percentiles by client. It is as old as its last export; a call that comes late has its month written again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import duckdb

from callrouter.store.database import Database

_EXPORTED: Final = """
SELECT calls.client, plan_version, disposition, ringing_at, waiting_seconds, talk_seconds,
    entered_service_at IS NOT NULL AS offered, coalesce(within_seconds, 20) AS within_seconds,
    coalesce(short_abandon_seconds, 5) AS short_seconds, coalesce(promise_id, 0) AS promise
FROM calls LEFT JOIN plans ON plans.client = calls.client AND plans.version = plan_version
LEFT JOIN promises USING (promise_id)
WHERE ringing_at >= '{from_at}' AND ringing_at < '{to_at}'
ORDER BY calls.client, ringing_at
"""
_ASKED: Final = """
SELECT client, promise, count(*), count(*) FILTER (WHERE offered), {dispositions},
    count(*) FILTER (WHERE reached AND waiting_seconds <= within_seconds),
    count(*) FILTER (WHERE abandoned AND waiting_seconds <= within_seconds),
    count(*) FILTER (WHERE abandoned AND waiting_seconds < short_seconds),
    sum(waiting_seconds) FILTER (WHERE reached), max(waiting_seconds) FILTER (WHERE reached),
    quantile_cont(waiting_seconds, [0.5, 0.9, 0.95]) FILTER (WHERE reached),
    sum(waiting_seconds) FILTER (WHERE abandoned), max(waiting_seconds) FILTER (WHERE abandoned),
    quantile_cont(waiting_seconds, [0.5, 0.9, 0.95]) FILTER (WHERE abandoned),
    sum(talk_seconds) FILTER (WHERE reached)
FROM (
    SELECT *, disposition IN ('answered', 'redirected') AS reached, disposition = 'abandoned' AS abandoned
    FROM read_parquet({files}) WHERE ringing_at >= ? AND ringing_at < ? {whose}
) GROUP BY client, promise ORDER BY client
"""
_DISPOSITIONS: Final = (
    *("answered", "redirected", "message_left", "self_served", "abandoned", "left_early", "rejected", "failed"),
)
_COLUMNS: Final = {
    "client": "VARCHAR",
    "plan_version": "VARCHAR",
    "disposition": "VARCHAR",
    "ringing_at": "TIMESTAMPTZ",
    "waiting_seconds": "DOUBLE",
    "talk_seconds": "DOUBLE",
    "offered": "BOOLEAN",
    "within_seconds": "DOUBLE",
    "short_seconds": "DOUBLE",
    "promise": "INTEGER",
}


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """An export, and what it cost."""

    folder: Path
    months: list[str]
    seconds: float

    @property
    def size(self) -> int:
        """In bytes."""
        return sum((self.folder / f"{month}.parquet").stat().st_size for month in self.months)


async def export(database: Database, folder: Path, months: list[str]) -> Parquet:
    """The calls of these months (2026-10), by Paris's clock; those that are in the folder already are left."""
    began = time.perf_counter()
    connection: Any = await asyncpg.connect(database.url.render_as_string(hide_password=False))
    await connection.execute("SET timezone = 'Europe/Paris'")
    for month in months:
        made, written = folder / f"{month}.parquet", folder / f"{month}.csv"
        if made.exists():
            continue
        rows = _EXPORTED.format(from_at=f"{month}-01", to_at=f"{_next(month)}-01")
        with written.open("wb") as file:
            await connection.copy_from_query(rows, output=file, format="csv")
        columns = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items()) + "}"
        duckdb.execute(
            f"COPY (SELECT * FROM read_csv('{written}', header=false, columns={columns})) TO '{made}' (FORMAT parquet)"
        )
        written.unlink()
    await connection.close()
    return Parquet(folder=folder, months=months, seconds=time.perf_counter() - began)


def ask(exported: Parquet, months: list[str], client: str | None, repeats: int) -> list[float]:
    """Milliseconds of so many questions about these months; the first is not counted."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Europe/Paris'")
    files = [str(exported.folder / f"{month}.parquet") for month in months]
    query = _ASKED.format(
        dispositions=", ".join(f"count(*) FILTER (WHERE disposition = '{one}')" for one in _DISPOSITIONS),
        files=files,
        whose="" if client is None else f"AND client = '{client}'",
    )
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        connection.execute(query, [f"{months[0]}-01", f"{_next(months[-1])}-01"]).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return times[1:]


def _next(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02}"
