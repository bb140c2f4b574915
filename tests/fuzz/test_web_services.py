"""Answers of web services, from a real server that keeps no rule: the call goes on, if need be by its exit `failed`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from callrouter.core import engine, templates
from callrouter.core.call import CallerId, CallState
from callrouter.core.effects import HttpRequest, Lookup, LookupField
from callrouter.core.inputs import CallOffered, Input, LookupDone, LookupFailed
from callrouter.core.nodes import HangupNode, LookupNode, PlayNode
from callrouter.errors import RequestFailed
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import MAX_ANSWER_BYTES, GuardedHttp
from callrouter.runtime.lookups import Lookups, extract
from callrouter.runtime.tasks import Tasks
from callrouter.testing import plan_of, sound
from tests.fuzz.edge import nothing_fails
from tests.fuzz.tally import cases, count

FIELDS: Final = (
    LookupField(variable="dossier", path=("customer", "file"), longest=40),
    LookupField(variable="motif", path=("customer", "files", "0"), longest=8),
)
PLAN: Final = plan_of(
    LookupNode(
        name="ask",
        url=templates.parse("https://crm.example/{caller}"),
        fields=FIELDS,
        exits={"next": "known", "failed": "unknown"},
    ),
    PlayNode(name="known", sounds=(sound("known"),), exits={"next": "bye"}),
    PlayNode(name="unknown", sounds=(sound("unknown"),), exits={"next": "bye"}),
    HangupNode(name="bye"),
)
TIMEOUT_SECONDS: Final = 0.15
"""Of a service that is slow on purpose."""
PATIENCE_SECONDS: Final = 2.0
"""Of any other: a busy machine is no failure."""
HELD_SECONDS: Final = 0.020
"""The longest that the loop of all calls may be held, of its thread's own processor time."""


@dataclass
class Answer:
    """What the server sends, in which pieces, and whether it stays silent after them."""

    pieces: Sequence[bytes]
    stays: bool = False


@dataclass
class Server:
    """Answers each connection as told last."""

    port: int = 0
    answer: Answer = field(default_factory=lambda: Answer([]))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        answer = self.answer
        suppressed = contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        with contextlib.closing(writer), suppressed:
            await reader.readuntil(b"\r\n\r\n")
            for piece in answer.pieces:
                writer.write(piece)
                await writer.drain()
            if answer.stays:
                await reader.read(1)

    async def end(self, begun: asyncio.Server) -> None:
        """Whoever is still served is so no more."""
        begun.close()
        served = asyncio.all_tasks() - {asyncio.current_task()}
        for one in served:
            one.cancel()
        await asyncio.gather(*served, return_exceptions=True)


