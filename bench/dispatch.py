"""How fast people's systems are told of messages, and whether dead ones hold up the living.

    python -m bench.dispatch [--queued 100000] [--seconds 100] [--quick]

An embedded PostgreSQL of its own, the worker as `callrouter worker` has it, and web services in a process of their own.

- queued: so many messages wait, each for one of 20 web services that answer at once. How many a second the worker
  tells, rows and all, beside a bare httpx loop that posts the same to the same, with as many connections.
- arriving: 100 messages a second for 100 web services, ten of which take a connection and never answer (time-out 10 s).
  How long after its row was committed the living ones had each message.

The targets are 0.4 of the bare loop, and 5 s for the 99th percentile of the living.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles

import httpx
import uvloop
from sqlalchemy import text

if __package__ in (None, ""):  # run as a script: the project is one folder up
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from callrouter.core.call import replace
from callrouter.core.dispatch import Means, Reach
from callrouter.core.nodes import HangupNode
from callrouter.core.plan import Plan
from callrouter.delivery.channel import Channels, Tools
from callrouter.delivery.channels import CHANNELS
from callrouter.delivery.parcel import Parcel
from callrouter.delivery.rendering import body_of
from callrouter.delivery.slots import SLOTS
from callrouter.dispatch.due_clock import DueClock
from callrouter.dispatch.enclosing import Links
from callrouter.dispatch.listening import listen
from callrouter.dispatch.sending import Sender
from callrouter.dispatch.sweeping import Sweeper
from callrouter.dispatch.working import Worker
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.tasks import Tasks
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.testing import plan_of

FAST, LIVING, DEAD = 20, 90, 10
PER_SECOND = 100
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_INSERT = text(
    """INSERT INTO messages (message_id, call_id, position, client, recording, seconds, deliver, started_at, node,
                             state, taken_at, text, urgent)
       SELECT 'm' || n, '', 0, 'acme', '', 0, 'c' || n % :contacts, now(), '', 'open', now(), 'please call back', true
       FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n"""
)


class _Receiver(asyncio.Protocol):
    """A web service that answers at once, or never, and notes when each message came."""

    def __init__(self, came: dict[bytes, float], *, answers: bool) -> None:
        self._came = came
        self._answers = answers
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._read) < end + 4 + length:
                return
            body, self._read = self._read[end + 4 : end + 4 + length], self._read[end + 4 + length :]
            found = body.find(b'"message_id":"')
            if found >= 0:
                self._came.setdefault(body[found + 14 :].split(b'"', 1)[0], time.time())
            if self._answers:
                self._transport.write(_ANSWER)  # type: ignore[attr-defined]


def _receivers(pipe: Connection, living: int, dead: int) -> None:
    """The process of the web services: says its ports, and at the end when what came."""

    async def serve() -> None:
        loop, came = asyncio.get_running_loop(), dict[bytes, float]()
        servers = [
            await loop.create_server(partial(_Receiver, came, answers=number < living), "127.0.0.1", 0, backlog=1024)
            for number in range(living + dead)
        ]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.to_thread(pipe.recv)
        pipe.send(came)

    uvloop.run(serve())


class Receivers:
    """They, in a `with`."""

    def __init__(self, living: int, dead: int = 0) -> None:
        self._pipe, other = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_receivers, args=(other, living, dead))
        self._process.start()
        self.ports: list[int] = self._pipe.recv()

    def came(self) -> dict[bytes, float]:
        """Message and instant; ends them."""
        self._pipe.send(None)
        found: dict[bytes, float] = self._pipe.recv()
        self._process.join()
        return found


def plan_with(ports: Sequence[int]) -> Plan:
    """A client with a contact for each web service."""
    people = {
        f"c{number}": Reach(name=f"c{number}", title=f"Contact {number}", url=f"http://127.0.0.1:{port}/")
        for number, port in enumerate(ports)
    }
    return replace(plan_of(HangupNode(name="bye")), client="acme", people=people)


def worker_of(database: Database, plan: Plan, due: asyncio.Event, http: GuardedHttp) -> tuple[Worker, Sweeper]:
    """As `callrouter worker` makes it."""

    async def live(_: str) -> Plan:
        return plan

    def write(means: Means, parcel: Parcel) -> str:
        return body_of(means, parcel, sender="callrouter@localhost", domain="localhost")

    clock, lease = DueClock(SystemClock(0.0)), Lease(database, "dispatch", "bench")
    sweeper = Sweeper(database, lease, live, clock)
    sender = Sender(
        database=database,
        lease=lease,
        plans=live,
        clock=clock,
        channels=Channels(CHANNELS, Tools(http=http)),
        write=write,
        links=Links(public_url="https://desk.example", hours=72.0),
        recordings=Path("nowhere"),
        wake=due.set,
    )
    made = Worker(
        database=database, lease=lease, sweeper=sweeper, sender=sender, clock=clock, due=due, seconds=time.monotonic
    )
    return made, sweeper


async def bare(ports: Sequence[int], many: int) -> float:
    """Posts a second of a loop that does nothing else, with as many connections as the worker has."""
    body, left = b'{"type":"message.taken.v1","data":{"text":"please call back"}}' * 6, iter(range(many))

    async def posts(client: httpx.AsyncClient) -> None:
        for number in left:
            answer = await client.post(f"http://127.0.0.1:{ports[number % len(ports)]}/", content=body)
            assert answer.status_code == 200

    async with httpx.AsyncClient(trust_env=False) as client:
        begun = time.perf_counter()
        await asyncio.gather(*(posts(client) for _ in range(SLOTS)))
        return many / (time.perf_counter() - begun)


async def queued(database: Database, many: int) -> tuple[float, float]:
    """Messages told a second when so many wait, and what the bare loop does."""
    receivers = Receivers(FAST)
    http = GuardedHttp([f"127.0.0.1:{port}" for port in receivers.ports], {})
    due = asyncio.Event()
    worker, sweeper = worker_of(database, plan_with(receivers.ports), due, http)
    async with database.connection() as connection:
        await connection.execute(_INSERT, {"first": 1, "last": many, "contacts": FAST})
    await worker._lease.take()
    await sweeper.sweep()
    loop_before = await bare(receivers.ports, max(many // 10, 2_000))
    tasks = Tasks()
    begun = time.perf_counter()
    tasks.start(worker.run(), "worker")
    while await _is_open(database):
        await asyncio.sleep(0.25)
    rate = many / (time.perf_counter() - begun)
    await tasks.stop()
    loop_after = await bare(receivers.ports, max(many // 10, 2_000))
    await http.close()
    receivers.came()
    return rate, (loop_before + loop_after) / 2


async def arriving(database: Database, seconds: int) -> tuple[int, list[float]]:
    """How many messages came, and for the living how long each took."""
    receivers = Receivers(LIVING, DEAD)
    http = GuardedHttp([f"127.0.0.1:{port}" for port in receivers.ports], {})
    due, tasks, taken = asyncio.Event(), Tasks(), dict[bytes, float]()
    worker, _ = worker_of(database, plan_with(receivers.ports), due, http)
    tasks.start(worker.run(), "worker")
    tasks.start(listen(database, due.set), "listening")
    begun, contacts = time.perf_counter(), LIVING + DEAD
    for number in range(seconds * PER_SECOND):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
        async with database.connection() as connection:
            await connection.execute(_INSERT, {"first": number, "last": number, "contacts": contacts})
        taken[b"m%d" % number] = time.time()
    await asyncio.sleep(15.0)
    await tasks.stop()
    await http.close()
    came = receivers.came()
    living = [number for number in range(seconds * PER_SECOND) if number % contacts < LIVING]
    lasted = [came.get(b"m%d" % number, float("inf")) - taken[b"m%d" % number] for number in living]
    return len(living), lasted


async def _is_open(database: Database) -> bool:
    async with database.connection() as connection:
        asked = text("SELECT EXISTS (SELECT FROM deliveries WHERE state IN ('queued', 'sending'))")
        return bool((await connection.execute(asked)).scalar_one())


async def _main(many: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="callrouter-dispatch-") as folder:
        database = await Database.open(None, Path(folder))
        try:
            rate, loop = await queued(database, many)
            print(f"queued: {many:,} messages: {rate:,.0f}/s; bare httpx loop {loop:,.0f}/s: {rate / loop:.2f} (0.4)")
            async with database.connection() as connection:
                await connection.execute(text("TRUNCATE messages CASCADE"))
            expected, lasted = await arriving(database, seconds)
            parts = quantiles(lasted, n=100)
            print(
                f"arriving: {expected:,} for the living: p50 {parts[49]:.2f} s, p99 {parts[98]:.2f} s (5), "
                f"longest {max(lasted):.2f} s"
            )
        finally:
            await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queued", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=100)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    uvloop.run(_main(*((4_000, 15) if given.quick else (given.queued, given.seconds))))
