"""The event stream: how soon after Asterisk's own event a screen can pop up, and what that costs the engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from bench.cpu import cpu_seconds
from bench.figures import milliseconds, percentile
from bench.report import Section, Table, at_most, exactly
from bench.stand import AGENTS_CONTEXT, CHECKOUT, DID, READY_SECONDS, EngineProcess, Load, Stand, stand
from callrouter.stream.frames import FrameReader

AGENTS = 30
RATE = 20.0
CALLER = "+33612000140"
TALK_SECONDS = 1.2
"""From the INVITE to the caller's BYE: two thirds of the agents are busy at any moment."""
SETTLED_SECONDS = 2.0
USER, SECRET = "bench", "bench"
ABOUT = f"""\
{RATE:g} callers a second reach one of {AGENTS} agents, who answer after 0.2 s and talk until the caller has enough.
{AGENTS} screens each read their agent's part of the stream, and one reads all of it, from `callrouter web` in a
process of its own. *Latency* is from the time stamp that Asterisk gives its `AgentCalled` (the instant it makes the
event) to the instant at which the screen's socket has `call.offered`; the bench reads Asterisk's event at a manager
session of its own. Everything shares two cores. *Without readers* is the same load while nobody reads."""


@dataclass
class Seen:
    """What the screens and the manager session saw: by call and agent, when."""

    called: dict[tuple[str, str], float] = field(default_factory=dict)
    """Asterisk's time stamp."""
    at_agent: dict[tuple[str, str], float] = field(default_factory=dict)
    at_supervisor: dict[tuple[str, str], float] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    """Of the events that the supervisor saw: all."""

    def latencies(self, seen: dict[tuple[str, str], float]) -> list[float]:
        """Seconds; an offer that a screen never saw is infinitely late."""
        return [seen.get(offer, float("inf")) - at for offer, at in self.called.items()]


def bench(seconds: float) -> Section:
    """With readers, and without."""
    manager = f"[{USER}]\nsecret = {SECRET}\nread = agent\nwrite = reporting\n"
    with stand(extra_conf={"manager": manager}) as found:
        return _follow(found, seconds)


def _follow(found: Stand, seconds: float) -> Section:
    engine = found.engine()
    for number in range(1, AGENTS + 1):
        found.pbx.cli(f"queue add member Local/{number:02}@{AGENTS_CONTEXT} to desk penalty 0 as agent-{number}")
    _calls(found, engine, 3)
    silent = _calls(found, engine, seconds)
    with _web(engine) as (port, pid):
        seen = Seen()
        with Screens(found, engine, port, seen):
            web = -cpu_seconds(pid)
            heard = _calls(found, engine, seconds)
            web += cpu_seconds(pid)
    engine.stop()
    agents, supervisor = seen.latencies(seen.at_agent), seen.latencies(seen.at_supervisor)
    missing = seen.numbers[-1] - seen.numbers[0] + 1 - len(seen.numbers)
    rows = [
        _row("an agent's screen", agents),
        _row("a supervisor's, of everything", supervisor),
    ]
    cost = [
        [
            "without readers",
            milliseconds(silent.controller_cpu_seconds / silent.placed.calls),
            "–",
            f"{silent.disturbed:.0f} %",
        ],
        [
            f"{AGENTS + 1} readers",
            milliseconds(heard.controller_cpu_seconds / heard.placed.calls),
            milliseconds(web / heard.placed.calls),
            f"{heard.disturbed:.0f} %",
        ],
    ]
    return Section(
        title="The event stream",
        about=ABOUT,
        tables=[
            Table(columns=("AgentCalled to", "offers", "p50 ms", "p95 ms", "p99 ms", "most ms"), rows=rows),
            Table(columns=("", "engine CPU ms/call", "web CPU ms/call", "others"), rows=cost),
        ],
        checks=[
            at_most("AgentCalled to an agent's screen, p95", 1000 * percentile(agents, 95), 50, "ms"),
            exactly("events lost on the stream", missing, 0),
            exactly("offers that a screen never saw", sum(value == float("inf") for value in agents), 0),
            exactly("calls failed", heard.placed.failed, 0),
        ],
    )


def _row(name: str, latencies: list[float]) -> list[str]:
    shown = [percentile(latencies, percent) for percent in (50, 95, 99, 100)]
    return [name, f"{len(latencies):,}", *map(milliseconds, shown)]


