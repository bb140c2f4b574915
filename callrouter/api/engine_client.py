"""How web asks the engine what is going on; the engine may be away, and then a sentence says so."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Container
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from callrouter.api.pbx import HandedOverOut, UnitReport
from callrouter.api.schemas.base import Out
from callrouter.api.schemas.live import LiveOut
from callrouter.api.schemas.service import Problem
from callrouter.api.status import StatusOut
from callrouter.errors import CallrouterError

TIMEOUT_SECONDS: Final = 2.0
RELOAD_SECONDS: Final = 120.0
MAX_BYTES: Final = 16 * 1024 * 1024
"""2,000 live calls are about 1 MB."""


Answer = TypeVar("Answer", bound=Out)


class EngineAway(CallrouterError):
    """The engine does not answer, or not as an engine does."""


class EngineRefused(CallrouterError):
    """The engine answers that it cannot be done; its own sentence."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class EngineClient:
    """Asks one engine.

    Args:
        base_url: http://host:port, without a slash at the end.
        token: the engine's; it is web's own, too.
    """

    def __init__(self, base_url: str, token: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._base_url = base_url
        self._token = token
        self._timeout_seconds = timeout_seconds

    async def live(self) -> LiveOut:
        """The calls in progress.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self._ask(LiveOut, "GET", "/live", self._timeout_seconds)

    async def status(self) -> StatusOut:
        """What the engine serves, and what is wrong with it.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self._ask(StatusOut, "GET", "/status", self._timeout_seconds)

    async def reload(self) -> StatusOut:
        """Have it load the clients' files now, which may have new texts to speak; its state after that.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        return await self._ask(StatusOut, "POST", "/reload", RELOAD_SECONDS)

    async def teams(self, report: UnitReport) -> HandedOverOut:
        """What the PBX is to have, once it is something else than the report says it has.

        Raises:
            EngineAway: with the reason, and what to look at.
        """
        seconds = report.wait_seconds + self._timeout_seconds
        return await self._ask(HandedOverOut, "POST", "/pbx/teams", seconds, report.model_dump_json().encode())

    async def ask(self, model: type[Answer], method: str, path: str, *, may_refuse: Container[int] = ()) -> Answer:
        """Any of its pages; `may_refuse` are statuses by which it says that something cannot be done.

        Raises:
            EngineRefused: it cannot be done.
            EngineAway: with the reason, and what to look at.
        """
        return await self._ask(model, method, path, self._timeout_seconds, may_refuse=may_refuse)

    async def _ask(  # noqa: PLR0913, RUF100  # each is of the request
        self,
        model: type[Answer],
        method: str,
        path: str,
        seconds: float,
        sent: bytes | None = None,
        *,
        may_refuse: Container[int] = (),
    ) -> Answer:
        connection = self._connection(seconds)
        try:
            async with asyncio.timeout(seconds):
                # A thread, because the standard library's client blocks; one request a second is many here.
                status, body = await asyncio.to_thread(self._request, connection, method, path, sent)
        except asyncio.CancelledError:
            _let_go(connection)
            raise
        except (OSError, TimeoutError, http.client.HTTPException) as error:
            raise EngineAway(
                f"the engine at {self._base_url} does not answer ({str(error) or type(error).__name__}): "
                "check that it runs and that CALLROUTER_ENGINE_URL is its address"
            ) from error
        if status == http.client.UNAUTHORIZED:
            raise EngineAway(
                f"the engine at {self._base_url} refuses our token: give engine and web the same CALLROUTER_API_TOKEN"
            )
        if status == http.client.FORBIDDEN:
            raise EngineAway(
                f"the engine at {self._base_url} does not let our token do this: give one that may, "
                "such as CALLROUTER_API_TOKEN of the engine itself"
            )
        if status == http.client.CONFLICT and status not in may_refuse:
            raise EngineAway(
                f"the engine at {self._base_url} has no CALLROUTER_PBX_KEY: give it and `callrouter pbx apply` the same"
            )
        try:
            if status in may_refuse:
                raise EngineRefused(Problem.model_validate_json(body).detail, status)
            return model.model_validate_json(body)
        except ValidationError as error:
            raise EngineAway(
                f"what answers at {self._base_url} (status {status}) is not an engine of this release: "
                "check CALLROUTER_ENGINE_URL"
            ) from error

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        url = urlsplit(self._base_url)
        connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        return connect(url.hostname or "", url.port, timeout=seconds)

    def _request(
        self, connection: http.client.HTTPConnection, method: str, path: str, sent: bytes | None
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}"}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, urlsplit(self._base_url).path + path, body=sent, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(MAX_BYTES)
        finally:
            connection.close()


def _let_go(connection: http.client.HTTPConnection) -> None:
    """End a request that nobody waits for any more: its thread would hold up the end of the process."""
    with contextlib.suppress(OSError):  # it has just ended
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
