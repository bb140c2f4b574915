"""`make chaos FAULT=NAME`: the rounds of a fault, each appended to bench/chaos.jsonl, and the table made of them.

Ends with 0 when everything promised was kept, 1 when something was not, 2 when nothing could start.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvloop

from bench import chaos
from bench.callers import CALLERS_PRIORITY
from deploy.asterisk.pbx import PbxError
from deploy.demo.stack import StackError
from tests.chaos.faults import ALL, Kind, broken
from tests.chaos.rounds import play
from tests.chaos.soak import PER_CALLS, growth, leaks, soak
from tests.chaos.striking import begun
from tests.chaos.town import Needs, town
from tests.chaos.verdict import Verdict

CHECKOUT: Final = Path(__file__).resolve().parents[2]
LONGEST_SECONDS: Final = 20 * 60.0
"""Of a fault."""
AGENTS_SHARE: Final = 0.3
"""Agents, of the callers: not enough, so that some wait."""
NEWCOMERS_AT_ONCE: Final = 160
SOAK_CALLS: Final = 100_000
SOAK_PARTS: Final = 10
SOAK_PER_SECOND: Final = 100.0
TOGETHER_ROUNDS: Final = 100
SHOWN: Final = 5
"""Complaints of a round."""


def main() -> int:
    """Returns the exit code."""
    options = _options()
    _as_telephones()
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            if options.fault == "together":
                return _together(options)
            doing = _soak(options) if options.fault == "soak" else _run(ALL[options.fault], options)
            return uvloop.run(_ended_in_order(doing))
    except (PbxError, StackError) as error:
        print(f"make chaos: {error}", file=sys.stderr)
        return 2
    return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("fault", choices=sorted([*ALL, "soak", "together"]))
    parser.add_argument("--rounds", type=int, help="(default: what the fault is promised for)")
    parser.add_argument("--callers", type=int, help="in a round (default: likewise); of a soak: calls (100,000)")
    parser.add_argument("--lasts", type=float, help="seconds of the fault, and as many more who dial meanwhile")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 100_000))
    parser.add_argument("--first", type=int, default=0, help="the number of the first round, to see one again")
    parser.add_argument("--all", action="store_true", help="print every complaint")
    parser.add_argument("--leave", action="store_true", help="write nothing down")
    return parser.parse_args()


async def _soak(options: argparse.Namespace) -> int:
    calls = options.callers or SOAK_CALLS
    run, build = datetime.now(UTC).isoformat(timespec="seconds"), await asyncio.to_thread(_build)
    print(f"soak: {calls:,} calls at {SOAK_PER_SECOND:g}/s", flush=True)
    async with town(f"{options.seed}", 2, Needs()) as place:
        found = await soak(place, calls=calls, parts=SOAK_PARTS, rate=SOAK_PER_SECOND)
    for held in found:
        print(f"  {held}")
    grown, leaked = growth(found), leaks(found)
    said = f"{calls:,} calls, {found[-1].failed} failed; growth per {PER_CALLS:,} calls: "
    said += ", ".join(f"{name} {slope:+.2f} ± {noise:.2f}" for name, (slope, noise) in grown.items())
    broken = sorted(leaked) + ["failed"] * bool(found[-1].failed)
    print(said)
    _keep(options, {"fault": "soak", "run": run, "build": build, "round": 0, "said": said, "broken": broken})
    return 1 if broken else 0


def _together(options: argparse.Namespace) -> int:
    """Rounds of the test of eight engines that log in at the same instant: it has no callers."""
    rounds = options.rounds or TOGETHER_ROUNDS
    run, build = datetime.now(UTC).isoformat(timespec="seconds"), _build()
    command = [sys.executable, "-m", "pytest", "-q", "tests/asterisk/leading/test_many.py"]
    done = subprocess.run(command, cwd=CHECKOUT, env=os.environ | {"LEADING_ROUNDS": f"{rounds}"}, check=False)
    broken = ["two acting"] * bool(done.returncode)
    said = f"{rounds} rounds of eight engines"
    _keep(options, {"fault": "together", "run": run, "build": build, "round": 0, "said": said, "broken": broken})
    return 1 if broken else 0


def _keep(options: argparse.Namespace, found: Mapping[str, Any]) -> None:
    if not options.leave:
        chaos.append(chaos.ROUNDS, {**found, "seed": options.seed, "load": round(os.getloadavg()[0], 1)})
        chaos.renew(chaos.RESULTS, chaos.rounds(chaos.ROUNDS))


async def _ended_in_order(doing: Coroutine[Any, Any, int]) -> int:
    """A SIGTERM ends everything that was started, as a Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await doing