def _calls(stand: Stand, engine: EngineProcess, seconds: float) -> Load:
    """Callers who reach an agent, and what they cost."""
    return stand.load(engine, DID, rate=RATE, seconds=seconds, caller=CALLER, hold_seconds=TALK_SECONDS)


@contextlib.contextmanager
def _web(engine: EngineProcess) -> Iterator[tuple[int, int]]:
    """`callrouter web` beside it: its port and process id."""
    log = engine.log_path.with_name("web.log")
    with log.open("wb") as output:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLROUTER_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "callrouter", "web"],
            cwd=log.parent,
            env={**environment, "PYTHONPATH": str(CHECKOUT), **engine.settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    port = int(engine.settings["CALLROUTER_WEB_PORT"])
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _is_alive(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"callrouter web did not come up: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _is_alive(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


class Screens(threading.Thread):
    """All who read, in a thread of their own, as long as a `with`."""

    def __init__(self, stand: Stand, engine: EngineProcess, port: int, seen: Seen) -> None:
        super().__init__(name="screens")
        self._stand = stand
        self._token = engine.settings["CALLROUTER_API_TOKEN"]
        self._port = port
        self._seen = seen
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._failed: BaseException | None = None

    def __enter__(self) -> None:
        self.start()
        time.sleep(SETTLED_SECONDS)  # all of them have their snapshot

    def __exit__(self, *_: object) -> None:
        time.sleep(SETTLED_SECONDS)
        self._loop.call_soon_threadsafe(self._over.set)
        self.join()
        if self._failed is not None:
            raise self._failed

    def run(self) -> None:
        """As a thread."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._read_all())
            except BaseException as error:  # raised where the bench waits
                self._failed = error

    async def _read_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            reading = [
                tasks.create_task(_read_manager(self._stand, self._seen)),
                tasks.create_task(_read_supervisor(self._port, self._token, self._seen)),
            ]
            for number in range(1, AGENTS + 1):
                agent = f"agent-{number}"
                reading.append(tasks.create_task(_read_agent(self._port, self._token, agent, self._seen)))
            await self._over.wait()
            for one in reading:
                one.cancel()


async def _read_agent(port: int, token: str, agent: str, seen: Seen) -> None:
    async for now, event, _ in _events(port, token, f"?agent={agent}"):
        if event["event"] == "call.offered" and event["agent"] == agent:
            seen.at_agent[_offer(event)] = now


async def _read_supervisor(port: int, token: str, seen: Seen) -> None:
    async for now, event, number in _events(port, token, ""):
        if event["event"] == "call.offered":
            seen.at_supervisor[_offer(event)] = now
        seen.numbers.append(number)


def _offer(event: dict[str, object]) -> tuple[str, str]:
    """A call's id holds what is behind the point of its channel's uniqueid (extensions.conf, CR_CALL)."""
    call = event["call"]
    assert isinstance(call, dict)
    return call["call_id"].split("-")[1], str(event["agent"])


async def _events(port: int, token: str, query: str) -> AsyncIterator[tuple[float, dict[str, object], int]]:
    """When the socket had it, the event, and its number; the snapshot is left out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/stream{query} HTTP/1.0\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head[:20]:
        raise SystemExit(f"web refuses the stream: {head[:200]!r}")
    frames = FrameReader()
    while some := await reader.read(65_536):
        now = time.time()
        for one in frames.feed(some):
            event = json.loads(one.data)
            if event["event"] != "snapshot" and one.id is not None:
                yield now, event, one.id.number


async def _read_manager(stand: Stand, seen: Seen) -> None:
    """Asterisk's own events, at a session that only reads."""
    reader, writer = await asyncio.open_connection(stand.pbx.ami_host, stand.pbx.ami_port)
    login = f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n"
    writer.write(login.encode())
    await reader.readline()
    while True:
        block = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        if block.startswith("Response: Error"):
            raise SystemExit(f"the bench cannot read Asterisk's events: {block}")
        if not block.startswith("Event: AgentCalled\r\n"):
            continue
        found = {name: _value(block, name) for name in ("Timestamp", "Uniqueid", "MemberName")}
        key = found["Uniqueid"].partition(".")[2], found["MemberName"]
        seen.called.setdefault(key, float(found["Timestamp"]))


def _value(block: str, name: str) -> str:
    line = re.search(rf"^{name}: (.*)\r$", block, re.MULTILINE)
    return line[1] if line else ""
