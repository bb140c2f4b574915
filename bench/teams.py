"""From a saved team to a queue that rings so, with 800 clients: `python -m bench.teams [SAVES]`.

One process does what the engine does (loader, plans, watcher, handover; on paper, so that no text is spoken), and
`callrouter pbx apply` is a process of its own beside a real Asterisk. A save is a write beside `shared/queues.yaml` and
a rename; it adds a team, another each time, and is live when Asterisk has that team. All trees stand on the shared
files, and are compiled again meanwhile. Printed are milliseconds: median, 95th percentile and longest.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from bench.clients import COUNT, write_clients
from callrouter.api.auth import Gate
from callrouter.api.engine_app import create_engine_app
from callrouter.app.http import HttpServer
from callrouter.app.pbx.named_queues import NamedQueues
from callrouter.app.watch import Watcher
from callrouter.app.wiring.listening import listen
from callrouter.asterisk.teams.console import Console
from callrouter.asterisk.teams.handover import Handover
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.dialplan.shared.reading import Shared
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import Found
from deploy.asterisk.pbx import Pbx, teams_of_folder

LIMIT_SECONDS = 1.0
TOKEN = secrets.token_urlsafe(24)


class _Nobody:
    """No other tokens than ours, and no trail."""

    def remembered(self, presented: str) -> None:
        """As Tokens."""

    async def find(self, presented: str) -> Found | None:
        return None

    def note(self, deed: Deed) -> None:
        pass


async def measure(folder: Path, pbx: Pbx, saves: int) -> tuple[list[float], list[float]]:
    """Seconds until each save is live on the PBX, and until all trees stand on it."""
    loop, named_due = asyncio.get_running_loop(), asyncio.Event()
    handover = Handover(TOKEN, on_applied=lambda: None)

    def tell(shared: Shared) -> None:
        loop.call_soon_threadsafe(handover.folder_says, shared)

    loader = Loader(folder, PaperSpeech(), on_shared=tell)
    loaded = await asyncio.to_thread(loader.load)
    plans = ServedPlans(loaded, loader, LiveCalls(), now=lambda: datetime.now(UTC), on_swap=lambda _: named_due.set())
    gc.collect()
    gc.freeze()
    listening = listen("127.0.0.1", 0, "no setting")
    app = create_engine_app([], CollectorRegistry(), {}, gate=Gate(TOKEN, _Nobody(), _Nobody()), handover=handover)
    server, tasks = HttpServer(app, listening), Tasks()
    web = tasks.start(server.run_until_stopped(), "http")
    tasks.start(NamedQueues(handover, lambda: plans.plans, LiveCalls(), due=named_due).run(), "named")
    tasks.start(Watcher(loader, plans).run(), "watch")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    taken, compiled = [], []
    with _unit(pbx, listening.getsockname()[1]):
        await _until(lambda: handover.applied == handover.version != "", 20)
        for number in range(saves):
            live, whole = await _save(folder, plans, Console(pbx.run_dir / "etc"), f"team-{number}")
            taken.append(live)
            compiled.append(whole)
        handover.close()
    server.stop()
    await web
    await tasks.stop()
    return taken, compiled


@contextmanager
def _unit(pbx: Pbx, port: int) -> Iterator[None]:
    """`callrouter pbx apply`."""
    environment = os.environ | {
        "CALLROUTER_API_TOKEN": TOKEN,
        "CALLROUTER_PBX_KEY": TOKEN,
        "CALLROUTER_PBX_DIR": str(pbx.run_dir / "etc"),
        "CALLROUTER_ENGINE_URL": f"http://127.0.0.1:{port}",
        "CALLROUTER_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "callrouter", "pbx", "apply"]
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def _save(folder: Path, plans: ServedPlans, console: Console, team: str) -> tuple[float, float]:
    path = folder / "shared" / "queues.yaml"
    written = path.with_name(".queues.new")
    written.write_text(f"{path.read_text()}  {team}: {{ members: [agent-1] }}\n")
    began = time.perf_counter()
    written.replace(path)
    while team not in await asyncio.to_thread(console.waiting):
        await asyncio.sleep(0.002)
    live = time.perf_counter() - began
    await _until(lambda: team in plans.catalogue.queues, 30)
    return live, time.perf_counter() - began


async def _until(true: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def main() -> None:
    """Print the figures; end with 1 when the longest save is over the limit."""
    saves = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        folder = Path(place) / "dialplans"
        write_clients(folder, COUNT)
        with Pbx.start(Path(place) / "pbx", agents=0, teams=teams_of_folder(folder)) as pbx:
            taken, compiled = asyncio.run(measure(folder, pbx, saves))
    print(f"team to live: {_figures(taken)}; trees: {_figures(compiled)}")
    sys.exit(1 if max(taken) > LIMIT_SECONDS else 0)


def _figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"{middle * 1000:.0f} / {late * 1000:.0f} / {ordered[-1] * 1000:.0f} ms"


if __name__ == "__main__":
    main()
