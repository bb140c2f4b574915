"""Calls a second: what is promised, then more until something breaks, beside Asterisk's own dialplan."""

from __future__ import annotations

from bench.cpu import resident_mb
from bench.figures import milliseconds, p50_p99, percentile
from bench.report import Check, Section, Table, at_most, exactly
from bench.stand import DID, DID_ASTERISK, Load, Stand

PROMISED_RATE = 300.0
RATES = (400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0)
BROKEN_P99_SECONDS = 0.1
"""A control round trip beyond which callers begin to notice."""
KEEPS_UP = 0.95
"""The share of the wanted rate below which a rate was not reached."""
ABOUT = f"""\
The tree of bench.yaml, no media: answer, look at the caller, the hours and a share, four sounds of 4 ms, hang up;
every row written. Then more and more calls a second until calls fail, the rate is not reached, or the round trip's
p99 exceeds {1000 * BROKEN_P99_SECONDS:g} ms. Asterisk's own dialplan does the same steps with nobody controlling it
and nothing recorded. SIPp takes its share of the two cores, with Asterisk's priority, as if telephones had processors
of their own; its CPU is in the last column but one, and the last one is the share of the machine that strangers
took. A message that was sent twice (a retransmission) is a sign that
somebody had no time."""
COLUMNS = (
    *("control by", "calls/s", "reached", "failed", "sent twice", "command p50 / p99 ms"),
    *("engine ms/call", "Asterisk's", "PostgreSQL's", "SIPp's", "others"),
)


def bench(stand: Stand, seconds: float) -> Section:
    """The promised rate for so many seconds, each further one for half as many."""
    engine = stand.engine()
    processed = -stand.calls_processed()
    stand.load(engine, DID, rate=100, seconds=1)
    placed = 100
    loads: list[tuple[float, Load]] = []
    for rate in (PROMISED_RATE, *RATES):
        load = stand.load(engine, DID, rate=rate, seconds=seconds if rate == PROMISED_RATE else seconds / 2)
        engine.check()
        loads.append((rate, load))
        placed += load.placed.calls
        if load.placed.failed or _reached(load) < KEEPS_UP * rate:
            break
    processed += stand.calls_processed()
    written = engine.rows()
    memory = resident_mb(engine.pid)
    times = engine.stop()["command"]
    checks = _checks(loads[0][1], times)
    # Beyond what it can take Asterisk refuses calls: of those it took, each has its row, at any rate.
    checks.append(exactly("rows written, of the calls Asterisk took", sum(written.values()), processed))
    shown = [(rate, load) for rate, load in loads if not _broken_before(loads, rate, times)]
    rows = [_row("callrouter", rate, load, load.within(times)) for rate, load in shown]
    rows += _asterisk_alone(stand, seconds / 2)
    sustained = [rate for rate, load in loads if not _broken(load, rate, times)]
    note = (
        f"The engine sustained {max(sustained, default=0):g} calls a second (p99 within "
        f"{1000 * BROKEN_P99_SECONDS:g} ms, none failed), and had {memory:.0f} MB of memory in the end. Rows by "
        f"disposition: {', '.join(f'{name} {count:,}' for name, count in sorted(written.items()))}; "
        f"{placed:,} calls placed, {processed:,} taken by Asterisk."
    )
    return Section(
        title="Calls a second",
        about=ABOUT,
        tables=[Table(columns=COLUMNS, rows=rows)],
        checks=checks,
        notes=[note],
    )


def _checks(promised: Load, times: list[float]) -> list[Check]:
    command = promised.within(times)
    return [
        exactly(f"calls failed at {PROMISED_RATE:g}/s", promised.placed.failed, 0),
        at_most(f"control round trip p99 at {PROMISED_RATE:g}/s", 1000 * percentile(command, 99), 2, "ms"),
        at_most("engine CPU a call", promised.each(promised.controller_cpu_seconds), 1, "ms"),
    ]


def _asterisk_alone(stand: Stand, seconds: float) -> list[list[str]]:
    rows = []
    for rate in (PROMISED_RATE, *RATES):
        load = stand.load(None, DID_ASTERISK, rate=rate, seconds=seconds)
        rows.append(_row("Asterisk's dialplan", rate, load, []))
        if load.placed.failed or _reached(load) < KEEPS_UP * rate:
            break
    return rows


def _reached(load: Load) -> float:
    """Calls a second, from the first to the last one placed."""
    return load.placed.calls / load.placed.placing_seconds


def _broken(load: Load, rate: float, times: list[float]) -> bool:
    late = percentile(load.within(times), 99) > BROKEN_P99_SECONDS
    return bool(load.placed.failed) or late or _reached(load) < KEEPS_UP * rate


def _broken_before(loads: list[tuple[float, Load]], rate: float, times: list[float]) -> bool:
    """Whether a lower rate was too much already: what comes after it tells nothing."""
    return any(_broken(load, lower, times) for lower, load in loads if lower < rate)


def _row(name: str, rate: float, load: Load, command: list[float]) -> list[str]:
    placed = load.placed
    return [
        name,
        f"{rate:g}",
        f"{_reached(load):.0f}",
        str(placed.failed),
        str(placed.retransmissions),
        p50_p99(command),
        milliseconds(load.controller_cpu_seconds / placed.calls) if load.controller_cpu_seconds else "–",
        milliseconds(load.asterisk_cpu_seconds / placed.calls),
        milliseconds(load.postgresql_cpu_seconds / placed.calls) if load.postgresql_cpu_seconds else "–",
        milliseconds(placed.cpu_seconds / placed.calls),
        f"{load.disturbed:.0f} %",
    ]
