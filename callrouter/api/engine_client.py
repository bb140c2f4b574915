"""How web asks the engine what is going on; the engine may be away, and then a sentence says so.

Of two engines the one that leads answers: the other says 503, or is not there, and then the next one is asked, unless
what was asked for may have been done already.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Container, Iterator
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from callrouter.api.pbx.teams import HandedOverOut, UnitReport
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


class _Unheard(EngineAway):
    """No answer came; what was asked for may be done all the same."""

    def __init__(self, message: str, *, may_be_done: bool) -> None:
        super().__init__(message)
        self.may_be_done = may_be_done


class EngineRefused(CallrouterError):
    """The engine answers that it cannot be done; its own sentence."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class EngineAddresses:
    """Who answered last is asked first.

    Args:
        written: http://host:port, without a slash at the end; several are separated by commas.
    """

    def __init__(self, written: str) -> None:
        self._urls = [part.strip() for part in written.split(",") if part.strip()]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._urls])

    @property
    def first(self) -> str:
        """The one to ask now."""
        return self._urls[0]

    def leads(self, url: str) -> None:
        """It answered as one that leads does."""
        self._urls.remove(url)
        self._urls.insert(0, url)

    def next(self) -> None:
        """The first did not answer, or waits: the next time another one is asked."""
        self._urls.append(self._urls.pop(0))


class EngineClient:
    """Asks one engine.

    Args:
        base_url: http://host:port, without a slash at the end; of two engines both, separated by a comma.
        token: the engine's; it is web's own, too.
    """

    def __init__(self, base_url: str, token: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._addresses = EngineAddresses(base_url)
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
        away: EngineAway | None = None
        for url in self._addresses:
            try:
                status, body = await self._exchange(url, method, path, seconds, sent)
            except _Unheard as error:
                away = away or error
                if error.may_be_done:
                    break
            else:
                if status != http.client.SERVICE_UNAVAILABLE or status in may_refuse:
                    self._addresses.leads(url)
                    return _understood(model, url, status, body, may_refuse)
                away = EngineAway(f"the engine at {url} does not serve now (503): `callrouter status` says why")
        self._addresses.next()
        assert away is not None, "there is an address"
        raise away

    async def _exchange(
        self, url: str, method: str, path: str, seconds: float, sent: bytes | None
    ) -> tuple[int, bytes]:
        connection = _connection(url, seconds)
        try:
            async with asyncio.timeout(seconds):
                # A thread, because the standard library's client blocks; one request a second is many here.
                return await asyncio.to_thread(self._request, connection, url, method, path, sent)
        except asyncio.CancelledError:
            _let_go(connection)
            raise
        except (OSError, TimeoutError, http.client.HTTPException) as error:
            raise _Unheard(
                f"the engine at {url} does not answer ({str(error) or type(error).__name__}): "
                "check that it runs and that CALLROUTER_ENGINE_URL is its address",
                may_be_done=method != "GET" and not isinstance(error, ConnectionRefusedError),
            ) from error

    def _request(
        self, connection: http.client.HTTPConnection, url: str, method: str, path: str, sent: bytes | None
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}"}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, urlsplit(url).path + path, body=sent, headers=headers)
            response = connection.getresponse()
            return response.status, response.read(MAX_BYTES)
        finally:
            connection.close()


def _connection(url: str, seconds: float) -> http.client.HTTPConnection:
    place = urlsplit(url)
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    return connect(place.hostname or "", place.port, timeout=seconds)


def _understood(model: type[Answer], url: str, status: int, body: bytes, may_refuse: Container[int]) -> Answer:
    """What the engine answered. Raises EngineAway and EngineRefused."""
    if status == http.client.UNAUTHORIZED:
        raise EngineAway(f"the engine at {url} refuses our token: give engine and web the same CALLROUTER_API_TOKEN")
    if status == http.client.FORBIDDEN:
        raise EngineAway(
            f"the engine at {url} does not let our token do this: give one that may, "
            "such as CALLROUTER_API_TOKEN of the engine itself"
        )
    if status == http.client.CONFLICT and status not in may_refuse:
        raise EngineAway(f"the engine at {url} has no CALLROUTER_PBX_KEY: give it and `callrouter pbx apply` the same")
    try:
        if status in may_refuse:
            raise EngineRefused(Problem.model_validate_json(body).detail, status)
        return model.model_validate_json(body)
    except ValidationError as error:
        raise EngineAway(
            f"what answers at {url} (status {status}) is not an engine of this release: check CALLROUTER_ENGINE_URL"
        ) from error


def _let_go(connection: http.client.HTTPConnection) -> None:
    """End a request that nobody waits for any more: its thread would hold up the end of the process."""
    with contextlib.suppress(OSError):  # it has just ended
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
