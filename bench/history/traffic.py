"""Fifty calls a second into a history, and the worker's part of them: until it is stopped.

    python -m bench.history.traffic FOLDER

The calls ring on the last day of the history, in batches as the recorder writes them. Beside them days are made again
where this tree does that, as `callrouter worker` would.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import time
from typing import Any

from bench.history.days import COLUMNS, rows_of
from bench.history.filling import Size
from callrouter.store.database import Database
from callrouter.store.figures.rebuilding import rebuild_some
from callrouter.store.writing.rows import Row, expect_rows

CALLS_A_SECOND = 50
REBUILT_EVERY_SECONDS = 5.0
_PROCESS = int(time())


async def write_calls(database: Database) -> None:
    """A batch each tenth of a second; ids that the history has not."""
    connection = await database.connect_raw()
    await expect_rows(connection)
    day = Size(months=1).days()[-1][0]
    batch = CALLS_A_SECOND // 10
    round_number = 0
    while True:
        round_number += 1
        made = rows_of(day, batch * 600, clients=800, seed=1000 + round_number, people=False).tables
        visits: dict[str, list[Row]] = {}
        for visit in made["queue_visits"]:
            visits.setdefault(visit[0], []).append(visit)
        for first in range(0, len(made["calls"]), batch):
            calls = made["calls"][first : first + batch]
            async with connection.transaction():
                await _copy(connection, "calls", [_named(row, round_number) for row in calls])
                of_them = [visit for row in calls for visit in visits.get(row[0], ())]
                await _copy(connection, "queue_visits", [_named(row, round_number) for row in of_them])
            await asyncio.sleep(0.1)


async def _copy(connection: Any, table: str, rows: list[Row]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])


def _named(row: Row, round_number: int) -> Row:
    second, _, place = row[0].split("-")
    return (f"{second}-{_PROCESS}.{round_number}-{place}", *row[1:])


async def rebuild(database: Database) -> None:
    """As the worker does."""
    while True:
        if (await rebuild_some(database)).did_nothing:
            await asyncio.sleep(REBUILT_EVERY_SECONDS)


async def main(folder: Path) -> None:
    """Both, until a signal."""
    database = await Database.open(None, folder)
    async with asyncio.TaskGroup() as group:
        group.create_task(write_calls(database))
        group.create_task(rebuild(database))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
