"""A start with 800 clients after a kill: when it goes on with the calls that live, and when it has loaded the folder.

`python -m bench.restart child FILE` is the engine that is measured: `callrouter engine`, the whole of it, which writes
down when it came how far (the monotonic clock), and how long its loop stood still while the folder was loaded. With
`spare` behind it, it is one that `callrouter up` has loaded before: it waits for the word on its standard input.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import psutil

from bench.clients import COUNT, write_clients
from bench.figures import percentile
from bench.report import Section, Table, at_most, exactly
from bench.stand import CHECKOUT, Stand, engine_settings, inherited, stand
from callrouter import hurry
from callrouter.app.leading.spare import NAME
from callrouter.store.embedded import start_server, stop_server

LOG_IN_SECONDS: Final = 0.8
SPARE_SECONDS: Final = 1.0
"""From the kill until a spare has the last call: some fifty plans are made."""
SILENCE_SECONDS: Final = 3.0
"""What a caller may hear of it; the tenth of a second before the start is part of it."""
PLAN_SECONDS: Final = 0.05
CALLERS_OF: Final = range(6)
"""Last two figures of the clients whose callers are live: eight clients of each, and a caller whom all of them know."""
CALLED: Final = "0199000777"
"""The number of a client who has no caller."""
HOLD_SECONDS: Final = 170.0
"""Shorter than the callers' patience in their queue."""
PATIENCE_SECONDS: Final = 150.0
"""For a start, on a machine that is as busy as can be."""
QUEUES: Final = "".join(
    f"[{name}](team)\njoinempty = yes\nleavewhenempty = no\n" for name in ("medical", "legal", "trades", "shop")
)
BEGAN, IMPORTED, LOGGED_IN, TAKEN_OVER, FOUND, LOADED = (
    *("began", "imported", "logged in", "taken over", "found", "loaded"),
)
ABOUT: Final = f"""\
An engine with {COUNT} clients is killed, and another is started on what it left, with its prompts on disk and its
PostgreSQL running. {8 * len(CALLERS_OF)} callers wait in queues, each another client's. *Logged in*: the link is up.
*Taken over*: it goes on with the last of them, each by its own plan. *A plan is found* of what was live for a number
that is dialled: how long that takes then. *Loaded*: the folder is in service. A loop that is asked every millisecond
whether it turns shows what calls feel of the load. Milliseconds from exec, of each start in turn; of a *spare*, which
was loaded before, from the kill. In brackets those that the process was at work, on whatever machine else was busy."""


