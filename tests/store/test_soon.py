"""What is written soon: again and again while PostgreSQL is away, and at last when the process stops."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from callrouter.errors import DatabaseUnreachable
from callrouter.logs import Outage
from callrouter.store.writing import soon
from callrouter.store.writing.soon import WrittenSoon


class Rows:
    """Rows that PostgreSQL refuses a few times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.tries: list[str] = []
        self.loop = WrittenSoon(
            self.flush,
            Outage(structlog.get_logger(), "rows wait", "rows go on"),
            waiting=lambda: 3,
            pause_seconds=0,
            retry_seconds=0,
            meanwhile=self.meanwhile,
        )

    async def flush(self) -> None:
        """Refused as often as was said."""
        self.tries.append("flush")
        if self.refusals:
            self.refusals -= 1
            raise DatabaseUnreachable("away")

    async def meanwhile(self) -> None:
        """Something else is done with them."""
        self.tries.append("meanwhile")


async def test_it_tries_again_and_says_so_once() -> None:
    rows = Rows(refusals=2)
    with structlog.testing.capture_logs() as lines:
        running = asyncio.get_running_loop().create_task(rows.loop.run())
        await asyncio.sleep(0.01)
        assert rows.tries == []  # nothing waits
        rows.loop.due()
        async with asyncio.timeout(10):
            while len(rows.tries) < 5:
                await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        running.cancel()

    assert rows.tries == ["flush", "meanwhile", "flush", "meanwhile", "flush"]
    assert [(line["event"], line.get("waiting")) for line in lines] == [("rows wait", 3), ("rows go on", None)]


async def test_a_stop_says_why_it_could_not_write() -> None:
    assert await Rows(refusals=0).loop.close() == ""
    assert await Rows(refusals=1).loop.close() == "away"


async def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soon, "CLOSE_SECONDS", 0.01)
    rows = WrittenSoon(
        lambda: asyncio.sleep(60),
        Outage(structlog.get_logger(), "rows wait", "rows go on"),
        waiting=lambda: 1,
        pause_seconds=0,
        retry_seconds=0,
    )

    assert await rows.close() == "no answer"
