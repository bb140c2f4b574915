"""Fetches calls that no engine saw from Asterisk's journal, after the log-in and every few seconds from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.errors import AmiError
from callrouter.logs import Outage

log = structlog.get_logger(__name__)

COLLECT_SECONDS: Final = 5.0


class Journal(Protocol):
    """What is collected from."""

    async def collect(self, tell: Callable[[CallEnded | CallCorrected], None]) -> list[str]:
        """Report the calls of the journal that nobody has reported. Raises AmiError."""
        ...


class Collecting:
    """Callers who were gone before AsyncAGI began are known to Asterisk alone."""

    def __init__(
        self,
        journal: Journal,
        *,
        tell: Callable[[CallEnded | CallCorrected], None],
        link_up: Callable[[], bool],
        adopted: asyncio.Event,
        every_seconds: float = COLLECT_SECONDS,
    ) -> None:
        """`tell` gets each call once.

        `adopted`: what a predecessor left on our own disk is known; before that it would be news.
        """
        self._journal = journal
        self._tell = tell
        self._link_up = link_up
        self._adopted = adopted
        self._every_seconds = every_seconds
        self._failing = Outage(
            log, "Asterisk's journal could not be collected; it is tried again", "Asterisk's journal is collected again"
        )

    async def once(self) -> None:
        """Collect now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        await self._adopted.wait()
        await self._journal.collect(self._tell)

    async def run(self) -> None:
        """Collect until cancelled; whatever goes wrong, live calls do not depend on it."""
        while True:
            await asyncio.sleep(self._every_seconds)
            if not self._link_up():
                continue
            try:
                await self.once()
                self._failing.ended()
            except AmiError:
                pass  # the next round, or the next log-in, does it again
            except Exception as error:
                # A fault of ours, whatever it is: a journal that nobody collects any more loses callers, while live
                # calls, which have nothing to do with it, would end with the task.
                self._failing.failed(repr(error), exc_info=error)
