"""The HTTP server inside our own loop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from fastapi import FastAPI

from callrouter.app.http import HttpServer, listen


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
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{listening.getsockname()[1]}/nothing")
    server.stop()
    async with asyncio.timeout(1.0):
        await serving

    assert server.ticks <= 5
    assert abs(parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)) < timedelta(seconds=3)
