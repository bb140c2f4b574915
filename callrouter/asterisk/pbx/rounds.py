"""The one loop of whatever looks at a PBX again and again, while the link is up; it knows when it was blind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from callrouter.errors import AmiError


def _nothing() -> None:
    """What is known stays as true as it was."""


async def in_rounds(
    look: Callable[[], Awaitable[None]],
    *,
    every_seconds: float,
    link_up: Callable[[], bool],
    when_blind: Callable[[], None] = _nothing,
    at_once: bool = True,
) -> None:
    """Until cancelled.

    Args:
        look: one round; an AmiError of it says that the link went away meanwhile, and the next round does it again.
        every_seconds: from the end of one round to the next.
        link_up: whether it makes sense to look.
        when_blind: called in each round in which nothing could be seen.
        at_once: look first, and pause then; else the other way round.
    """
    if not at_once:
        await asyncio.sleep(every_seconds)
    while True:
        if not link_up():
            when_blind()
        else:
            try:
                await look()
            except AmiError:
                when_blind()
        await asyncio.sleep(every_seconds)