@contextmanager
def served() -> Iterator[Server]:
    """The server, in a thread of its own: what holds it up holds up nobody here."""
    loop, server = asyncio.new_event_loop(), Server()
    thread = threading.Thread(target=loop.run_forever, name="web service")
    thread.start()
    try:
        begun = asyncio.run_coroutine_threadsafe(asyncio.start_server(server.serve, "127.0.0.1", 0), loop).result()
        server.port = begun.sockets[0].getsockname()[1]
        yield server
        asyncio.run_coroutine_threadsafe(server.end(begun), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class Told:
    """As an Inbox."""

    inputs: list[Input] = field(default_factory=list)

    def offer(self, offered: CallOffered) -> None:
        """Nobody calls here."""

    def tell(self, call_id: str, told: Input) -> None:
        """Kept."""
        self.inputs.append(told)


STATUSES: Final = [
    *[b"HTTP/1.1 200 OK"] * 4,
    *(b"HTTP/1.0 200 ", b"HTTP/1.1 204 No", b"HTTP/1.1 301 Gone", b"HTTP/1.1 404 X", b"HTTP/1.1 503 Busy"),
    *(b"HTTP/1.1 100 Continue", b"HTTP/9.9 200 OK", b"HTTP/1.1 999 ", b"HTTP/1.1 2000 ", b"ICY 200 OK", b"200", b""),
]
statuses = st.sampled_from(STATUSES)
headers = st.lists(
    st.sampled_from(
        [
            *(
                b"Content-Type: application/json",
                b"Content-Type: \xff",
                b"Content-Encoding: gzip",
                b"Content-Encoding: identity",
            ),
            *(
                b"Transfer-Encoding: chunked",
                b"Transfer-Encoding: gzip, chunked",
                b"Content-Length: 5",
                b"Content-Length: -1",
            ),
            *(b"Content-Length: 99999999999", b"Content-Length: 5, 5", b"Connection: close", b"Connection: keep-alive"),
            *(
                b"Location: http://169.254.169.254/",
                b"Location: //",
                b"Set-Cookie: a=b; Domain=.example",
                b"Retry-After: 9999999999",
            ),
            *(
                b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
                b"Retry-After: \xff",
                b"Upgrade: websocket",
                b"No colon",
                b": empty",
                b" folded",
            ),
            b"X-Long: " + b"x" * 9_000,
        ]
    )
    | st.binary(max_size=20),
    max_size=5,
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["x" * 100, "\ud800", "a\r\nAction: Hangup", "${SHELL(id)}", '"\\', "é" * 20, 10**18, 1e300])
)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["customer", "file", "files", "0", ""]), inner, max_size=4)
    ),
    max_leaves=12,
)
likely = st.builds(
    lambda file, files: {"customer": {"file": file, "files": files}}, leaves, st.lists(leaves, max_size=2)
)
BODIES: Final = [
    *(b"", b"[" * 60_000, b'{"customer":' * 8_000, b"9" * 60_000, b"x" * 70_000, b" " * 65_537, b"NaN"),
    *(b'{"customer": {"file": 1e999}}', b"\xff\xfe{\x00}\x00", b'\xef\xbb\xbf{"customer": {}}'),
    b'{"customer": {"file": "' + b"\\u0000" * 9_000 + b'"}}',
]
bodies = (
    st.builds(lambda document: json.dumps(document).encode("utf-8", "surrogatepass"), likely | documents)
    | st.binary(max_size=200)
    | st.sampled_from(BODIES)
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Mostly HTTP; with lengths that are right, wrong or missing, in chunks that are some or none, cut anywhere."""
    body = draw(bodies)
    lines = [draw(statuses), *draw(headers)]
    match draw(st.sampled_from(("length", "length", "length", "chunks", "neither"))):
        case "length":
            lines.append(b"Content-Length: %d" % max(0, len(body) + draw(st.sampled_from([0, 0, 0, 0, 1, -1]))))
        case "chunks":
            lines.append(b"Transfer-Encoding: chunked")
            size = draw(st.sampled_from([1, 7, 4096])) if len(body) < 300 else 4096
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            ends = draw(
                st.sampled_from(
                    [b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n", b""]
                )
            )
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + ends
        case _:
            pass
    whole = b"\r\n".join(lines) + draw(st.sampled_from([b"\r\n\r\n", b"\r\n\r\n", b"\r\n\r\n", b"\n\n", b""])) + body
    whole = whole[: draw(st.sampled_from([len(whole)] * 4 + [len(whole) // 2]))]
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    return Answer(pieces, stays=not draw(st.integers(0, 14)))


@dataclass
class Room:
    """What asks, and its loop, watched."""

    server: Server
    http: GuardedHttp
    tasks: Tasks
    held_seconds: float = 0.0

    async def watch(self) -> None:
        """How long the loop's thread worked between two of its turns, at most."""
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            self.held_seconds = max(self.held_seconds, time.thread_time() - began)

    async def ask(self, answer: Answer) -> Input:
        """One lookup, to its end."""
        self.server.answer = answer
        told = Told()
        lookups = Lookups(http=self.http, clock=SystemClock(), tasks=self.tasks)
        lookups.tells(told)
        request = HttpRequest(method="GET", url=f"http://127.0.0.1:{self.server.port}/x")
        seconds = TIMEOUT_SECONDS if answer.stays else PATIENCE_SECONDS
        lookups.start("call", 1, Lookup(request=request, timeout_seconds=seconds, fields=FIELDS, music=False))
        async with asyncio.timeout(10):
            while not told.inputs:
                await asyncio.sleep(0.001)
        assert lookups.running == 0
        (only,) = told.inputs
        return only


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """All of it."""
    with served() as server:
        http, tasks = GuardedHttp([f"127.0.0.1:{server.port}"], {}), Tasks()
        found = Room(server, http, tasks)
        tasks.start(found.watch(), "watch")
        try:
            yield found
        finally:
            await tasks.stop()
            await http.close()


@cases(6, 0.0025)
@given(st.lists(answers(), min_size=20, max_size=20))
async def test_a_call_goes_on_whatever_a_service_answers(some: list[Answer]) -> None:
    """In time; with values that fit, or by the exit for failures; and no other call's loop is held meanwhile."""
    async with room() as here:
        for answer in some:
            count("web services: answers")
            with nothing_fails():
                told = await here.ask(answer)
            judge(told)
        assert here.held_seconds <= HELD_SECONDS


def judge(told: Input) -> None:
    """What the answer is to the call that asked."""
    caller = CallerId(number="+33612345678")
    offered = CallOffered(call_id="c", did="+33199000010", caller=caller, at=datetime(2026, 1, 6, 9, tzinfo=UTC))
    call = engine.start(PLAN, offered).call
    assert call.state is CallState.CONSULTING
    assert isinstance(told, LookupDone | LookupFailed)
    if isinstance(told, LookupDone):
        assert set(told.values) == {one.variable for one in FIELDS}
        for one in FIELDS:
            value = told.values[one.variable]
            assert value.isprintable() or value == ""
            assert len(value.encode()) <= one.longest
    else:
        assert len(told.reason.splitlines()) == 1
        assert len(told.reason) < 300
    call = engine.step(PLAN, call, structs.replace(told, step=call.step)).call
    assert call.node == ("known" if isinstance(told, LookupDone) else "unknown")


@cases(100, 0.1)
@given(bodies | documents.map(lambda one: json.dumps(one).encode("utf-8", "surrogatepass")))
def test_no_body_holds_the_interpreter(body: bytes) -> None:
    """Reading one is Python's own, in which no other thread has a turn: it is short for every body that is read."""
    count("web services: bodies")
    began = time.thread_time()
    try:
        values = extract(body[:MAX_ANSWER_BYTES], FIELDS)
    except RequestFailed:
        values = {}
    assert all(value.isprintable() for value in values.values())
    assert time.thread_time() - began <= HELD_SECONDS
