"""From save to live, with 800 clients: `python -m bench.reload [SAVES]`.

One process does what the engine does (loader, plans, watcher; on paper, so that no text is spoken) while its event
loop is asked every millisecond whether it turns. A save is a write beside the file and a rename, as editors do, of
another file each time; it is live when a new call would walk the new version. Printed are milliseconds: median, 95th
percentile and longest, of the saves, and of the pauses of the loop meanwhile, as calls would feel them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bench.clients import COUNT, write_clients
from callrouter.app.watch import Watcher
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks

LIMIT_SECONDS = 0.1
PULLED = 300


async def measure(folder: Path, saves: int) -> tuple[list[float], float, list[float]]:
    """Seconds of each save, of a pull of 300 files, and the loop's pauses beyond a millisecond."""
    loader = Loader(folder, PaperSpeech())
    began = time.perf_counter()
    plans = ServedPlans(loader.load(), loader, LiveCalls(), now=lambda: datetime.now(UTC))
    print(f"{len(plans.plans)} clients loaded in {time.perf_counter() - began:.2f} s", file=sys.stderr)
    gc.collect()
    gc.freeze()
    tasks, pauses = Tasks(), list[float]()
    tasks.start(Watcher(loader, plans).run(), "watch")
    await asyncio.sleep(0.5)
    tasks.start(_feel(pauses), "pauses")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    clients = list(plans.plans.values())
    taken = []
    for number in range(saves):
        plan = clients[number * 37 % len(clients)]
        taken.append(await _save(folder, plans, [plan.client], f"# {number}"))
        await asyncio.sleep(0.15)
    pulled = await _save(folder, plans, [plan.client for plan in clients[:PULLED]], "# pulled")
    await tasks.stop()
    return taken, pulled, pauses


async def _save(folder: Path, plans: ServedPlans, clients: list[str], remark: str) -> float:
    """Seconds from the last rename to the moment all of them are served by another version."""
    before = {client: plans.plans[client].version for client in clients}
    await asyncio.to_thread(_write, [folder / plans.plans[client].source for client in clients], remark)
    began = time.perf_counter()
    while any(plans.plans[client].version == version for client, version in before.items()):
        await asyncio.sleep(0.001)
        if time.perf_counter() - began > 30:
            raise SystemExit("a save never went live")
    return time.perf_counter() - began


def _write(paths: list[Path], remark: str) -> None:
    for path in paths:
        written = path.with_name(f".{path.name}.new")
        written.write_text(f"{path.read_text(encoding='utf-8')}{remark}\n", encoding="utf-8")
        written.replace(path)


async def _feel(pauses: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        pauses.append(time.perf_counter() - began - 0.001)


def main() -> None:
    """Print the figures; end with 1 when the 95th percentile of a save is over the limit."""
    saves = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        write_clients(Path(place), COUNT)
        taken, pulled, pauses = asyncio.run(measure(Path(place), saves))
    print(
        f"save to live: {_figures(taken)}; {PULLED} files at once: {pulled * 1000:.0f} ms; pauses: {_figures(pauses)}"
    )
    sys.exit(1 if _at(taken, 0.95) > LIMIT_SECONDS else 0)


def _figures(seconds: list[float]) -> str:
    return f"{_at(seconds, 0.5) * 1000:.1f} / {_at(seconds, 0.95) * 1000:.1f} / {max(seconds) * 1000:.1f} ms"


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


if __name__ == "__main__":
    main()
