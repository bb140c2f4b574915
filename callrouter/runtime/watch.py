"""The engine's looks at the record, for Prometheus: whoever has died does not say so itself.

Each costs an indexed query four times a minute. The first is made a while after the start: nothing of it is asked while
calls are taken over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import Final, Generic, TypeVar

import structlog

from callrouter.errors import StoreError
from callrouter.logs import Outage

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 15.0

T = TypeVar("T")


class Watch(Generic[T]):
    """Asks one thing from time to time, and has what it was told last."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[T | None]],
        of: str,
        *,
        every_seconds: float = LOOK_SECONDS,
        stale_seconds: float = inf,
    ) -> None:
        """What `ask` raises as `StoreError` is logged once, of this: "messages are", say; what is older than
        `stale_seconds` is not known any more.
        """
        self._ask = ask
        self._every_seconds = every_seconds
        self._stale_seconds = stale_seconds
        self._away = Outage(log, f"{of} not counted", f"{of} counted again", level="warning")
        self._seen: T | None = None
        self._seen_seconds = 0.0

    @property
    def seen(self) -> T | None:
        """As of the last look; None: it is not known."""
        return self._seen if time.monotonic() - self._seen_seconds < self._stale_seconds else None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every_seconds)
            await self.look()

    async def look(self) -> None:
        """Ask now."""
        try:
            self._seen = await self._ask()
        except StoreError as error:
            self._seen = None
            self._away.failed(str(error))
        else:
            self._seen_seconds = time.monotonic()
            self._away.ended()
