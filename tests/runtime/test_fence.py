"""A fence holds as long as its last proof, by a clock that goes on while the process is stopped."""

from __future__ import annotations

import asyncio

import pytest

from callrouter.core.effects import HttpRequest
from callrouter.errors import RequestFailed
from callrouter.runtime.fence import FENCE_SECONDS, Fence, boot_seconds
from callrouter.runtime.guarded_http import GuardedHttp


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_single_engine_needs_no_proof() -> None:
    assert Fence(needs_proof=False).holds


async def test_it_holds_from_when_the_proof_was_asked_for() -> None:
    clock = Clock()
    fence = Fence(needs_proof=True, now=clock)
    before = fence.holds
    fence.proved(99.0)
    clock.seconds = 99.0 + FENCE_SECONDS - 0.01
    proved = fence.holds
    clock.seconds = 99.0 + FENCE_SECONDS
    after = fence.holds
    fence.proved(98.0)  # an answer that is older than another

    assert (before, proved, after, fence.holds) == (False, True, False, False)


async def test_it_falls_with_the_session_that_proved_it() -> None:
    """Whoever waits has the place at once then; a session of our own that follows proves it anew."""
    clock = Clock()
    fence, single = Fence(needs_proof=True, now=clock), Fence(needs_proof=False)
    fence.proved(100.0)
    fence.lost()
    single.lost()
    lost = fence.holds
    fence.proved(100.5)

    assert (lost, fence.holds, single.holds) == (False, True, True)


async def test_who_waits_passes_with_the_next_proof() -> None:
    fence = Fence(needs_proof=True)
    waiting = asyncio.ensure_future(fence.passed())  # noqa: TID251 - awaited below
    await asyncio.sleep(0.01)
    waited = not waiting.done()
    fence.proved(boot_seconds() - 2 * FENCE_SECONDS)  # says nothing of now
    await asyncio.sleep(0.01)
    still = not waiting.done()
    fence.proved(boot_seconds())
    await asyncio.wait_for(waiting, 1)

    assert (waited, still) == (True, True)


async def test_no_request_leaves_after_the_fence_fell() -> None:
    """Nor one that was already on its way to the thread that sends, when this process was stopped."""
    looks = iter([0.0, 0.0, 10.0])
    fence = Fence(needs_proof=True, now=lambda: next(looks))
    http = GuardedHttp(["127.0.0.1:1"], {}, fence=fence)
    request = HttpRequest(method="GET", url="http://127.0.0.1:1/")
    try:
        with pytest.raises(TimeoutError):  # it waits
            await asyncio.wait_for(http.send(request, 1.0), 0.05)
        fence.proved(5.0)
        with pytest.raises(RequestFailed, match=r"127\.0\.0\.1:1 is not asked: this engine was held up"):
            await http.send(request, 1.0)
    finally:
        await http.close()
