"""The HTTP server inside our own loop."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest
from fastapi import FastAPI, Request

from callrouter.app.http import Connection, HttpServer
from callrouter.app.wiring.listening import listen
from deploy.demo.plain_http import plain_client


class Counting(HttpServer):
    """Counts how often it is woken by its own clock."""

    ticks = 0

    async def on_tick(self, counter: int) -> bool:
        self.ticks += 1
        return await super().on_tick(counter)


async def test_it_rests_between_requests_and_stops_at_once() -> None:
    """Woken about once a second, with a Date that is right; `stop` is heard at once."""
    listening = listen("127.0.0.1", 0, "PORT")
    server = Counting(FastAPI(), listening)
    serving = asyncio.create_task(server.run_until_stopped())  # noqa: TID251 - a test is its own task's owner
    await asyncio.sleep(2.2)
    async with plain_client() as client:
        answer = await client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/nothing")
    server.stop()
    async with asyncio.timeout(1.0):
        await serving

    assert server.ticks <= 5
    assert abs(parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)) < timedelta(seconds=3)


async def test_a_request_finds_its_connection_and_can_have_it_ended() -> None:
    """The kernel gives up on who takes nothing for so long; and it can be cut in the middle of an answer."""
    app, seconds = FastAPI(), list[float]()

    @app.get("/cut")
    async def cut(request: Request) -> None:
        connection: Connection = request.state.connection
        connection.give_up_after(12.5)
        carrying = connection._transport.get_extra_info("socket")
        seconds.append(carrying.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000)
        connection.abort()

    listening = listen("127.0.0.1", 0, "PORT")
    server = HttpServer(app, listening)
    serving = asyncio.create_task(server.run_until_stopped())  # noqa: TID251 - a test is its own task's owner
    async with plain_client() as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/cut")
    server.stop()
    await serving

    assert seconds == [12.5]
