"""The control round trip of the whole engine, beside hand-written controllers: the same calls, one after the other."""

from __future__ import annotations

from bench.figures import milliseconds, p50_p99, percentile
from bench.report import Check, Section, Table, at_most, exactly
from bench.stand import DID, DID_ARI, DID_FASTAGI, Controller, EngineProcess, Load, Stand

RATE = 200.0
ENGINE = "callrouter, the whole engine"
ABOUT = f"""\
{RATE:g} calls a second, no media. Every call: answer, set a variable, play four sounds of 4 ms one after the other,
hang up. *Command* is the round trip of setting the variable (Asterisk does it at once), *play* is from asking for a
sound to its end. The engine does all of its work meanwhile: five decisions, the call's state written before each
step, leases, records to PostgreSQL, metrics, log. The peers do nothing else. The engine writes the variable and the
first sound together, as *two commands in a write* does. *Others* is the share of the machine that strangers took
meanwhile."""

COLUMNS = (
    *("control by", "calls/s", "failed", "command p50 / p99 ms", "play p50 / p99 ms"),
    *("CPU ms/call", "Asterisk's", "others"),
)


def bench(stand: Stand, seconds: float) -> Section:
    """All controllers on the same Asterisk."""
    rows: list[list[str]] = []
    checks: list[Check] = []
    notes: list[str] = []
    engine = stand.engine("closely")
    load = _warm(stand, engine, DID, seconds)
    written = sum(engine.rows().values())
    times = engine.stop()
    rows.append(_row(ENGINE, load, times))
    command = load.within(times["command"])
    turns = load.within(times["turn"])
    notes.append(
        f"A turn of the engine (an input arrives; decide, encode, write) takes {p50_p99(turns)} ms (p50 / p99); "
        f"PostgreSQL used {load.each(load.postgresql_cpu_seconds):.2f} ms of CPU a call."
    )
    checks += [
        at_most("control round trip p50", 1000 * percentile(command, 50), 0.2, "ms", 3),
        at_most("control round trip p99", 1000 * percentile(command, 99), 1.0, "ms", 3),
        exactly("calls failed at 200/s", load.placed.failed, 0),
        exactly("rows written", written, load.placed.calls + round(WARM_SECONDS * RATE)),
    ]
    for name, did, peer in (
        ("FastAGI, hand-written", DID_FASTAGI, ["fastagi"]),
        ("AsyncAGI with wake-up, hand-written", DID, ["asyncagi", "wake"]),
        ("the same, two commands in a write", DID, ["asyncagi", "wake", "together"]),
        ("ARI, hand-written", DID_ARI, ["ari"]),
        ("AsyncAGI as everyone runs it", DID, ["asyncagi"]),
    ):
        controller = stand.peer(*peer)
        load = _warm(stand, controller, did, seconds)
        rows.append(_row(name, load, controller.stop()))
    return Section(
        title="Control round trip",
        about=ABOUT,
        tables=[Table(columns=COLUMNS, rows=rows)],
        checks=checks,
        notes=notes,
    )


WARM_SECONDS = 1.0


def _warm(stand: Stand, controller: Controller | EngineProcess, did: str, seconds: float) -> Load:
    """A second that does not count, then those that do."""
    stand.load(controller, did, rate=RATE, seconds=WARM_SECONDS)
    return stand.load(controller, did, rate=RATE, seconds=seconds)


def _row(name: str, load: Load, times: dict[str, list[float]]) -> list[str]:
    return [
        name,
        f"{RATE:g}",
        str(load.placed.failed),
        p50_p99(load.within(times["command"])),
        p50_p99(load.within(times["play"])),
        milliseconds(load.controller_cpu_seconds / load.placed.calls),
        milliseconds(load.asterisk_cpu_seconds / load.placed.calls),
        f"{load.disturbed:.0f} %",
    ]
