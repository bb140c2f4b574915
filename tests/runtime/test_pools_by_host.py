"""Connections to real web services: kept for the next request, of each host by itself, and closed when nobody asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from callrouter.runtime.pools_by_host import IDLE_SECONDS, PoolsByHost
from tests.patience import ANSWER_SECONDS

LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=2)


@dataclass
class Service:
    """A web service that keeps its connections."""

    port: int = 0
    taken: int = 0
    """Connections, in all."""
    open: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, as many requests as come by it."""
        self.taken, self.open = self.taken + 1, self.open + 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self.may_answer.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def is_left(self) -> None:
        """Wait until nobody is connected."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while self.open:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def _serving() -> AsyncIterator[Service]:
    service = Service()
    service.may_answer.set()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        service.may_answer.set()
        server.close()


@asynccontextmanager
async def _asking(pools: PoolsByHost) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=pools, trust_env=False, timeout=ANSWER_SECONDS) as client:
        yield client


async def test_a_connection_is_kept_for_the_next_request_to_its_host() -> None:
    async with _serving() as one, _serving() as other, _asking(PoolsByHost(LIMITS)) as client:
        for service in (one, other, one, other):
            assert (await client.get(service.url)).json() == {}
        assert (one.taken, other.taken) == (1, 1)
    await one.is_left()
    await other.is_left()


async def test_a_host_that_holds_all_its_connections_takes_none_from_another() -> None:
    """However many wait for it."""
    async with _serving() as one, _serving() as other, _asking(PoolsByHost(LIMITS)) as client:
        one.may_answer.clear()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(client.get(one.url)) for _ in range(5)]
            assert (await client.get(other.url)).is_success
            assert not any(task.done() for task in waiting)
            one.may_answer.set()
        assert all(task.result().is_success for task in waiting)
        assert one.taken <= 2


@pytest.mark.parametrize("passed", [IDLE_SECONDS - 1, IDLE_SECONDS + 1])
async def test_connections_of_hosts_that_nobody_asks_are_closed(passed: float) -> None:
    """With the next request to any other: services come and go with clients' files."""
    now = [0.0]
    async with _serving() as one, _serving() as other, _asking(PoolsByHost(LIMITS, seconds=lambda: now[0])) as client:
        await client.get(one.url)
        now[0] = passed
        await client.get(other.url)
        if passed > IDLE_SECONDS:
            await one.is_left()
        assert (one.open, other.open) == (int(passed < IDLE_SECONDS), 1)
        await client.get(one.url)
        assert one.taken == 1 + (passed > IDLE_SECONDS)
