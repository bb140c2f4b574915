"""The control round trip of the whole engine, beside hand-written controllers: the same calls, one after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from bench.figures import milliseconds, p50_p99, percentile
from bench.report import Check, Section, Table, at_most, exactly
from bench.stand import DID, DID_ARI, DID_FASTAGI, Controller, EngineProcess, Load, Stand

RATE = 200.0
ENGINE = "callrouter, the whole engine"
ABOUT = f"""\
{RATE:g} calls a second, no media. Every call: answer, set a variable, play four sounds of 4 ms one after the other,
hang up. *Command* is the round trip of setting the variable (Asterisk does it at once), *play* is from asking for a
sound to its end. The engine does all of its work meanwhile: five decisions, the call's state written before each
step, leases, records to PostgreSQL, metrics, log. The peers do nothing else. In one call of 20 ms the engine sets
the variable (the call's state) by a command of its own, as the peers do in every call; in the others it is set past
the channel's loop, together with the sound. It takes the call off the hook and plays the first sound in one write,
the peers in two. Asterisk and SIPp have real-time priority, engine and peers theirs one above it. *Others* is
the share of the machine that strangers took meanwhile."""

COLUMNS = (
    *("control by", "calls/s", "failed", "command p50 / p99 ms", "play p50 / p99 ms"),
    *("CPU ms/call", "Asterisk's", "others"),
)


def bench(stand: Stand, seconds: float) -> Section:
    """All controllers on the same Asterisk, one after the other, twice: a machine that drifts drifts for all."""
    found = {name: Measured() for name in (ENGINE, *PEERS)}
    written = placed = 0
    for _ in range(ROUNDS):
        stand.forget_calls()
        engine = stand.engine("closely")
        load = _warm(stand, engine, DID, seconds / ROUNDS)
        written += sum(engine.rows().values())
        placed += load.placed.calls + round(WARM_SECONDS * RATE)
        found[ENGINE].add(load, engine.stop())
        for name, (did, peer) in PEERS.items():
            controller = stand.peer(*peer)
            load = _warm(stand, controller, did, seconds / ROUNDS)
            found[name].add(load, controller.stop())
    ours = found[ENGINE]
    command = ours.times["command"]
    beside = percentile(found[BESIDE].times["command"], 50)
    notes = [
        (
            f"A turn of the engine (an input arrives; decide, encode, write) takes {p50_p99(ours.times['turn'])} ms "
            f"(p50 / p99); PostgreSQL used {ours.each('postgresql_cpu_seconds')} ms of CPU a call. The engine's p50 is "
            f"{percentile(command, 50) / beside:.2f} times that of the hand-written loop that does nothing else."
        )
    ]
    checks: list[Check] = [
        at_most("control round trip p50", 1000 * percentile(command, 50), 0.2, "ms", 3),
        at_most("control round trip p99", 1000 * percentile(command, 99), 1.0, "ms", 3),
        exactly("calls failed at 200/s", sum(load.placed.failed for load in ours.loads), 0),
        exactly("rows written", written, placed),
    ]
    return Section(
        title="Control round trip",
        about=ABOUT,
        tables=[Table(columns=COLUMNS, rows=[one.row(name) for name, one in found.items()])],
        checks=checks,
        notes=notes,
    )


WARM_SECONDS = 1.0
ROUNDS = 2
BESIDE = "AsyncAGI with wake-up, hand-written"
PEERS: dict[str, tuple[str, list[str]]] = {
    "FastAGI, hand-written": (DID_FASTAGI, ["fastagi"]),
    BESIDE: (DID, ["asyncagi", "wake"]),
    "the same, two commands in a write": (DID, ["asyncagi", "wake", "together"]),
    "ARI, hand-written": (DID_ARI, ["ari"]),
    "AsyncAGI as everyone runs it": (DID, ["asyncagi"]),
}


@dataclass
class Measured:
    """All loads of one controller, and the times that fell into them."""

    loads: list[Load] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, load: Load, times: dict[str, list[float]]) -> None:
        """One more load."""
        self.loads.append(load)
        for kind, values in times.items():
            self.times[kind] += load.within(values)

    def each(self, used: str) -> str:
        """What a call used, of one of the sums of CPU seconds."""
        calls = sum(load.placed.calls for load in self.loads)
        return milliseconds(sum(float(getattr(load, used)) for load in self.loads) / calls)

    def row(self, name: str) -> list[str]:
        """For the table."""
        disturbed = max(load.disturbed for load in self.loads)
        return [
            name,
            f"{RATE:g}",
            str(sum(load.placed.failed for load in self.loads)),
            p50_p99(self.times["command"]),
            p50_p99(self.times["play"]),
            self.each("controller_cpu_seconds"),
            self.each("asterisk_cpu_seconds"),
            f"{disturbed:.0f} %",
        ]


def _warm(stand: Stand, controller: Controller | EngineProcess, did: str, seconds: float) -> Load:
    """A second that does not count, then those that do."""
    stand.load(controller, did, rate=RATE, seconds=WARM_SECONDS)
    return stand.load(controller, did, rate=RATE, seconds=seconds)
