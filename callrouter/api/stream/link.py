"""Web's one connection to the engine's stream, while somebody reads: it comes back by itself, after a random pause."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import httpx
import structlog

from callrouter.api.engine_client import EngineAddresses, EngineAway
from callrouter.api.stream.engine_page import HEARTBEAT_SECONDS
from callrouter.logs import Outage
from callrouter.stream.frames import FrameReader
from callrouter.stream.hub import Hub

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 2.0
SILENT_SECONDS: Final = 3 * HEARTBEAT_SECONDS
"""An engine that says nothing for so long, not even that there is nothing to say, is not heard."""
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0


def pause_seconds(attempt: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """How long to wait before the attempt of that number (from 0): up to a bound that doubles, and ends."""
    return uniform(0, min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempt, 16)))


class EngineLink:
    """Keeps the hub up to date. Run `run` in one task.

    Args:
        base_url: the engine's, http://host:port, without a slash at the end; of two engines both, separated by a comma.
        token: one that may follow everything; it is web's own.
        hub: what the engine says goes there.
    """

    def __init__(self, base_url: str, token: str, hub: Hub) -> None:
        self._addresses = EngineAddresses(base_url)
        self._token = token
        self._hub = hub
        self._away = Outage(log, "the engine's events cannot be heard", "the engine's events are heard again")

    async def run(self) -> None:
        """Listen while somebody reads, until cancelled."""
        attempt = 0
        while True:
            await self._hub.wanted.wait()
            try:
                async with self._client() as client:
                    await self._listen(client)
            except EngineAway as error:
                if self._hub.heard:
                    attempt = 0
                self._hub.lost(str(error))
                self._away.failed(str(error))
                self._addresses.next()
                await asyncio.sleep(pause_seconds(attempt))
                attempt += 1
            else:
                self._hub.rest()
                attempt = 0

    def _client(self) -> httpx.AsyncClient:
        # Straight to the engine, whatever proxy the environment names.
        return httpx.AsyncClient(
            base_url=self._addresses.first,
            headers={"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    async def _listen(self, client: httpx.AsyncClient) -> None:
        """Until nobody reads any more.

        Raises:
            EngineAway: it does not answer, refuses us, says what is none of ours, or stops.
        """
        url, last = self._addresses.first, self._hub.last
        headers = {"Last-Event-ID": str(last)} if last else {}
        try:
            async with client.stream("GET", "/stream", headers=headers) as response:
                if response.status_code != HTTPStatus.OK:
                    raise EngineAway(_refusal(url, response.status_code))
                frames = FrameReader()
                async for some in response.aiter_raw():
                    for taken in frames.feed(some):
                        self._hub.take(taken)
                    if self._hub.heard and self._away.since is not None:
                        self._away.ended()
                    if not self._hub.wanted.is_set():
                        return
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise EngineAway(f"the engine at {url} is not heard ({reason}): check that it runs") from error
        except ValueError as error:
            raise EngineAway(f"what the engine at {url} tells is not understood ({error})") from error
        raise EngineAway(f"the engine at {url} has ended the stream: it stops, or is started again")


def _refusal(base_url: str, status: int) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return f"the engine at {base_url} refuses our token: give engine and web the same CALLROUTER_API_TOKEN"
        case HTTPStatus.NOT_FOUND:
            return f"the engine at {base_url} has no event stream: it is of an older release"
        case _:
            return f"the engine at {base_url} refuses its event stream (status {status})"
