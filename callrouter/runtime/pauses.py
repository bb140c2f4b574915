"""A pause that something may end sooner."""

from __future__ import annotations

import asyncio


async def pause(seconds: float | None, until: asyncio.Event) -> bool:
    """Sleep for so many seconds (None: without end), but not past the event; whether the event came."""
    try:
        async with asyncio.timeout(seconds):
            await until.wait()
    except TimeoutError:
        return False
    return True
