"""The event stream from the engine to readers, without PostgreSQL; and who vanishes, stalls or sends garbage."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from callrouter.api.auth import Tokens
from callrouter.api.engine_app import create_engine_app
from callrouter.api.engine_client import EngineClient
from callrouter.api.stream import engine_page, link, page, response
from callrouter.api.stream.link import EngineLink, pause_seconds
from callrouter.api.web_app import create_web_app
from callrouter.app.http import HttpServer
from callrouter.app.wiring.listening import listen
from callrouter.core import facts
from callrouter.core.call import Call
from callrouter.errors import StoreError
from callrouter.permissions import Permission, Principal, Scope, ScopeKind
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.tokens import Found
from callrouter.stream.events import StreamEvent, decode
from callrouter.stream.feed import Feed
from callrouter.stream.frames import FrameReader
from callrouter.stream.hub import Hub
from callrouter.stream.making import EventMaker
from deploy.demo.plain_http import plain_client
from tests.patience import ANSWER_SECONDS

from ..stream.cards import agent  # noqa: TID252  # tests are no installed package
from ..stream.test_making import PLAN, rung  # noqa: TID252
from ..stream.test_ring import GARBAGE  # noqa: TID252
from .serving import TOKEN, Noted, NoTokens, make_gate
from .stories import after, live

SECONDS = 10.0


@asynccontextmanager
async def served(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """As callrouter itself serves it."""
    listening = listen("127.0.0.1", port, "TEST_PORT")
    server = HttpServer(app, listening)
    running = Tasks().start(server.run_until_stopped(), "server")
    try:
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.stop()
        await asyncio.wait([running], timeout=SECONDS)
        listening.close()


class Engine:
    """One life of an engine: calls, and the feed of what happens to them."""

    def __init__(self, epoch: int, *calls: Call, token: str = TOKEN) -> None:
        self.calls = LiveCalls()
        for call in calls:
            self.calls.add(LiveCall(call, PLAN))
        maker = EventMaker(self.calls, lambda: {PLAN.client: PLAN}, lambda: after(99))
        self.feed = Feed(epoch, maker, calls=self.calls, now=lambda: after(99))
        self.feed.observes(True)
        self.app = create_engine_app([], CollectorRegistry(), {}, gate=make_gate(token), feed=self.feed)

    def begins(self, call_id: str) -> None:
        call = live(call_id)
        self.calls.add(LiveCall(call, PLAN))
        self.feed.observe([facts.QueueEntered(call=call, visit=call.queue_visits[0])])

    def rings(self, call_id: str, agent_: str) -> None:
        """An agent's telephone."""
        call = rung(live(call_id), agent_)
        self.feed.observe([facts.OfferMade(call=call, offer=call.offers[0])])

    def begins_many(self, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            self.begins(f"many-{number}")


@dataclass
class Web:
    """One life of a web process."""

    base: str
    hub: Hub
    noted: Noted = field(default_factory=Noted)

    @asynccontextmanager
    async def reads(self, query: str = "", token: str = TOKEN, **headers: str) -> AsyncIterator[Reading]:
        """Somebody reads the stream."""
        async with (
            plain_client(base_url=self.base, timeout=SECONDS, headers={"Authorization": f"Bearer {token}"}) as client,
            client.stream("GET", f"/api/stream{query}", headers=headers) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                await answer.aread()
            yield Reading(answer)

    async def get(self, path: str, token: str | None = TOKEN) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with plain_client(base_url=self.base, timeout=SECONDS, headers=headers) as client:
            return await client.get(path)


class Reading:
    """What a reader has been told."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._frames = FrameReader()
        self._bytes = answer.aiter_raw() if answer.status_code == HTTPStatus.OK else None
        self._told: list[tuple[str, StreamEvent]] = []
        self.raw = b""

    async def next(self, count: int = 1) -> list[tuple[str, StreamEvent]]:
        """The next events, each with its id."""
        async with asyncio.timeout(SECONDS):
            while len(self._told) < count:
                assert self._bytes is not None
                some = await anext(self._bytes)
                self.raw += some
                self._told += [(str(one.id or ""), decode(one.data)) for one in self._frames.feed(some)]
        told, self._told = self._told[:count], self._told[count:]
        return told

    async def kinds(self, count: int = 1) -> list[tuple[str, str]]:
        return [(event_id, type(event).__name__) for event_id, event in await self.next(count)]

    async def the_end(self) -> None:
        """Until the server has ended it."""
        async with asyncio.timeout(SECONDS):
            while True:
                assert self._bytes is not None
                try:
                    self.raw += await anext(self._bytes)
                except (StopAsyncIteration, httpx.HTTPError):
                    return


@asynccontextmanager
async def web_of(
    engine_url: str, tokens: Tokens | None = None, port: int = 0, linger_seconds: float = 60.0
) -> AsyncIterator[Web]:
    """A web process beside that engine, as `callrouter web` starts and stops it; it has no database."""
    nobody: Any = None
    hub, noted, tasks = Hub(lambda: after(99), linger_seconds=linger_seconds), Noted(), Tasks()
    gate = make_gate(tokens=tokens or NoTokens(), trail=noted)
    app = create_web_app(
        nobody, nobody, EngineClient(engine_url, TOKEN, timeout_seconds=ANSWER_SECONDS), nobody, gate=gate, hub=hub
    )
    tasks.keep(EngineLink(engine_url, TOKEN, hub).run, "link")
    async with served(app, port) as base:
        try:
            yield Web(base, hub, noted)
        finally:
            hub.end("web stops")
            await tasks.stop()


@asynccontextmanager
async def town(*calls: Call, tokens: Tokens | None = None) -> AsyncIterator[tuple[Engine, Web]]:
    """An engine and a web process."""
    engine = Engine(7, *calls)
    async with served(engine.app) as engine_url, web_of(engine_url, tokens) as web:
        try:
            yield engine, web
        finally:
            engine.feed.end("the engine stops")


def token_for(scope: Scope, *permissions: Permission, name: str = "wallboard") -> Principal:
    return Principal(name=f"token:{name}", permissions=frozenset(permissions or {Permission.STREAM_READ}), scope=scope)


SECRET = "crt_0123456789ab_" + "x" * 43


class OneToken:
    """There is one, and what becomes of it the test says."""

    def __init__(self, principal: Principal) -> None:
        self.found: Found | None = Found(principal=principal, ended="")
        self.away = False

    def remembered(self, presented: str) -> Found | None:
        return None

    async def find(self, presented: str) -> Found | None:
        if self.away:
            raise StoreError("PostgreSQL is away")
        return self.found if presented == SECRET else None


async def test_what_happens_is_told() -> None:
    async with town(live("1")) as (engine, web), web.reads() as reading:
        begun = await reading.kinds()
        engine.begins("2")
        engine.rings("2", "agent-1")
        happened = await reading.kinds(2)
        answer = reading.answer

    assert (begun, happened) == ([("7-1", "Snapshot")], [("7-2", "CallWaiting"), ("7-3", "CallOffered")])
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store, no-transform", "no")
    assert reading.raw.startswith(b"retry: ")


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", ["CallWaiting", "AgentChanged", "CallOffered"]),
        ("?team=medical", ["CallWaiting", "AgentChanged", "CallOffered"]),
        ("?agent=agent-1", ["AgentChanged", "CallOffered"]),
        ("?client=cabinet-moreau", ["CallWaiting", "CallOffered"]),
        ("?team=legal", []),
        ("?agent=agent-1&client=etude-lenoir", []),
    ],
)
async def test_a_part_of_it_is_seen(query: str, seen: list[str]) -> None:
    """The link's loss, which everybody sees, ends each."""
    async with town() as (engine, web), web.reads(query) as reading:
        await reading.next()
        engine.begins("2")
        engine.feed.agent_changed(agent("agent-1"))
        engine.rings("2", "agent-1")
        engine.feed.observes(False, "gone")
        told = [kind for _, kind in await reading.kinds(len(seen) + 1)]

    assert told == [*seen, "ObservationLost"]


CLIENT = Scope(ScopeKind.CLIENTS, frozenset({"etude-lenoir"}))
TEAM = Scope(ScopeKind.TEAMS, frozenset({"medical"}))


async def test_a_token_sees_what_it_may() -> None:
    async with town(live("1"), tokens=OneToken(token_for(CLIENT))) as (engine, web), web.reads(token=SECRET) as reading:
        [(_, begun)] = await reading.next()
        engine.begins("2")
        engine.feed.agent_changed(agent("agent-1"))
        engine.feed.observes(False, "gone")
        told = await reading.kinds()

    assert (begun.calls, begun.agents) == ([], [])  # type: ignore[union-attr]
    assert [kind for _, kind in told] == ["ObservationLost"]


@pytest.mark.parametrize(
    ("principal", "path", "status", "said"),
    [
        (token_for(CLIENT), "/api/stream?client=cabinet-moreau", 403, "does not hold stream.read on client"),
        (token_for(TEAM), "/api/stream?team=legal", 403, "does not hold stream.read on team legal"),
        (token_for(TEAM, Permission.LIVE_READ), "/api/stream", 403, "does not hold stream.read"),
        (token_for(TEAM, Permission.LIVE_READ), "/api/stream/schema", 403, "does not hold stream.read"),
        (token_for(TEAM), "/api/stream?agnt=agent-1", 422, "query.agnt: there is no such parameter"),
        (token_for(TEAM), "/api/stream?agent=", 422, "query.agent: is empty"),
        (token_for(TEAM), "/api/stream?agent=a%00b", 422, "query.agent"),
        (token_for(TEAM), "/api/stream?agent=" + "x" * 81, 422, "query.agent"),
        (token_for(TEAM), "/api/stream?agent=a&agent=b", 422, "stands here twice"),
    ],
)
async def test_what_is_not_for_them_is_refused(principal: Principal, path: str, status: int, said: str) -> None:
    async with town(tokens=OneToken(principal)) as (_, web):
        answer = await web.get(path, SECRET)
        stranger = await web.get(path, None)

    assert (answer.status_code, stranger.status_code) == (status, 401)
    assert said in answer.json()["detail"]
    refused = [(deed.principal, deed.action) for deed in web.noted.deeds if deed.principal != "nobody"]
    assert refused == ([("token:wallboard", "stream.read")] if status == 403 else [])


async def test_the_engines_own_stream_is_for_who_may_see_everything() -> None:
    engine = Engine(7)
    engine.app = create_engine_app(
        [], CollectorRegistry(), {}, gate=make_gate(tokens=OneToken(token_for(TEAM))), feed=engine.feed
    )
    async with served(engine.app) as base, plain_client(base_url=base) as client:
        refused = [(await client.get("/stream", headers={"Authorization": f"Bearer {one}"})) for one in (SECRET, "x")]

    assert [one.status_code for one in refused] == [403, 401]
    assert "ask web" in refused[0].json()["detail"]


async def test_the_schema_is_there() -> None:
    async with town() as (_, web):
        answer = await web.get("/api/stream/schema")

    assert "call.offered" in answer.json()["discriminator"]["mapping"]


@pytest.mark.parametrize("last", [one for one in GARBAGE if one is not None and one.isascii()])
async def test_a_last_event_id_that_is_none_leads_to_a_snapshot(last: str) -> None:
    async with town() as (_, web):
        try:
            async with web.reads(**{"Last-Event-ID": last}) as reading:
                told = await reading.kinds()
        except (httpx.LocalProtocolError, ValueError):  # no client can send it
            told = [("7-1", "Snapshot")]

    assert told == [("7-1", "Snapshot")]


async def test_whatever_stands_in_a_request_is_answered() -> None:
    """Bytes as they come, past any client's own checks: a stream with its snapshot, or a refusal, and nobody else is
    disturbed.
    """
    async with town() as (engine, web), web.reads() as bystander:
        await bystander.next()
        port = int(web.base.rpartition(":")[2])

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(query=st.binary(max_size=60), last=st.binary(max_size=60))
        def sends(query: bytes, last: bytes) -> None:
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sender:
                sender.sendall(
                    b"GET /api/stream?agent=%b HTTP/1.1\r\nHost: x\r\n" % query
                    + b"Authorization: Bearer %b\r\nLast-Event-ID: %b\r\n\r\n" % (TOKEN.encode(), last)
                )
                assert sender.recv(12)[:9] in {b"HTTP/1.1 ", b""}

        await asyncio.to_thread(sends)
        engine.begins("2")

        assert await bystander.kinds() == [("7-2", "CallWaiting")]


async def test_who_comes_back_goes_on_from_there() -> None:
    async with town() as (engine, web):
        async with web.reads() as first:
            await first.next()
            engine.begins("1")
            [(last, _)] = await first.next()
        engine.begins("2")
        engine.begins("3")
        async with web.reads(**{"Last-Event-ID": last}) as again:
            told = await again.kinds(2)

    assert (last, told) == ("7-2", [("7-3", "CallWaiting"), ("7-4", "CallWaiting")])


async def test_web_is_started_again_and_nobody_misses_anything() -> None:
    """On the same port; the engine has kept what happened in between."""
    engine = Engine(7)
    async with served(engine.app) as engine_url:
        async with web_of(engine_url) as web, web.reads() as first:
            await first.next()
            engine.begins("1")
            [(last, _)] = await first.next()
            web.hub.end("web stops")
            await first.the_end()
        engine.begins("2")
        async with web_of(engine_url, port=int(web.base.rpartition(":")[2])) as other:
            engine.begins("3")
            async with other.reads(**{"Last-Event-ID": last}) as again:
                told = await again.kinds(2)
        engine.feed.end("the engine stops")

    assert told == [("7-3", "CallWaiting"), ("7-4", "CallWaiting")]


class Relay:
    """The wire between web and engine, which can be cut, and can be held."""

    def __init__(self) -> None:
        self.to = ""
        self.held = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", int(self.to.rpartition(":")[2]))
        except (OSError, ValueError):
            writer.transport.abort()
            return
        self._writers.add(back)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass(reader, back))
            tasks.create_task(self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await source.read(65_536):
                if self.held.is_set():
                    continue
                sink.write(some)
        sink.close()

    def cut(self) -> None:
        """As when one of both is killed: the other side is told so by a reset."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def wire() -> AsyncIterator[tuple[Relay, str]]:
    """A relay and its address."""
    relay = Relay()
    server = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    try:
        yield relay, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        relay.cut()
        server.close()


@pytest.mark.parametrize("killed", [False, True])
async def test_the_engine_is_started_again(killed: bool) -> None:
    """In order, or after it was killed. Its readers hear that it is away, and how it stands when it is back."""
    first, second = Engine(7, live("1")), Engine(8, live("2"))
    async with wire() as (relay, url), web_of(url) as web, served(first.app) as relay.to, web.reads() as reading:
        begun = await reading.kinds()
        if killed:
            relay.to = ""
            relay.cut()
        first.feed.end("the engine stops")
        away = await reading.kinds()
        async with served(second.app) as relay.to:
            [(last, back)] = await reading.next()
            second.begins("3")
            on = await reading.kinds()
            second.feed.end("the engine stops")

    assert (begun, away, on) == ([("7-1", "Snapshot")], [("", "EngineAway")], [("8-2", "CallWaiting")])
    assert (last, [call.call_id for call in back.calls]) == ("8-1", ["2"])  # type: ignore[union-attr]


async def test_a_link_that_breaks_loses_nothing() -> None:
    """The engine lives on: what happened meanwhile comes first, and each event once."""
    async with wire() as (relay, url), web_of(url) as web:
        engine = Engine(7)
        async with served(engine.app) as relay.to, web.reads() as reading:
            await reading.next()
            engine.begins("1")
            told = await reading.kinds()
            there, relay.to = relay.to, ""
            relay.cut()
            told += await reading.kinds()
            engine.begins("2")
            relay.to = there
            told += await reading.kinds(2)
            engine.begins("3")
            told += await reading.kinds()
            engine.feed.end("the engine stops")

    assert told == [
        *(
            ("7-2", "CallWaiting"),
            ("", "EngineAway"),
            ("7-3", "CallWaiting"),
            ("7-3", "Snapshot"),
            ("7-4", "CallWaiting"),
        )
    ]


async def test_an_engine_that_hangs_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection stands, and nothing comes, not even a comment."""
    monkeypatch.setattr(link, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(engine_page, "HEARTBEAT_SECONDS", 0.1)
    async with wire() as (relay, url), web_of(url) as web:
        engine = Engine(7)
        async with served(engine.app) as relay.to, web.reads() as reading:
            await reading.next()
            await asyncio.sleep(1)  # it says nothing new, but that it is there
            engine.begins("1")
            told = await reading.kinds()
            relay.held.set()
            told += await reading.kinds()
            relay.held.clear()
            told += await reading.kinds()
            engine.feed.end("the engine stops")

    assert told == [("7-2", "CallWaiting"), ("", "EngineAway"), ("7-2", "Snapshot")]


async def test_an_engine_that_is_not_there_is_said_to_be_away(free_port: Callable[[], int]) -> None:
    """A reader is not refused: a browser would not come back."""
    async with web_of(f"http://127.0.0.1:{free_port()}") as web, web.reads() as reading:
        [(_, away)] = await reading.next()

    assert "check that it runs" in away.reason  # type: ignore[union-attr]


async def test_what_is_no_engine_is_said_to_be_away() -> None:
    """It answers, with something else than a stream of ours; another token than its own is one case."""
    async with (
        served(Engine(7, token="another token than web's").app) as url,
        web_of(url) as web,
        web.reads() as reading,
    ):
        [(_, refused)] = await reading.next()
    old = create_engine_app([], CollectorRegistry(), {}, gate=make_gate())
    async with served(old) as url, web_of(url) as web, web.reads() as reading:
        [(_, older)] = await reading.next()

    assert "the same CALLROUTER_API_TOKEN" in refused.reason  # type: ignore[union-attr]
    assert "older release" in older.reason  # type: ignore[union-attr]


async def stalled_reader(web: Web) -> socket.socket:
    """One who asks, and reads nothing: with a small buffer, so that the server has to keep what comes."""
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stalled, ("127.0.0.1", int(web.base.rpartition(":")[2])))
    await loop.sock_sendall(
        stalled, f"GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    return stalled


async def all_of(sender: socket.socket) -> None:
    """Until the other side ends it, or resets it."""
    async with asyncio.timeout(SECONDS):
        while await asyncio.get_running_loop().sock_recv(sender, 65_536):
            pass


async def test_a_reader_who_stalls_is_cut_off_and_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for them is bounded; the others see all of it; their connection does not stay."""
    monkeypatch.setattr(response, "CUT_SECONDS", 0.1)
    async with town() as (engine, web), web.reads() as reading:
        with await stalled_reader(web) as stalled:
            await reading.next()
            for step in range(400):
                engine.begins_many(50, 50 * step)
                told = await reading.kinds(50)
                assert told[-1] == (f"7-{50 * step + 51}", "CallWaiting")
                if web.hub.readers == 1:
                    break
            else:
                raise AssertionError("the stalled reader was never cut off")
            with contextlib.suppress(ConnectionError):
                await all_of(stalled)


async def test_a_reader_who_goes_is_forgotten() -> None:
    async with town() as (_, web):
        async with web.reads() as reading:
            await reading.next()
            there = web.hub.readers
        async with asyncio.timeout(SECONDS):
            while web.hub.readers:
                await asyncio.sleep(0.01)

    assert there == 1


async def test_five_hundred_readers() -> None:
    """Agents' screens and some supervisors: each sees what is theirs, soon."""
    async with town() as (engine, web), AsyncExitStack() as readers:
        limits = httpx.Limits(max_connections=None)
        client = await readers.enter_async_context(
            plain_client(
                base_url=web.base, timeout=SECONDS, limits=limits, headers={"Authorization": f"Bearer {TOKEN}"}
            )
        )
        queries = [f"?agent=agent-{number}" if number % 10 else "" for number in range(500)]
        readings = [
            Reading(await readers.enter_async_context(client.stream("GET", f"/api/stream{query}"))) for query in queries
        ]
        begun = [await reading.kinds() for reading in readings]
        engine.begins("1")
        began = asyncio.get_running_loop().time()
        for number in range(500):
            engine.feed.agent_changed(agent(f"agent-{number}"))
        told = [await reading.kinds(501 if not query else 1) for query, reading in zip(queries, readings, strict=True)]
        took = asyncio.get_running_loop().time() - began

    assert begun == [[("7-1", "Snapshot")]] * 500
    assert {len(one) for one in told} == {1, 501}
    assert [one[0][0] for one, query in zip(told, queries, strict=True) if query] == [
        f"7-{number + 3}" for number in range(500) if number % 10
    ]
    assert took < SECONDS


async def test_streams_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    async with town(tokens=OneToken(token_for(TEAM))) as (_, web), AsyncExitStack() as readers:
        for _ in range(50):
            reading = await readers.enter_async_context(web.reads(token=SECRET))
            assert reading.answer.status_code == HTTPStatus.OK
        refused = await web.get("/api/stream", SECRET)
        operators = await readers.enter_async_context(web.reads())

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert "has 50 streams open" in refused.json()["detail"]
    assert [(deed.principal, deed.action) for deed in web.noted.deeds] == [("token:wallboard", "stream.read")]
    assert operators.answer.status_code == HTTPStatus.OK


@pytest.mark.parametrize("ends", ["revoked", "gone", "other scope", "other permissions"])
async def test_who_may_not_any_more_sees_no_more(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    monkeypatch.setattr(page, "HEARTBEAT_SECONDS", 0.05)
    tokens = OneToken(token_for(TEAM))
    async with town(tokens=tokens) as (engine, web), web.reads(token=SECRET) as reading:
        await reading.next()
        tokens.away = True
        await asyncio.sleep(0.2)
        engine.begins("1")
        while_away = await reading.kinds()
        tokens.away = False
        tokens.found = {
            "revoked": Found(principal=token_for(TEAM), ended="was revoked at 2026-11-29 13:00 UTC"),
            "gone": None,
            "other scope": Found(principal=token_for(CLIENT), ended=""),
            "other permissions": Found(principal=token_for(TEAM, Permission.LIVE_READ), ended=""),
        }[ends]
        await reading.the_end()

    assert while_away == [("7-2", "CallWaiting")]
    assert [(deed.principal, deed.action) for deed in web.noted.deeds] == [("token:wallboard", "stream.read")]
    assert reading.raw.count(b"\n\n:\n\n") >= 1


async def test_comments_show_that_the_stream_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "HEARTBEAT_SECONDS", 0.05)
    async with town() as (engine, web), web.reads() as reading:
        await reading.next()
        await asyncio.sleep(0.3)
        engine.begins("1")
        await reading.next()

    assert reading.raw.count(b":\n\n") >= 2


async def test_web_stops_at_once_with_streams_open() -> None:
    """Those who read, and one who does not."""
    async with AsyncExitStack() as later:
        began = 0.0
        async with town() as (engine, web):
            stalled = await stalled_reader(web)
            later.callback(stalled.close)
            reading = await later.enter_async_context(web.reads())
            await reading.next()
            engine.begins_many(2_000)
            began = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - began

    assert took < 4


async def test_the_engine_is_heard_only_while_somebody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a while longer; nothing is made of what happens meanwhile."""
    monkeypatch.setattr(engine_page, "HEARTBEAT_SECONDS", 0.05)
    engine = Engine(7)
    async with served(engine.app) as url, web_of(url, linger_seconds=0.1) as web:
        await asyncio.sleep(0.1)
        never = engine.feed.listening
        async with web.reads() as reading:
            await reading.next()
            reads = engine.feed.listeners
        async with asyncio.timeout(SECONDS):
            while engine.feed.listeners:
                await asyncio.sleep(0.01)
        async with web.reads() as reading:
            again = await reading.kinds()
        engine.feed.end("the engine stops")

    assert (never, reads, again) == (False, 1, [("7-1", "Snapshot")])


def test_pauses_grow_to_a_bound_and_are_random() -> None:
    longest = [pause_seconds(attempt, lambda _, most: most) for attempt in range(10)]

    assert longest[:4] == [0.1, 0.2, 0.4, 0.8]
    assert longest[-1] == 5.0
    assert pause_seconds(9, lambda least, _: least) == 0.0