def _as_telephones() -> None:
    """Telephones have processors of their own: they wait neither for Asterisk nor for the engine."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(CALLERS_PRIORITY))


async def _run(kind: Kind, options: argparse.Namespace) -> int:
    rounds = options.rounds or kind.rounds
    scale = replace(kind.long, callers=kind.long.callers if options.callers is None else options.callers)
    if options.lasts is not None:
        if not scale.seconds:
            raise SystemExit(f"make chaos: {kind.name} is over at once: it lasts no LASTS")
        scale = replace(scale, seconds=options.lasts, newcomers=round(scale.newcomers * options.lasts / scale.seconds))
    began_at, missed = time.monotonic(), set[str]()
    run, build = datetime.now(UTC).isoformat(timespec="seconds"), await asyncio.to_thread(_build)
    again = f"make chaos FAULT={kind.name} SEED={options.seed}"
    print(
        f"{kind.name}: {rounds} rounds of {scale.callers} and {scale.newcomers} callers; the same again: {again}",
        flush=True,
    )
    agents = max(10, round((scale.callers + min(scale.newcomers, NEWCOMERS_AT_ONCE)) * AGENTS_SHARE))
    async with town(f"{options.seed}", agents, kind.needs) as place:
        for number in range(options.first, options.first + rounds):
            spent, played = time.monotonic() - began_at, number - options.first
            if played and spent * (1 + 1 / played) > LONGEST_SECONDS:
                print(f"{spent / 60:.0f} minutes are over: {played} rounds were played")
                break
            await begun(place)
            verdict, notes = await play(place, kind, scale, options.seed, number)
            wrong = broken(kind, verdict)
            missed |= wrong
            _show(number, verdict, sorted(wrong), len(verdict.complaints) if options.all else SHOWN)
            print(f"  the telephones took {notes.processor_share:.0%} of a processor", flush=True)
            found = asdict(verdict) | {"fault": kind.name, "run": run, "build": build, "seed": options.seed}
            found |= {"round": number, "broken": sorted(wrong), "load": round(os.getloadavg()[0], 1)}
            found |= {"promised": dict(kind.promised)}
            found |= {"complaints": len(verdict.complaints), "held_up_seconds": round(notes.held_up_seconds, 3)}
            found |= {"processor_share": round(notes.processor_share, 3)}
            if not options.leave:
                chaos.append(chaos.ROUNDS, {name: _short(value) for name, value in found.items()})
        faults = place.port.faults
    if not options.leave:
        chaos.renew(chaos.RESULTS, chaos.rounds(chaos.ROUNDS))
    for fault in faults:
        print(f"a fault of the harness itself: {fault}")
    print(f"{kind.name}: " + (f"missed {', '.join(sorted(missed))}" if missed else "all promises kept"))
    return 1 if missed or faults else 0


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _show(number: int, verdict: Verdict, wrong: Sequence[str], shown: int) -> None:
    control = "never" if verdict.control_seconds is None else f"{verdict.control_seconds:.1f} s"
    print(
        f"round {number}: {verdict.callers} callers, {verdict.live} live; {verdict.dropped} dropped; rows "
        f"{verdict.missing} missing, {verdict.doubled} doubled, {verdict.wrong} wrong; {verdict.lost_keys} keys lost, "
        f"{verdict.later_keys} keyed again; {verdict.twice} twice; silence {verdict.silence_seconds:.1f} s, control "
        f"{control}; {'missed ' + ', '.join(wrong) if wrong else 'ok'}",
        flush=True,
    )
    for complaint in verdict.complaints[:shown]:
        print(f"  {complaint}")
    if len(verdict.complaints) > shown:
        print(f"  and {len(verdict.complaints) - shown} more (--all)", flush=True)


def _build() -> str:
    """The commit, with a + when files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "callrouter", "deploy")
    return f"{head}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
