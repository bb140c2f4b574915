"""uvicorn inside our own loop: signals stay ours, and it is woken once a second."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from callrouter.runtime.pauses import pause

TICK_SECONDS: Final = 1.0
"""How often the Date header is renewed: its unit."""


class Connection:
    """What carries requests, for those that do not end by themselves: they find it in their state, as `connection`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def give_up_after(self, seconds: float) -> None:
        """Have the kernel end it when the other side takes nothing for so long (tcp(7), TCP_USER_TIMEOUT)."""
        carrying = self._transport.get_extra_info("socket")
        if carrying is not None:
            carrying.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * seconds))

    def abort(self) -> None:
        """End it now; what was not sent is not sent."""
        self._transport.abort()


class _Protocol(H11Protocol):
    """As uvicorn's own, and each request knows its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": Connection(transport)}


class HttpServer(uvicorn.Server):
    """Serves until `stop`; the process's signals are handled by whoever runs it."""

    def __init__(self, app: FastAPI, listening: socket.socket, trusted_proxies: Sequence[str] = ()) -> None:
        """`trusted_proxies`: addresses and networks whose `X-Forwarded-For` is believed; uvicorn's default, this
        machine, is not ours: whoever is on it could say that they come from anywhere.
        """
        config = uvicorn.Config(
            app,
            http=_Protocol,
            log_config=None,
            access_log=False,
            lifespan="auto",
            ws="none",
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
        super().__init__(config)
        self._listening = listening
        self._stopped = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve."""
        await self.serve(sockets=[self._listening])

    async def main_loop(self) -> None:
        """As uvicorn's, which asks ten times a second whether it should end: beside live calls each waking costs."""
        while not await self.on_tick(0):
            await pause(TICK_SECONDS, self._stopped)

    def stop(self) -> None:
        """Finish the requests in hand, and end."""
        self.should_exit = True
        self._stopped.set()
