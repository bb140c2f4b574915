"""However a web service cuts, nests or pads its answer, the loop that serves calls goes on."""

from __future__ import annotations

import asyncio
import time

import pytest

from callrouter.core.effects import HttpRequest, Lookup, LookupField
from callrouter.core.inputs import CallOffered, Input, LookupDone, LookupFailed
from callrouter.errors import RequestFailed
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.tasks import Tasks
from tests.runtime.heavy_service import HEAVY, heavy_service
from tests.runtime.web_service import web_service

LONGEST_STOP_SECONDS = 0.020
ROUNDS = 5
"""Of which the best counts: other programs on the machine make pauses that are not ours."""
UNREAD = {"deeper than can be read", "one long text", "packed", "deep"}
"""What gives no value: too deep, too long, compressed, and without the field."""


class Told:
    """As an Inbox."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Input] = asyncio.get_running_loop().create_future()

    def offer(self, offered: CallOffered) -> None:
        """Nobody calls here."""

    def tell(self, call_id: str, told: Input) -> None:
        """The one answer."""
        self.answer.set_result(told)


class Watch:
    """How long the loop did not turn, at the most, by our own doing: while other programs have the processor, the time
    that this process has worked stands still.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        before, worked_before = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now, worked = time.perf_counter(), time.process_time()
            self.longest = max(self.longest, min(now - before - 0.001, worked - worked_before))
            before, worked_before = now, worked


async def asked(http: GuardedHttp, port: int) -> tuple[Input, float]:
    """One lookup, and the longest time in which nothing else was done."""
    tasks, told, watch = Tasks(), Told(), Watch()
    lookups = Lookups(http=http, clock=SystemClock(), tasks=tasks)
    lookups.tells(told)
    request = HttpRequest(method="GET", url=f"http://127.0.0.1:{port}/")
    fields = tuple(LookupField(variable=f"v{number}", path=("name",), longest=64) for number in range(8))
    watching = asyncio.get_running_loop().create_task(watch.run())
    await asyncio.sleep(0.01)
    lookups.start("call", 1, Lookup(request=request, timeout_seconds=9.0, fields=fields, music=False))
    answer = await asyncio.wait_for(told.answer, 12)
    watching.cancel()
    await tasks.stop()
    return answer, watch.longest


@pytest.mark.parametrize("what", HEAVY)
async def test_no_answer_stops_the_loop(what: str) -> None:
    """It is read, or refused with a reason; either way nothing waits for it longer than 20 ms."""
    stops: list[float] = []
    with heavy_service(HEAVY[what]) as port:
        http = GuardedHttp([f"127.0.0.1:{port}"], {})
        for _ in range(ROUNDS):
            answer, longest = await asked(http, port)
            stops.append(longest)
            assert isinstance(answer, LookupFailed if what in UNREAD else LookupDone), answer
            if min(stops) < LONGEST_STOP_SECONDS:
                break
        await http.close()

    assert min(stops) < LONGEST_STOP_SECONDS


async def test_a_compressed_answer_is_refused_unread() -> None:
    """What was asked for is an answer that can be counted as it comes."""
    with heavy_service(HEAVY["packed"]) as port:
        http = GuardedHttp([f"127.0.0.1:{port}"], {})
        with pytest.raises(RequestFailed, match="compressed its answer, which was not asked for"):
            await http.send(HttpRequest(method="GET", url=f"http://127.0.0.1:{port}/"), 2.0)
        await http.close()


async def test_who_gives_up_waiting_cancels_the_request() -> None:
    """A caller who hangs up leaves no request running in the other thread."""
    async with web_service() as service:
        http = GuardedHttp([service.host], {})
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await http.send(HttpRequest(method="GET", url=service.url("drip")), 20.0)
        await http.close()

    assert time.monotonic() - began < 3
