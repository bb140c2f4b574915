"""Asks one build of callrouter all questions of a history, and prints how long each took, as JSON.

    python -c "exec(...)" '{"folder": "F", "repeats": 20, "cold": 3, "names": []}'

Run by `bench.history.asking`, like `bench.probe`, in the tree and with the interpreter of that build: nothing of this
tree's `bench` may be imported, and only what both builds have of callrouter. A question that a build cannot answer has
a sentence instead of times.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

import callrouter
from callrouter.core.call import Disposition
from callrouter.periods import Moment, Period
from callrouter.store.calls import list_calls
from callrouter.store.database import Database
from callrouter.store.stats import read_stats

NOW: Final = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
"""The last minute of the history."""
OCTOBER: Final = Period(Moment(date(2026, 10, 1)), Moment(date(2026, 11, 1)))
NOVEMBER: Final = Period(Moment(date(2026, 11, 1)), Moment(NOW))
YEAR: Final = Period(Moment(date(2025, 11, 1)), Moment(date(2026, 11, 1)))
ALL_MONTHS: Final = Period(Moment(date(2024, 6, 1)), Moment(date(2026, 12, 1)))
LARGEST, TENTH, MEDIAN, SMALLEST = "client-001", "client-010", "client-400", "client-800"
AGENT: Final = "chloe-013"
"""Of a team of the largest client."""
INSTANTS: Final = {
    "from_at": datetime(2026, 10, 1, tzinfo=UTC),
    "to_at": datetime(2026, 11, 1, tzinfo=UTC),
}
TOO_LONG_SECONDS: Final = 5.0
"""What takes longer is asked three times only."""
TOKEN: Final = "a-token-of-the-bench"
ASKED_HTTP: Final = "from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z"

Question = Callable[[Database], Awaitable[object]]


def _figures(period: Period, client: str | None = None) -> Question:
    return lambda database: read_stats(database, period, now=NOW, client=client)


def _page(**filters: Any) -> Question:
    return lambda database: list_calls(database, limit=100, **filters)


def _agent(from_at: datetime, to_at: datetime) -> Question:
    """What an agent's figures are made of, as any function must read it: their visits to queues."""
    query = text(
        "SELECT count(*), sum(waiting_seconds), sum(extract(epoch FROM left_at - answered_at)) FROM queue_visits"
        " WHERE agent = :agent AND answered_at IS NOT NULL AND entered_at >= :from_at AND entered_at < :to_at"
    )

    async def ask(database: Database) -> object:
        async with database.connection() as connection:
            return (await connection.execute(query, {"agent": AGENT, "from_at": from_at, "to_at": to_at})).one()

    return ask


