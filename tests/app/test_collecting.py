"""Collecting goes on, whatever is wrong with a row or the link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callrouter.app.collecting import Collecting
from callrouter.core.facts import CallCorrected, CallEnded
from callrouter.errors import AmiUnreachable
from callrouter.runtime.tasks import Tasks


def nobody(ended: CallEnded | CallCorrected) -> None:
    """Nobody is told."""


class Journal:
    """Fails in as many ways as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.rounds = 0

    async def collect(self, tell: Callable[[CallEnded | CallCorrected], None]) -> list[str]:
        self.rounds += 1
        if self.failures:
            raise self.failures.pop()
        return []


async def test_a_round_that_fails_is_followed_by_the_next() -> None:
    """A link that went, and an exception that nobody foresaw: the engine lives, and so does the task."""
    journal, adopted, died = Journal(ZeroDivisionError(), AmiUnreachable("gone")), asyncio.Event(), list[str]()
    adopted.set()
    tasks = Tasks(lambda name, error: died.append(name))
    tasks.start(
        Collecting(journal, tell=nobody, link_up=lambda: True, adopted=adopted, every_seconds=0.01).run(), "journal"
    )
    async with asyncio.timeout(5):
        while journal.rounds < 4:
            await asyncio.sleep(0.01)
    await tasks.stop()

    assert died == []


async def test_nothing_is_collected_before_it_can_be_told_apart() -> None:
    """Without a link there is nothing to ask; before the spool is known, what waits in it would be news."""
    journal, adopted, up = Journal(), asyncio.Event(), [False]
    tasks = Tasks()
    tasks.start(
        Collecting(journal, tell=nobody, link_up=lambda: up[0], adopted=adopted, every_seconds=0.01).run(), "journal"
    )
    adopted.set()
    await asyncio.sleep(0.1)
    assert journal.rounds == 0
    adopted.clear()
    up[0] = True
    await asyncio.sleep(0.1)
    assert journal.rounds == 0
    adopted.set()
    await asyncio.sleep(0.1)
    assert journal.rounds > 0
    await tasks.stop()
