"""The loop of what is looked at again and again."""

from __future__ import annotations

import asyncio
from itertools import count

from callrouter.asterisk.pbx.rounds import in_rounds
from callrouter.errors import AmiUnreachable


async def test_a_round_that_sees_nothing_is_blind_and_the_next_one_looks() -> None:
    """The link is away in the second round, and goes away in the third."""
    said: list[str] = []
    rounds = count(1)
    up = iter([True, False, True, True])

    async def look() -> None:
        number = next(rounds)
        said.append(f"look {number}")
        if number == 2:
            raise AmiUnreachable("gone")
        if number == 3:
            raise asyncio.CancelledError

    task = asyncio.get_running_loop().create_task(
        in_rounds(look, every_seconds=0.0, link_up=lambda: next(up), when_blind=lambda: said.append("blind"))
    )
    await asyncio.wait([task])

    assert said == ["look 1", "blind", "look 2", "blind", "look 3"]
    assert task.cancelled()


async def test_the_first_round_may_wait() -> None:
    """Somebody who measures needs two looks, and the first one is not before its time."""
    said: list[str] = []

    async def look() -> None:
        said.append("look")

    task = asyncio.get_running_loop().create_task(
        in_rounds(look, every_seconds=30.0, link_up=lambda: True, at_once=False)
    )
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])

    assert said == []
