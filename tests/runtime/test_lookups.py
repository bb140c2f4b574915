"""Lookups, on a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from callrouter.core.effects import HttpRequest, Lookup, LookupField
from callrouter.core.inputs import CallOffered, Input, LookupDone, LookupFailed
from callrouter.errors import RequestFailed
from callrouter.runtime.breaker import FAILURES_TO_OPEN, OPEN_SECONDS
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups, extract
from callrouter.runtime.tasks import Tasks
from tests.runtime.web_service import WebService, web_service


def field_of(path: str, longest: int = 64, variable: str = "x") -> LookupField:
    """A field by the way to it."""
    return LookupField(variable=variable, path=tuple(path.split(".")), longest=longest)


@dataclass
class Told:
    """As an Inbox."""

    inputs: list[tuple[str, Input]] = field(default_factory=list)

    def offer(self, offered: CallOffered) -> None:
        """Nobody calls here."""

    def tell(self, call_id: str, told: Input) -> None:
        """Kept."""
        self.inputs.append((call_id, told))


class Counted:
    """A meter that keeps what it is told."""

    def __init__(self) -> None:
        self.lookups: list[tuple[str, str]] = []

    def observe_lookup(self, service: str, outcome: str, seconds: float) -> None:
        """Kept without the time, which must be possible."""
        assert 0 <= seconds < 5
        self.lookups.append((service, outcome))


@dataclass
class Room:
    """A service, and what asks it."""

    service: WebService
    http: GuardedHttp
    lookups: Lookups
    told: Told
    counted: Counted

    async def ask(self, path: str, *fields: LookupField, seconds: float = 2.0) -> Input:
        """One lookup, to its end."""
        request = HttpRequest(method="GET", url=self.service.url(path))
        self.lookups.start("call", 7, Lookup(request=request, timeout_seconds=seconds, fields=fields, music=False))
        async with asyncio.timeout(seconds + 3):
            while not self.told.inputs:
                await asyncio.sleep(0.005)
        return self.told.inputs.pop()[1]


@asynccontextmanager
async def room(*hosts: str, clock: list[float] | None = None) -> AsyncIterator[Room]:
    """All of it."""
    async with web_service() as service:
        now = clock or [0.0]
        http = GuardedHttp(hosts or [service.host], {"CRM": "s3cret"})
        tasks, told = Tasks(), Told()
        counted = Counted()
        lookups = Lookups(http=http, clock=SystemClock(), tasks=tasks, meter=counted, monotonic=lambda: now[0])
        lookups.tells(told)
        try:
            yield Room(service, http, lookups, told, counted)
        finally:
            await tasks.stop()
            await http.close()


async def test_fields_become_variables() -> None:
    """Single values of every kind; hostile characters are text, on one line."""
    async with room() as here:
        wanted = [
            field_of("customer.name", variable="name"),
            field_of("customer.vip", variable="vip"),
            field_of("customer.files.0", variable="first"),
            field_of("customer.files.1", variable="second"),
        ]
        told = await here.ask("good", *wanted)

    assert isinstance(told, LookupDone)
    assert told.step == 7
    assert told.values == {"name": 'Jeanne "Moreau"', "vip": "true", "first": "12", "second": "A-7"}
    assert here.lookups.running == 0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("slow", "did not answer within 0.3 s"),
        ("drip", "did not answer within 0.3 s"),
        ("fail", "answered 500"),
        ("missing", "answered 404"),
        ("redirect", "answered 302 (not followed)"),
        ("huge", "answered more than 64 KiB"),
        ("nested", "the answer is no JSON"),
        ("html", "the answer is no JSON"),
        ("garbage", "cannot be asked: RemoteProtocolError"),
        ("hang-up", "cannot be asked: RemoteProtocolError"),
    ],
)
async def test_whatever_goes_wrong_is_told_in_time(path: str, reason: str) -> None:
    """And nothing else of it reaches the call."""
    async with room() as here:
        began = time.monotonic()
        told = await here.ask(path, field_of("a"), seconds=0.3)
        took = time.monotonic() - began

    assert isinstance(told, LookupFailed)
    assert reason in told.reason
    assert took < 2


@pytest.mark.parametrize(
    ("path", "longest", "reason"),
    [
        ("customer.nme", 64, "the answer has no customer.nme"),
        ("customer.files.2", 64, "the answer has no customer.files.2"),
        ("customer.files.-1", 64, "the answer has no customer.files.-1"),
        ("customer", 64, "customer of the answer is no single value"),
        ("customer.name", 8, "customer.name of the answer is longer than 8 bytes"),
    ],
)
def test_a_field_that_is_not_there(path: str, longest: int, reason: str) -> None:
    """An answer without every field is a failure: after `next` all of them are set."""
    answer = json.dumps({"customer": {"name": 'Jeanne "Moreau"', "files": [1, 2]}}).encode()

    with pytest.raises(RequestFailed, match=reason):
        extract(answer, [field_of(path, longest)])


async def test_a_service_that_is_away_is_left_alone() -> None:
    """After some failures in a row nobody waits for it; then one tries, and if it is back, all do."""
    now = [1000.0]
    async with room(clock=now) as here:
        here.service.away = True
        for _ in range(FAILURES_TO_OPEN):
            assert isinstance(await here.ask("good"), LookupFailed)
        asked = len(here.service.asked)
        told = await here.ask("good")
        assert isinstance(told, LookupFailed)
        assert "is not asked for a while" in told.reason
        assert len(here.service.asked) == asked

        now[0] += OPEN_SECONDS + 1
        assert isinstance(await here.ask("good"), LookupFailed)  # still away: closed again at once
        assert "is not asked" in (await here.ask("good")).reason  # type: ignore[union-attr]

        now[0] += OPEN_SECONDS + 1
        here.service.away = False
        assert isinstance(await here.ask("good"), LookupDone)
        assert isinstance(await here.ask("good"), LookupDone)


async def test_a_refusal_is_an_answer() -> None:
    """404 for callers nobody knows does not close the service to those it knows."""
    async with room() as here:
        for _ in range(FAILURES_TO_OPEN + 3):
            assert "404" in (await here.ask("missing")).reason  # type: ignore[union-attr]
        assert isinstance(await here.ask("good"), LookupDone)


async def test_a_hang_up_cancels() -> None:
    """Nothing is told, and the service does not count as away."""
    async with room() as here:
        request = HttpRequest(method="GET", url=here.service.url("slow"))
        for _ in range(FAILURES_TO_OPEN + 1):
            here.lookups.start("call", 1, Lookup(request=request, timeout_seconds=5, fields=(), music=False))
            await asyncio.sleep(0.05)
            here.lookups.cancel("call")
        await asyncio.sleep(0.1)
        assert here.told.inputs == []
        assert here.lookups.running == 0
        assert isinstance(await here.ask("good"), LookupDone)


async def test_each_is_counted_by_the_entry_that_allows_it() -> None:
    """So that no document can make more figures than the operator's list has entries."""
    async with room() as here:
        await here.ask("good")
        await here.ask("fail")

    assert here.counted.lookups == [("1", "answered"), ("1", "failed")]


async def test_a_question_that_is_asked_again_has_the_same_key() -> None:
    """By whichever engine; another step of the call, or another call, has another one."""
    async with room() as it:
        await it.ask("good")
        await it.ask("good")
        it.lookups.start("call", 8, Lookup(request=_to(it), timeout_seconds=2.0, fields=(), music=False))
        it.lookups.start("other", 7, Lookup(request=_to(it), timeout_seconds=2.0, fields=(), music=False))
        async with asyncio.timeout(5):
            while len(it.told.inputs) < 2:
                await asyncio.sleep(0.005)

    keys = [
        line.partition(b": ")[2].decode()
        for asked in it.service.asked
        for line in asked.split(b"\r\n")
        if line.lower().startswith(b"idempotency-key: ")
    ]
    assert keys[:2] == ["call-l7", "call-l7"]
    assert sorted(keys[2:]) == ["call-l8", "other-l7"]


def _to(room: Room) -> HttpRequest:
    return HttpRequest(method="GET", url=room.service.url("good"))
