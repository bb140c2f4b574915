"""A start with 800 clients after a kill: when it takes calls, and when it has loaded the folder.

`python -m bench.restart child FILE` is the engine that is measured: `callrouter engine`, the whole of it, which writes
down when it came how far (the monotonic clock), and how long its loop stood still while the folder was loaded.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.clients import COUNT, write_clients
from bench.figures import percentile
from bench.report import Section, Table, at_most
from bench.stand import CHECKOUT, READY_SECONDS, Stand, engine_settings, inherited, stand

LOG_IN_SECONDS: Final = 0.8
PLAN_SECONDS: Final = 0.05
BEGAN, IMPORTED, LOGGED_IN, FOUND, LOADED = "began", "imported", "logged in", "found", "loaded"
CALLED: Final = "0199000400"
"""The number of one of the clients."""
ABOUT: Final = f"""\
An engine with {COUNT} clients is killed, and another is started on what it left, with its prompts on disk and its
PostgreSQL running. *Logged in*: from then on live calls can be taken over. *A plan is found* of what was live for a
number that is dialled: how long that takes after the log-in, of the first one. *Loaded*: the folder is in service.
A loop that is asked every millisecond whether it turns shows what calls feel of the load. Milliseconds from exec, of
each start in turn; in brackets those that the process was at work, on whatever machine else was busy."""


def bench(starts: int) -> Section:
    """So many starts, each after a kill."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        folder = Path(place) / "clients"
        folder.mkdir()
        write_clients(folder, COUNT)
        with stand(folder) as found:
            runs = _starts(found, starts)
    rows = [
        [
            str(number),
            *(_milliseconds(run, what) for what in (IMPORTED, LOGGED_IN)),
            f"{1000 * run[FOUND]:.1f}",
            _milliseconds(run, LOADED),
            f"{1000 * run['pause p99']:.1f} / {1000 * run['pause most']:.1f}",
        ]
        for number, run in enumerate(runs, 1)
    ]
    columns = ("start", "imported", "logged in", "a plan is found in", "loaded", "pauses p99 / most")
    logged_in = sorted(run[LOGGED_IN] - run[BEGAN] for run in runs)[len(runs) // 2]
    return Section(
        title="A start after a kill",
        about=ABOUT,
        tables=[Table(columns=columns, rows=rows)],
        checks=[
            at_most("exec to log-in, the median", 1000 * logged_in, 1000 * LOG_IN_SECONDS, "ms", 0),
            at_most(
                "a plan is found, the longest", 1000 * max(run[FOUND] for run in runs), 1000 * PLAN_SECONDS, "ms", 1
            ),
        ],
    )


def _milliseconds(run: Mapping[str, float], what: str) -> str:
    return f"{1000 * (run[what] - run[BEGAN]):.0f} ({1000 * run[f'{what}, at work']:.0f})"


def _starts(found: Stand, starts: int) -> list[dict[str, float]]:
    settings = engine_settings(found.root, "restarted", found.pbx)
    _speak(found.root, settings)
    runs = []
    for number in range(starts + 1):
        run = _start(found.root, settings)
        if number:  # the first one has nothing on disk yet
            runs.append(run)
    return runs


def _speak(root: Path, settings: Mapping[str, str]) -> None:
    """Every prompt into the cache, as silence: what espeak-ng takes for 800 clients is no part of a restart."""
    from callrouter.dialplan import Loader
    from callrouter.speech import Speech

    class Silent(Speech):
        def _render(self, words: str, language: str) -> bytes:
            return bytes(16_000)

    Loader(root / "clients" / "dialplans", Silent(Path(settings["CALLROUTER_DATA_DIR"], "prompts"))).load()


def _start(root: Path, settings: Mapping[str, str]) -> dict[str, float]:
    """Start it, wait until it has loaded, and kill it a moment later."""
    times = root / "restart.json"
    times.unlink(missing_ok=True)
    began = perf_counter()
    with (root / "restart.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.restart", "child", str(times)],
            cwd=root,
            env={**inherited(), "PYTHONPATH": str(CHECKOUT), **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while not times.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"the engine did not start: {(root / 'restart.log').read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    while not Path(settings["CALLROUTER_DATA_DIR"], "live", "plans.json").exists():
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found: dict[str, float] = json.loads(times.read_text(encoding="utf-8"))
    return {BEGAN: began, **found}


def child(path: Path) -> None:
    """As `callrouter engine`, measured."""
    from callrouter import garbage, hurry

    hurry.begin()
    garbage.load_code()
    from callrouter.app import dialplans as app
    from callrouter.app.engine import run_engine
    from callrouter.app.lifetime import Lifetime, run
    from callrouter.app.live.disk_plans import DiskPlans
    from callrouter.app.telephony import Telephony
    from callrouter.app.wiring import ground, operation
    from callrouter.asterisk.link import AmiLink, LinkState
    from callrouter.runtime.reload import ServedPlans
    from callrouter.settings import load_settings

    found: dict[str, float] = {}
    pauses: list[float] = []
    made: list[DiskPlans] = []

    def note(what: str) -> None:
        found[what], found[f"{what}, at work"] = perf_counter(), time.process_time()

    class NotingDisk(DiskPlans):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[arg-type]
            made.append(self)

    class NotingLink(AmiLink):
        def _change(self, state: LinkState, reason: str) -> None:
            if state is LinkState.UP and LOGGED_IN not in found:
                note(LOGGED_IN)
            super()._change(state, reason)

    class NotingTelephony(Telephony):
        async def take_over(self, lifetime: Lifetime) -> None:
            await super().take_over(lifetime)
            began = perf_counter()
            found["plans"] = float(await made[0].for_did(CALLED) is not None)
            found[FOUND] = perf_counter() - began
            asyncio.get_running_loop().create_task(_look_on())

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
        written = path.with_suffix(".new")
        written.write_text(json.dumps(found), encoding="utf-8")
        written.replace(path)

    for module, noting in ((app, NotingDisk), (ground, NotingLink), (operation, NotingTelephony), (app, NotingPlans)):
        setattr(module, noting.__mro__[1].__name__, noting)
    note(IMPORTED)
    settings = load_settings()
    garbage.code_is_loaded()
    run(run_engine(settings, settings.required_api_token()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]))
    else:
        print(bench(int(sys.argv[1]) if len(sys.argv) > 1 else 5).plain())
