"""Says to somebody outside that the worker works, and that nothing stands still: whoever hears nothing rings an alarm.

Before each beat it looks for what should have moved and did not, as an auditor does. While there is something, or
PostgreSQL is away, or another worker holds the lease and this one does not, there is no beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from callrouter.core.effects import HttpRequest
from callrouter.errors import RequestFailed, StoreError
from callrouter.logs import Outage
from callrouter.runtime.guarded_http import GuardedHttp

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 60.0
TIMEOUT_SECONDS: Final = 10.0


class Heartbeat:
    """Of one worker.

    Args:
        http: asks.
        url: whom.
        works: whether this worker has done all that was due, lately.
        overdue: how many messages should have moved and did not. Raises StoreError.
    """

    def __init__(
        self, http: GuardedHttp, url: str, *, works: Callable[[], bool], overdue: Callable[[], Awaitable[int]]
    ) -> None:
        self._http = http
        self._url = url
        self._works = works
        self._overdue = overdue
        self._stands_still = Outage(log, "messages do not move: there is no heartbeat", "messages move again")
        self._unheard = Outage(log, "nobody hears the worker's heartbeat", "the worker's heartbeat is heard again")

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.beat()

    async def beat(self) -> bool:
        """Once, if all is well; whether somebody heard it."""
        if not self._works():
            return False
        try:
            overdue = await self._overdue()
        except StoreError:
            return False
        if overdue:
            self._stands_still.failed(f"{overdue} should have moved and did not", messages=overdue)
            return False
        self._stands_still.ended()
        try:
            await self._http.send(HttpRequest(method="GET", url=self._url), TIMEOUT_SECONDS)
        except RequestFailed as error:
            self._unheard.failed(str(error))
            return False
        self._unheard.ended()
        return True