def bench(starts: int) -> Section:
    """So many starts, each after a kill."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        folder = Path(place) / "clients"
        folder.mkdir()
        write_clients(folder, COUNT)
        with stand(folder, extra_conf={"queues": QUEUES}) as found:
            runs, spares = _starts(found, starts)
    rows = [
        [
            name,
            *(_milliseconds(run, what) for what in (IMPORTED, LOGGED_IN, TAKEN_OVER)),
            f"{1000 * run[FOUND]:.1f}",
            _milliseconds(run, LOADED),
            f"{1000 * run['pause p99']:.1f} / {1000 * run['pause most']:.1f}",
        ]
        for name, run in [(f"{number}", run) for number, run in enumerate(runs, 1)]
        + [(f"spare {number}", run) for number, run in enumerate(spares, 1)]
    ]
    columns = ("start", "imported", "logged in", "taken over", "a plan is found in", "loaded", "pauses p99 / most")
    logged_in, taken_over = (median(run[what] - run[BEGAN] for run in runs) for what in (LOGGED_IN, TAKEN_OVER))
    found_in = max(run[FOUND] for run in runs + spares)
    by_spare = median(run[TAKEN_OVER] - run[BEGAN] for run in spares)
    return Section(
        title="A start after a kill",
        about=ABOUT,
        tables=[Table(columns=columns, rows=rows)],
        checks=[
            at_most("exec to log-in, the median", 1000 * logged_in, 1000 * LOG_IN_SECONDS, "ms", 0),
            at_most("exec to the last call taken over, the median", taken_over, SILENCE_SECONDS - 0.1, "s"),
            at_most("kill to the last call taken over by a spare, the median", by_spare, SPARE_SECONDS, "s"),
            at_most("a plan is found, the longest", 1000 * found_in, 1000 * PLAN_SECONDS, "ms", 1),
            exactly(
                "calls taken over, the fewest", round(min(run["calls"] for run in runs + spares)), 8 * len(CALLERS_OF)
            ),
        ],
    )


def _milliseconds(run: Mapping[str, float], what: str) -> str:
    return f"{1000 * (run[what] - run[BEGAN]):.0f} ({1000 * run[f'{what}, at work']:.0f})"


def _starts(found: Stand, starts: int) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """From exec, and of engines that were loaded before."""
    settings = engine_settings(found.root, "restarted", found.pbx)
    _speak(found.root, settings)
    engine = _Engine(found.root, settings)
    runs, spares = list[dict[str, float]](), list[dict[str, float]]()
    try:
        engine.start()  # the first one has nothing on disk yet
        for number in CALLERS_OF:
            dids = [f"019900{client // 100:02d}{client % 100:02d}" for client in range(number, COUNT, 100)]
            found.callers(
                dids[0],
                calls=len(dids),
                rate=20,
                caller=f"+336123500{number:02d}",
                dids=dids,
                hold_seconds=HOLD_SECONDS,
            )
        engine.wait_for_calls(8 * len(CALLERS_OF))
        for _ in range(starts):
            engine.kill()
            runs.append(engine.start())
            spares.append(engine.replace())
    finally:
        engine.kill()
        stop_server(start_server(Path(settings["CALLROUTER_DATA_DIR"]))[0])  # it outlives whoever is killed
    return runs, spares


def _speak(root: Path, settings: Mapping[str, str]) -> None:
    """Every prompt into the cache, as silence: what espeak-ng takes for 800 clients is no part of a restart."""
    from callrouter.dialplan import Loader
    from callrouter.speech import Speech

    class Silent(Speech):
        def _render(self, words: str, language: str) -> bytes:
            return bytes(16_000)

    Loader(root / "clients" / "dialplans", Silent(Path(settings["CALLROUTER_DATA_DIR"], "prompts"))).load()


class _Engine:
    """One after the other, on the same data."""

    def __init__(self, root: Path, settings: Mapping[str, str]) -> None:
        self._root = root
        self._settings = settings
        self._times = root / "restart.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, float]:
        """Start one, wait until it has loaded and kept what is live; when it came how far."""
        began = perf_counter()
        self._process = self._begin()
        return {BEGAN: began, **self._found()}

    def replace(self) -> dict[str, float]:
        """Kill it and have one go on that was loaded before; when that one came how far."""
        spare = self._begin("spare")
        while psutil.Process(spare.pid).name() != NAME:
            time.sleep(0.05)
        began = perf_counter()
        self.kill()
        self._process = spare
        hurry.lend(spare.pid)
        assert spare.stdin is not None
        spare.stdin.write(b"go\n")
        spare.stdin.close()
        return {BEGAN: began, **self._found()}

    def _begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        self._times.unlink(missing_ok=True)
        with (self._root / "restart.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "bench.restart", "child", str(self._times), *arguments],
                cwd=self._root,
                env={**inherited(), "PYTHONPATH": str(CHECKOUT), **self._settings},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _found(self) -> dict[str, float]:
        kept = Path(self._settings["CALLROUTER_DATA_DIR"], "live", "plans.json")
        self._wait(lambda: self._times.exists() and kept.exists(), "did not start")
        found: dict[str, float] = json.loads(self._times.read_text(encoding="utf-8"))
        return found

    def wait_for_calls(self, count: int) -> None:
        """Until so many are live."""
        page = f"http://127.0.0.1:{self._settings['CALLROUTER_ENGINE_PORT']}/metrics"

        def are_there() -> bool:
            try:
                with urllib.request.urlopen(page, timeout=10) as answer:
                    return f"\ncallrouter_live_calls {count}" in answer.read().decode()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                return False

        self._wait(are_there, f"never had {count} calls")

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _wait(self, until: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not until():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                words = (self._root / "restart.log").read_text(errors="replace")[-2000:]
                raise SystemExit(f"the engine {otherwise}: {words}")
            time.sleep(0.05)


def child(path: Path, *, is_spare: bool) -> None:
    """As `callrouter engine`, measured."""
    from callrouter import garbage, hurry

    since, worked = time.time(), 0.0
    (hurry.expect if is_spare else hurry.begin)()
    garbage.load_code()
    from callrouter.app import dialplans as app
    from callrouter.app.engine import run_engine
    from callrouter.app.leading.spare import wait_for_turn
    from callrouter.app.lifetime import Lifetime, run
    from callrouter.app.live.disk_plans import DiskPlans
    from callrouter.app.telephony import Telephony
    from callrouter.app.wiring import calls, operation
    from callrouter.asterisk.link import LinkState
    from callrouter.core.call import Call
    from callrouter.core.plan import Plan
    from callrouter.runtime.calls import LiveCall
    from callrouter.runtime.driver import Driver
    from callrouter.runtime.reload import ServedPlans
    from callrouter.settings import load_settings

    found: dict[str, float] = {"calls": 0.0}
    pauses: list[float] = []
    made: list[DiskPlans] = []

    def note(what: str) -> None:
        found[what], found[f"{what}, at work"] = perf_counter(), time.process_time() - worked

    class NotingDisk(DiskPlans):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[arg-type]
            made.append(self)

    class NotingDriver(Driver):
        def take_over(self, plan: Plan, call: Call, at: datetime) -> LiveCall:
            taken = super().take_over(plan, call, at)
            found["calls"] += 1
            note(TAKEN_OVER)
            return taken

    class NotingTelephony(Telephony):
        async def take_over(self, lifetime: Lifetime) -> None:
            await super().take_over(lifetime)
            if TAKEN_OVER not in found:
                note(TAKEN_OVER)
            began = perf_counter()
            await made[0].for_did(CALLED)
            found[FOUND] = perf_counter() - began
            asyncio.get_running_loop().create_task(_look_on())

        def _on_link_state(self, state: LinkState, reason: str) -> None:
            if state is LinkState.UP and LOGGED_IN not in found:
                note(LOGGED_IN)
            super()._on_link_state(state, reason)

    class NotingPlans(ServedPlans):
        def begin(self, *arguments: object, **options: object) -> None:
            super().begin(*arguments, **options)  # type: ignore[arg-type]
            note(LOADED)

    async def _look_on() -> None:
        while LOADED not in found:
            began = perf_counter()
            await asyncio.sleep(0.001)
            pauses.append(perf_counter() - began - 0.001)
        found["pause p99"], found["pause most"] = percentile(pauses, 99), max(pauses, default=0.0)
        await asyncio.sleep(1.0)  # what is live is being written
        written = path.with_suffix(".new")
        written.write_text(json.dumps(found), encoding="utf-8")
        written.replace(path)

    for module, noting in (
        (app, NotingDisk),
        (app, NotingPlans),
        (calls, NotingDriver),
        (operation, NotingTelephony),
    ):
        setattr(module, noting.__mro__[1].__name__, noting)
    garbage.code_is_loaded()
    if is_spare:
        wait_for_turn(since)
        worked = time.process_time()
    note(IMPORTED)
    settings = load_settings()
    run(run_engine(settings, settings.required_api_token()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]), is_spare="spare" in sys.argv[3:])
    else:
        print(bench(int(sys.argv[1]) if len(sys.argv) > 1 else 5).plain())
