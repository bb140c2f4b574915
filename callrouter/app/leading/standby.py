"""An engine that waits for its place: it says so, answers /health and /metrics (`front`), and does nothing else.

It is warm all the same: what an engine imports, which takes most of a start, is imported meanwhile, and the plans of
what is live are made (`app.live.made_ahead`).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import Any, Final

import structlog

from callrouter.app.leading.place import Place
from callrouter.app.leading.started import say_started
from callrouter.app.lifetime import Lifetime
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.database import Database

log = structlog.get_logger(__name__)

FRONT: Final = "callrouter.app.leading.front"
WAITS: Final = "another engine has the place at this PBX; this one takes over when it ends"


async def take_place(
    place: Place,
    lifetime: Lifetime,
    *,
    settings: Settings,
    token: str,
    database: Database,
    listening: socket.socket,
    meanwhile: Callable[[], Coroutine[Any, Any, None]],
) -> bool:
    """Have the place, or False: we are to stop. Meanwhile, and only if it lasts, HTTP is answered on `listening`, and
    what makes the take-over shorter is done.

    Raises:
        AmiRefused: Asterisk does not let the second user in.
    """
    tasks = Tasks()
    lifetime.catch_signals()

    async def serve() -> None:
        front: Any = await asyncio.to_thread(import_module, FRONT)
        await front.serve_standby(settings, token, database, listening, WAITS)

    waiting = _Waiting({"http of the standby": serve, "plans of what is live": meanwhile}, tasks)
    taking = asyncio.ensure_future(place.take(waiting.told))  # noqa: TID251 - awaited here
    stopping = asyncio.ensure_future(lifetime.stopping.wait())  # noqa: TID251 - ended here
    try:
        await asyncio.wait([taking, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not taking.done():
            return False
        taking.result()
        waiting.over()
        return True
    finally:
        taking.cancel()
        stopping.cancel()
        await asyncio.gather(taking, stopping, return_exceptions=True)
        await tasks.stop()
        lifetime.release_signals()


class _Waiting:
    """Says once that somebody has the place, and once that they have it no more."""

    def __init__(self, works: Mapping[str, Callable[[], Coroutine[Any, Any, None]]], tasks: Tasks) -> None:
        self._works = works
        self._tasks = tasks
        self._is_told = False

    def told(self) -> None:
        if not self._is_told:
            self._is_told = True
            log.info(f"standby: {WAITS}")
            say_started()
            for name, work in self._works.items():
                self._tasks.keep(work, name)

    def over(self) -> None:
        if self._is_told:
            log.info("standby: this engine takes over")
