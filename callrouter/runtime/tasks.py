"""The one way to start a background task: it has a name, an owner, and someone who notices its death."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

RESTART_SECONDS: Final = (1.0, 60.0)
"""The first and the longest pause before work that failed is begun again; it doubles in between."""


class Tasks:
    """Owns background tasks. A task that dies of an error is logged, and `on_death` is called once."""

    def __init__(self, on_death: Callable[[str, BaseException], None] | None = None) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_death = on_death

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start `work` under a name that log lines and debuggers show."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        """Start what calls can do without: when it fails, that is logged, and it is begun again after a pause."""
        return self.start(_again_and_again(work, name), name)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("a background task died", task=task.get_name(), error=repr(error), exc_info=error)
        if self._on_death is not None:
            self._on_death(task.get_name(), error)

    async def stop(self) -> None:
        """Cancel what still runs, and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    loop = asyncio.get_running_loop()
    shortest, longest = RESTART_SECONDS
    pause = shortest
    while True:
        began = loop.time()
        try:
            return await work()
        except Exception as error:
            if loop.time() - began > longest:  # it had worked in between
                pause = shortest
            log.error("a side task failed and is begun again", task=name, pause_seconds=pause, exc_info=error)  # noqa: TRY400
        await asyncio.sleep(pause)
        pause = min(pause * 2, longest)
