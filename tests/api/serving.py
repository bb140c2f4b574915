"""Serves an application as `callrouter` does: uvicorn, in this loop, on a free loopback port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI

from callrouter.api.auth import Gate, Tokens, Trail
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import Found

TOKEN = "a-token-for-tests-only"


class NoTokens:
    """No token was ever made."""

    def remembered(self, presented: str) -> Found | None:
        return None

    async def find(self, presented: str) -> Found | None:
        return None


@dataclass
class Noted:
    """What would be in the audit trail."""

    deeds: list[Deed] = field(default_factory=list)

    def note(self, deed: Deed) -> None:
        self.deeds.append(deed)


def make_gate(
    token: str = TOKEN,
    *,
    tokens: Tokens | None = None,
    trail: Trail | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Gate:
    """A gate that knows the operator's token, and those of `tokens`."""
    return Gate(token, tokens or NoTokens(), trail or Noted(), clock=clock)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The base URL of the running server."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test runner keeps its own
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(server.serve())
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await running