_DAY: Final = (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
FIGURES: Final[dict[str, Question]] = {
    "month, largest client": _figures(OCTOBER, LARGEST),
    "month, rank 10": _figures(OCTOBER, TENTH),
    "month, median client": _figures(OCTOBER, MEDIAN),
    "month, all": _figures(OCTOBER),
    "running month, largest client": _figures(NOVEMBER, LARGEST),
    "running month, all": _figures(NOVEMBER),
    "year, all": _figures(YEAR),
    "thirty months, largest client": _figures(ALL_MONTHS, LARGEST),
    "agent's day": _agent(*_DAY),
    "agent's month": _agent(INSTANTS["from_at"], INSTANTS["to_at"]),
}
PAGES: Final[dict[str, Question]] = {
    "page, newest": _page(),
    "page, largest client": _page(client=LARGEST),
    "page, median client": _page(client=MEDIAN),
    "page, smallest client": _page(client=SMALLEST),
    "page, answered": _page(disposition=Disposition.ANSWERED),
    "page, failed": _page(disposition=Disposition.FAILED),
    "page, failed in October": _page(disposition=Disposition.FAILED, **INSTANTS),
    "page, largest client and failed": _page(client=LARGEST, disposition=Disposition.FAILED),
    "page, median client and failed": _page(client=MEDIAN, disposition=Disposition.FAILED),
    "page, smallest client and failed": _page(client=SMALLEST, disposition=Disposition.FAILED),
    "page, agent": _page(agent=AGENT),
    "page, agent in October": _page(agent=AGENT, **INSTANTS),
    "page, DID": _page(did="+33140001007"),
    "page, DID in October": _page(did="+33140050003", **INSTANTS),
    "page, caller": _page(caller="+33600100000"),
    "page, caller in October": _page(caller="+33600100000", **INSTANTS),
    "page, caller with few calls": _page(caller="+33604000101"),
    "page, queue of the largest client, October": _page(client=LARGEST, queue="legal", **INSTANTS),
    "page, queue of the median client, October": _page(client=MEDIAN, queue="everybody", **INSTANTS),
    "page, node of the largest client, October": _page(client=LARGEST, node="take", **INSTANTS),
    "page, queue that the largest client never had, October": _page(client=LARGEST, queue="nobodys", **INSTANTS),
}
QUESTIONS: Final = {**FIGURES, **PAGES}
COLD: Final = ("month, largest client", "month, median client", "month, all", *PAGES)
COMMAND: Final = "command: stats, all"
COMMAND_OF_ONE: Final = "command: stats, median client"
BUSY_PAGE: Final = "page over HTTP while eight reports run"
QUIET_PAGE: Final = "page over HTTP, nothing else"
REPORT_HTTP: Final = "month, all, over HTTP, eight at once"
TRAFFIC: Final = ("running month, largest client", "running month, all")
"""Asked again while calls are written."""


@dataclass
class Found:
    """Milliseconds by question, and sentences of those without."""

    warm: dict[str, list[float]]
    cold: dict[str, list[float]]
    said: dict[str, str]


async def ask(database: Database, name: str, question: Question, repeats: int, found: Found) -> None:
    """One question, so many times; the first is to fill caches, and is not counted."""
    times: list[float] = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        try:
            await question(database)
        except Exception as error:
            found.said[name] = f"{type(error).__name__}: {error}"[:200]
            return
        times.append((time.perf_counter() - began) * 1000)
        if sum(times) > TOO_LONG_SECONDS * 1000 and len(times) > 3:
            break
    found.warm[name] = times[1:]


async def ask_cold(folder: Path, name: str, question: Question, found: Found) -> None:
    """One question, after the server has stopped and its files have left the page cache."""
    for file in (folder / "postgres").rglob("*"):
        if file.is_file():
            with contextlib.suppress(OSError), file.open("rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    database = await Database.open(None, folder)
    try:
        await database.ping()
        began = time.perf_counter()
        await question(database)
        found.cold.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    except Exception as error:
        found.said[f"{name}, cold"] = f"{type(error).__name__}: {error}"[:200]
    finally:
        await database.close()


def environment(folder: Path) -> dict[str, str]:
    """Of a command of this build on this history."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CALLROUTER_")}
    settings = {"DATA_DIR": str(folder), "API_TOKEN": TOKEN, "LOG_LEVEL": "warning", "DIALPLANS_DIR": "/nowhere"}
    return own | {"PYTHONPATH": str(Path.cwd())} | {f"CALLROUTER_{name}": value for name, value in settings.items()}


def command(folder: Path, repeats: int, *arguments: str) -> tuple[list[float], int]:
    """Milliseconds of a command, and its most memory in bytes."""
    times, memory = [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "callrouter", "stats", "--from", "2026-10-01", "--to", "2026-11-01", *arguments],
            env=environment(folder),
            cwd=tempfile.gettempdir(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.stderr.close()
        if status:
            raise RuntimeError(said[-200:])
        times.append((time.perf_counter() - began) * 1000)
        memory = max(memory, used.ru_maxrss * 1024)
    return times, memory


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """`callrouter web` of this build on this history; gives its address."""
    port = 18_000 + os.getpid() % 10_000
    settings = environment(folder) | {"CALLROUTER_WEB_PORT": str(port)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "callrouter", "web"],
            env=settings,
            cwd=tempfile.gettempdir(),
            stdout=log,
            stderr=log,
        )
        base = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    got(base, "/health")
                    break
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read().decode()[-300:])
                time.sleep(0.1)
            yield base
        finally:
            process.terminate()
            process.wait(30)


def got(base: str, path: str) -> float:
    """Milliseconds until an answer is here, whole; it is asked again where the server says that it is too busy."""
    asked = urllib.request.Request(base + path, headers={"Authorization": f"Bearer {TOKEN}"})
    began = time.perf_counter()
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                answer.read()
            return (time.perf_counter() - began) * 1000
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                raise
            time.sleep(0.2)


def while_reports_run(folder: Path, repeats: int, found: Found) -> None:
    """A page, alone and while eight reports of all clients run, one after the other each."""
    with web(folder) as base, ThreadPoolExecutor(9) as pool:
        page, report = "/api/calls?limit=100", f"/api/stats?{ASKED_HTTP}"
        got(base, page), got(base, report)
        found.warm[QUIET_PAGE] = [got(base, page) for _ in range(repeats * 5)]
        stops_at = time.monotonic() + 15
        reports: list[float] = []

        def go_on() -> None:
            while time.monotonic() < stops_at:
                reports.append(got(base, report))

        running = [pool.submit(go_on) for _ in range(8)]
        pages = []
        while time.monotonic() < stops_at:
            pages.append(got(base, page))
            time.sleep(0.02)
        for one in running:
            one.result()
        found.warm[BUSY_PAGE], found.warm[REPORT_HTTP] = pages, reports


async def main() -> None:
    """Ask what is asked for; `names` are beginnings of questions, none: all."""
    options = json.loads(sys.argv[1])
    folder, repeats, names = Path(options["folder"]), options["repeats"], options["names"]
    found = Found({}, {}, {})

    def wanted(name: str) -> bool:
        return not names or any(re.match(one, name) for one in names)

    database = await Database.open(None, folder)
    traffic = options.get("traffic")
    if traffic:
        writer = await asyncio.create_subprocess_exec(*traffic, str(folder), stdout=asyncio.subprocess.DEVNULL)
        await asyncio.sleep(5)
        for name in filter(wanted, TRAFFIC):
            await ask(database, f"{name}, 50 calls/s written", QUESTIONS[name], repeats, found)
        writer.terminate()
        await writer.wait()
    for name, question in QUESTIONS.items():
        if wanted(name):
            print(f"… {name}", file=sys.stderr, flush=True)
            await ask(database, name, question, repeats, found)
    memory = 0
    for name, arguments in ((COMMAND, ()), (COMMAND_OF_ONE, ("--client", MEDIAN))):
        if wanted(name):
            try:
                found.warm[name], memory = await asyncio.to_thread(command, folder, max(3, repeats // 3), *arguments)
            except RuntimeError as error:
                found.said[name] = str(error)
    if wanted(BUSY_PAGE):
        try:
            await asyncio.to_thread(while_reports_run, folder, repeats, found)
        except (RuntimeError, OSError) as error:
            found.said[BUSY_PAGE] = f"{type(error).__name__}: {error}"
    await database.close()
    for name in filter(wanted, COLD):
        if name not in found.said:
            for _ in range(options["cold"]):
                await ask_cold(folder, name, QUESTIONS[name], found)
    print(
        json.dumps(
            {
                "callrouter": callrouter.__file__,
                "warm": found.warm,
                "cold": found.cold,
                "said": found.said,
                "command_bytes": memory,
                "own_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
