"""uvicorn inside our own loop: a taken port is a sentence, and signals stay ours."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from callrouter.errors import SettingsError


class HttpServer(uvicorn.Server):
    """Serves until `stop`; the process's signals are handled by whoever runs it."""

    def __init__(self, app: FastAPI, listening: socket.socket) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, lifespan="auto", ws="none"))
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve."""
        await self.serve(sockets=[self._listening])

    def stop(self) -> None:
        """Finish the requests in hand, and end."""
        self.should_exit = True


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: the port is taken or not ours to take; names the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}): another program may have it; stop it, or set "
            f"{variable} to a free port"
        ) from error
    return listening
