from __future__ import annotations

import asyncio

from callrouter.runtime.pauses import pause


async def test_it_lasts_as_long_as_it_is_told() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    assert not await pause(0.05, asyncio.Event())
    assert loop.time() - begun >= 0.05


async def test_an_event_ends_it() -> None:
    """At once where it has happened already, and also a pause without end."""
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    assert await pause(None, event)
    assert await pause(60.0, event)


async def test_who_waits_may_be_cancelled() -> None:
    waiting = asyncio.get_running_loop().create_task(pause(60.0, asyncio.Event()))
    await asyncio.sleep(0)
    waiting.cancel()

    await asyncio.wait([waiting])

    assert waiting.cancelled()
