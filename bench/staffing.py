"""Is a line that is played the real one? `python -m bench.staffing [SECONDS]`.

A real Asterisk, a real engine and one line with four agents, whose telephones ring for a second and then talk for 3 to
12 seconds each; SIPp's callers come by chance (Poisson, seeded), and hang up when their patience (exponential, seeded)
is over before anybody has answered. Afterwards the record is asked as `callrouter staffing` asks it. What the line
reached must lie within what 95 % of its plays reach, and the true patience within the interval of the measured one.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bench.callers import HOST, Sink
from bench.stand import EngineProcess, Stand, stand
from callrouter.core.call import QueueOutcome
from callrouter.core.service_level import Formula
from callrouter.runtime.tasks import Tasks
from callrouter.staffing.erlang import impatient
from callrouter.staffing.line import Line
from callrouter.staffing.model import Load, Target
from callrouter.staffing.patience import Wait, patience_of
from callrouter.staffing.simulation import Measured, play
from callrouter.store.agents.line import read_line
from callrouter.store.database import Database
from deploy.asterisk.pbx import Pbx
from deploy.demo.sipp import CallerIdentity, OutgoingCall, Sipp, free_udp_port, phone_scenario

SECONDS: Final = 240.0
RATE: Final = 0.55
PATIENCE_SECONDS: Final = 10.0
RING_SECONDS: Final = 1.0
TALKS: Final = {"agent-1": 3.0, "agent-2": 5.0, "agent-3": 8.0, "agent-4": 12.0}
TARGET: Final = Target(within_seconds=4.0, short_abandon_seconds=0.5, formula=Formula.STRICT)
SEED: Final = 11
PLAYS: Final = 400
USER, SECRET, DID = "bench", "bench", "0199000201"
UTC_ZONE: Final = ZoneInfo("UTC")

_CLIENT: Final = f"""client: client-1
name: Client 1
numbers: ['{DID}']
timezone: UTC
language: en
fallback: {{ node: bye }}
start: answered
nodes:
  answered: {{ answer: {{ next: wait }} }}
  wait: {{ queue: {{ name: team-1, max_wait: 30m, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""


def main() -> None:
    """Call for a while, then compare."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="callrouter-bench-") as place:
        folder = Path(place)
        (folder / "shared").mkdir()
        (folder / "shared" / "queues.yaml").write_text("queues:\n  team-1: { members: [], ring: 15s }\n")
        (folder / "client-1.yaml").write_text(_CLIENT)
        ports = {agent: free_udp_port() for agent in TALKS}
        with stand(
            folder,
            contacts={agent: f"{HOST}:{port}" for agent, port in ports.items()},
            queue_members={"team-1": list(TALKS)},
            extra_conf={"manager": f"[{USER}]\nsecret = {SECRET}\nread = call,agent\nwrite = reporting\n"},
        ) as found:
            engine = found.engine()
            began_at = datetime.now(UTC)
            asyncio.run(_call(found, ports, seconds))
            engine.rows()
            engine.stop()
            line = asyncio.run(_read(engine, began_at))
    sys.exit(0 if _compare(line, seconds) else 1)


async def _call(found: Stand, ports: dict[str, int], seconds: float) -> None:
    chance = random.Random(SEED)  # the same callers each time
    answered: set[str] = set()
    async with AsyncExitStack() as phones:
        for agent, port in ports.items():
            scenario = phone_scenario(ring_seconds=RING_SECONDS, talk_seconds=TALKS[agent], media_port=found.sink.port)
            phone = await Sipp.start(scenario, port)
            phones.push_async_callback(phone.stop)
            await phones.enter_async_context(_reading(phone))
        await phones.enter_async_context(_listening(found.pbx, answered))
        callers = []
        tasks = Tasks()
        now, number = chance.expovariate(RATE), 0
        started = asyncio.get_running_loop().time()
        while now < seconds:
            patience = chance.expovariate(1 / PATIENCE_SECONDS)
            await asyncio.sleep(max(0.0, started + now - asyncio.get_running_loop().time()))
            name = f"+3361234{number:04d}"
            callers.append(tasks.start(_caller(found.pbx, found.sink, name, patience, answered), f"caller {name}"))
            now, number = now + chance.expovariate(RATE), number + 1
        await asyncio.gather(*callers)


async def _caller(pbx: Pbx, sink: Sink, number: str, patience: float, answered: set[str]) -> None:
    """Somebody who hangs up when their patience is over, unless somebody has answered."""
    call = await OutgoingCall.dial(
        (pbx.sip_host, pbx.sip_port),
        DID,
        CallerIdentity(number=number),
        media_port=sink.port,
        seconds=120,
        token=uuid.uuid4().hex,
    )
    async with _reading(call):
        await asyncio.sleep(patience)
        if number not in answered:
            call.hang_up()
        await call.finish()


@asynccontextmanager
async def _reading(sipp: Sipp) -> AsyncIterator[None]:
    """Whatever it says is read, so that it goes on."""

    async def read() -> None:
        async for _ in sipp.progress():
            pass

    tasks = Tasks()
    tasks.start(read(), "what SIPp says")
    try:
        yield
    finally:
        await tasks.stop()


@asynccontextmanager
async def _listening(pbx: Pbx, answered: set[str]) -> AsyncIterator[None]:
    """Who was answered, by Asterisk's word of it."""
    reader, writer = await asyncio.open_connection(pbx.ami_host, pbx.ami_port)
    writer.write(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n".encode())

    async def read() -> None:
        event: dict[str, str] = {}
        async for line in reader:
            if text := line.decode(errors="replace").rstrip():
                key, _, value = text.partition(": ")
                event[key] = value
                continue
            if event.get("Event") == "AgentConnect":
                answered.add(event.get("CallerIDNum", ""))
            event = {}

    tasks = Tasks()
    tasks.start(read(), "what Asterisk says")
    try:
        yield
    finally:
        await tasks.stop()
        writer.close()


async def _read(engine: EngineProcess, began_at: datetime) -> Line:
    database = await Database.open(None, engine.data_dir)
    try:
        days = sorted({began_at.date(), datetime.now(UTC).date()})
        return await read_line(database, days, UTC_ZONE, now=datetime.now(UTC), queue="team-1")
    finally:
        await database.close()


def _compare(line: Line, seconds: float) -> bool:
    waits = [Wait(one.seconds, gave_up=one.outcome is QueueOutcome.ABANDONED) for one in line.stays]
    patience = patience_of(waits)
    handled = [one.handled for one in line.stays if one.handled is not None]
    in_time = sum(one.outcome is QueueOutcome.ANSWERED and one.seconds <= TARGET.within_seconds for one in line.stays)
    reached, rate = in_time / len(line.stays), len(line.stays) / seconds
    measured = Measured(
        conversations=handled, pick_ups=line.pick_ups, missed=line.missed / line.offers, patience=patience
    )
    levels = sorted(
        play(rate, len(TALKS), measured, TARGET, seconds=seconds, warm_up_seconds=0, times=1, seed=seed).level.value
        or 0.0
        for seed in range(PLAYS)
    )
    low, high = levels[PLAYS * 25 // 1000], levels[PLAYS * 975 // 1000 - 1]
    mean = patience.mean_seconds or math.nan
    spread = 1.96 * mean / math.sqrt(max(1, len(patience.at_seconds)))
    handle = sum(talk + wrap_up for talk, wrap_up in handled) / len(handled)
    load = Load(arrivals_per_second=rate, handle_seconds=handle + sum(line.pick_ups) / len(line.pick_ups))
    formula = impatient(load, len(TALKS), TARGET.within_seconds, patience_seconds=mean).answered_within
    gone = sum(one.gave_up for one in waits) / len(waits)
    print(f"callers {len(line.stays)}, of whom {gone:.1%} gave up; conversations {handle:.1f} s")
    print(f"patience {mean:.1f} s (true {PATIENCE_SECONDS:g}), within {spread:.1f} s")
    print(
        f"answered within {TARGET.within_seconds:g} s: {reached:.1%}; played {levels[PLAYS // 2]:.1%}, "
        f"95 % of plays {low:.1%} to {high:.1%}; Erlang A {formula:.1%}"
    )
    return low <= reached <= high and abs(mean - PATIENCE_SECONDS) <= spread


if __name__ == "__main__":
    main()
