"""The figures of one build, to be compared with another's: `python probe.py NAME SECONDS`.

Run by `against` with the interpreter of a tree, old or new, it finds that tree's `callrouter` and that tree's `bench`,
and uses of both only what earlier builds have too (from 52487f2 on; whoever renames that makes it find both names).
Only callrouter is measured, no peers. The last line it prints is JSON: where `callrouter` was found, and the figures by
name, each with its unit. Of every figure, less is better.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import callrouter
from bench import ami as ami_bench
from bench import core_step, dialplans_load, held, route_command
from bench.clients import COUNT, write_clients
from bench.cpu import resident_mb
from bench.figures import percentile
from bench.report import Section
from bench.stand import DID, Stand, stand
from callrouter.dialplan import Loader, PaperSpeech

Figures = dict[str, float]

CONTROL_RATE = 200.0
LOAD_RATES = (300.0, 400.0)
SAVES = 20


def load800(_: float) -> Figures:
    """All clients from cold, in a process that has done nothing else."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        write_clients(Path(place), COUNT)
        wall, cpu, _clients = dialplans_load.whole(Path(place))
    return {"800 clients loaded, s": wall, "800 clients loaded, s of CPU": cpu}


def saved(_: float) -> Figures:
    """One saved file, by a loader that has the rest, as the engine has it."""
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        write_clients(Path(place), COUNT)
        loader = Loader(Path(place), PaperSpeech())
        loader.load()
        gc.collect()
        gc.freeze()
        taken = [_save(loader, path) for path in sorted(Path(place).glob("*.yaml"))[: SAVES * 7 : 7]]
    walls, processor = zip(*taken, strict=True)
    return {"a saved file, ms": statistics.median(walls), "a saved file, ms of CPU": statistics.median(processor)}


def _save(loader: Loader, path: Path) -> tuple[float, float]:
    path.write_bytes(path.read_bytes() + b"# saved\n")
    began, used = perf_counter(), process_time()
    loader.load()
    return 1000 * (perf_counter() - began), 1000 * (process_time() - used)


def route(_: float) -> Figures:
    """`callrouter route` as a command."""
    wall, cpu = route_command.measured(route_command.ROUTE, 5)
    return {"route, ms": 1000 * wall, "route, ms of CPU": 1000 * cpu}


def core(_: float) -> Figures:
    """A step of the core, in the tree that is slowest, alone and with the call's state written."""
    journeys = core_step.journeys()
    found = {}
    for what, encode in (("a step of the core, µs", False), ("with the state written, µs", True)):
        runs = [[core_step.decide(one, 400, encode=encode) for one in journeys] for _ in range(9)]
        found[what] = max(statistics.median(times) for times in zip(*runs, strict=True))
    return found


def ami(_: float) -> Figures:
    """Reading the manager's stream."""
    rows = {row[0]: row for row in ami_bench.bench().tables[0].rows}
    return {
        f"AMI, {what}, µs a message": 1e6 / _number(rows[f"callrouter, {what} decoded"][1])
        for what in ("every event", "wanted events")
    }


def writer(_: float) -> Figures:
    """Rows to PostgreSQL when catching up."""
    import uvloop

    from bench.writer import measure

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        rate = uvloop.run(measure(200_000, 1))
    found = re.search(r"CPU of a call: ([\d.]+) µs.*?([\d.]+) µs", printed.getvalue())
    assert found is not None, printed.getvalue()
    return {"writer, µs a call": 1e6 / rate, "writer, µs of CPU a call": float(found[1])}


def control(seconds: float) -> Figures:
    """The control round trip of the whole engine."""
    with stand() as at:
        return _loaded(at, "control", (CONTROL_RATE,), seconds)


def load(seconds: float) -> Figures:
    """Many calls a second."""
    with stand() as at:
        return _loaded(at, "load", LOAD_RATES, seconds)


def _loaded(at: Stand, name: str, rates: tuple[float, ...], seconds: float) -> Figures:
    engine = at.engine()
    at.load(engine, DID, rate=100, seconds=2)
    loads = [at.load(engine, DID, rate=rate, seconds=seconds) for rate in rates]
    memory = resident_mb(engine.pid)
    times = engine.stop()["command"]
    found: Figures = {}
    for one, rate in zip(loads, rates, strict=True):
        if one.placed.failed:
            raise SystemExit(f"{one.placed.failed} calls failed at {rate:g}/s")
        command = one.within(times)
        found |= {
            f"{name} at {rate:g}/s, p50 ms": 1000 * percentile(command, 50),
            f"{name} at {rate:g}/s, p99 ms": 1000 * percentile(command, 99),
            f"{name} at {rate:g}/s, engine's CPU ms a call": one.each(one.controller_cpu_seconds),
        }
    return found | {f"{name}, engine's memory in the end, MB": memory}


def held_calls(seconds: float) -> Figures:
    """Many live calls at once."""
    with stand() as at:
        section: Section = held.bench(at, seconds)
    rows = {row[0]: row[1] for row in section.tables[0].rows}
    before, most = rows["engine's memory before / most, MB"].split(" / ")
    return {
        "held, engine's memory before, MB": float(before),
        "held, engine's memory at most, MB": float(most),
        "held, engine's CPU, % of a core": float(rows["engine's CPU, % of a core"]),
    }


def _number(text: str) -> float:
    return float(text.replace(",", ""))


BENCHES: dict[str, Callable[[float], Figures]] = {
    "load800": load800,
    "saved": saved,
    "route": route,
    "core": core,
    "ami": ami,
    "writer": writer,
    "control": control,
    "load": load,
    "held": held_calls,
}


def main() -> None:
    """Measure one bench, and print what was found."""
    name, seconds = sys.argv[1:]
    figures = BENCHES[name](float(seconds))
    print(json.dumps({"callrouter": callrouter.__file__, "figures": figures}))


if __name__ == "__main__":
    main()
