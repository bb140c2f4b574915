"""The way to one reader: bounded, whoever gives never waits, and what is given arrives in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from callrouter.stream.frames import HEARTBEAT
from callrouter.stream.outlet import MOST_AT_ONCE, TOO_SLOW, Outlet

SOON = 0.02


async def always() -> bool:
    return True


async def all_of(outlet: Outlet, heartbeat_seconds: float = 60.0) -> list[bytes]:
    return [some async for some in outlet.frames(heartbeat_seconds, always)]


async def test_what_is_given_arrives_in_order_and_together() -> None:
    outlet = Outlet()
    outlet.put(b"2")
    outlet.put(b"3")
    outlet.start([b"0", b"1"])
    outlet.end("over")
    outlet.put(b"4")

    assert await all_of(outlet) == [b"0123"]
    assert (outlet.ended, outlet.why) == (True, "over")


async def test_what_comes_later_wakes_the_reader() -> None:
    outlet = Outlet()
    frames = outlet.frames(60.0, always)
    asyncio.get_running_loop().call_later(SOON, outlet.put, b"1")

    assert await anext(frames) == b"1"
    outlet.end("over")
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


async def test_a_slow_reader_ends_and_nothing_is_kept_for_them() -> None:
    outlet, ended = Outlet(most=3), asyncio.Event()
    outlet.when_ended(ended.set)
    for _ in range(3):
        outlet.put(b"x")
    assert not outlet.ended
    outlet.put(b"x")

    assert (outlet.ended, outlet.why) == (True, TOO_SLOW)
    await asyncio.wait_for(ended.wait(), 1)
    assert await all_of(outlet) == []


async def test_what_a_reader_begins_with_is_not_bounded() -> None:
    outlet = Outlet(most=2)
    outlet.start([b"x"] * 100)
    outlet.put(b"y")

    assert not outlet.ended


async def test_much_is_written_in_pieces() -> None:
    outlet = Outlet()
    for _ in range(4):
        outlet.put(b"x" * (MOST_AT_ONCE // 2))
    outlet.end("over")

    assert [len(some) for some in await all_of(outlet)] == [MOST_AT_ONCE] * 2


async def test_silence_is_filled_with_comments() -> None:
    outlet = Outlet()
    frames = outlet.frames(SOON, always)

    assert [await anext(frames), await anext(frames)] == [HEARTBEAT, HEARTBEAT]


async def test_whether_it_may_go_on_is_asked_also_while_much_happens() -> None:
    asked = 0

    async def not_for_long() -> bool:
        nonlocal asked
        asked += 1
        return asked < 3

    outlet = Outlet()

    async def read() -> int:
        return len([some async for some in outlet.frames(SOON, not_for_long)])

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        while not reading.done():
            outlet.put(b"x")
            await asyncio.sleep(0.001)

    assert reading.result() > 3
    assert outlet.why == "the reader may not see this any more"


async def test_a_reader_who_goes_leaves_nothing_behind() -> None:
    """The generator is closed in the middle of a wait."""
    outlet = Outlet()
    frames: AsyncIterator[bytes] = outlet.frames(60.0, always)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SOON):
            await anext(frames)
    outlet.put(b"x")
    outlet.end("the reader has gone")

    assert outlet.ended
