"""Connections to web services, those of each host in a pool of their own.

httpx's one pool for all looks at each idle connection of every host, with a system call, at the beginning and at the
end of each request; and a host that holds its connections takes them from the others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from ssl import SSLContext

IDLE_SECONDS: Final = 120.0
"""After its last request began, a pool is closed: no request of ours takes so long."""

Place = tuple[str, str, int | None]
"""Scheme, host, and port if it is an unusual one."""


class PoolsByHost(httpx.AsyncBaseTransport):
    """A transport of httpx's."""

    def __init__(self, limits: httpx.Limits, *, seconds: Callable[[], float] = monotonic) -> None:
        """`limits` are those of one host; `seconds` is a clock that nobody sets."""
        self._limits = limits
        self._seconds = seconds
        self._pools: OrderedDict[Place, tuple[httpx.AsyncHTTPTransport, float]] = OrderedDict()
        """With when the last request began, the one that was used last at the end."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it by its host's connections. Raises what httpx does."""
        place, now = (request.url.scheme, request.url.host, request.url.port), self._seconds()
        found = self._pools.pop(place, None)
        pool = found[0] if found else httpx.AsyncHTTPTransport(verify=self._verify, limits=self._limits)
        self._pools[place] = pool, now
        await self._close_idle(now)
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what connections are left."""
        while self._pools:
            _, (pool, _) = self._pools.popitem()
            await pool.aclose()

    @cached_property
    def _verify(self) -> SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    async def _close_idle(self, now: float) -> None:
        while True:
            place, (pool, began) = next(iter(self._pools.items()))
            if now - began < IDLE_SECONDS:
                return
            del self._pools[place]
            await pool.aclose()
