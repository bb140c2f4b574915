"""Callers for whom somebody else is asked: the next engine asks again, with the same key, and nobody is told twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from callrouter.core.call import CallState, Disposition
from callrouter.core.effects import LookupField
from callrouter.core.facts import NotificationAsked
from callrouter.core.nodes import AnswerNode, HangupNode, LookupNode, NotifyNode
from callrouter.core.templates import parse
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.runtime.lookups import Lookups
from callrouter.runtime.tasks import Tasks
from tests.asterisk.adoption.successors import BYE, asterisk_of, path, succession
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of, until
from tests.runtime.web_service import WebService, web_service


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    yield from asterisk_of(tmp_path_factory.mktemp("consulting") / "pbx")


@asynccontextmanager
async def lookups(service: WebService) -> AsyncIterator[Lookups]:
    """Of one engine."""
    tasks, http = Tasks(), GuardedHttp([service.host], {})
    try:
        yield Lookups(http=http, clock=SystemClock(), tasks=tasks)
    finally:
        await tasks.stop()
        await http.close()


def keys_of(service: WebService) -> list[bytes]:
    lines = (line for asked in service.asked for line in asked.split(b"\r\n"))
    return [line.partition(b": ")[2] for line in lines if line.lower().startswith(b"idempotency-key")]


async def test_a_web_service_is_asked_again_with_the_same_key(pbx: Pbx) -> None:
    """The first answer went to nobody; what follows happens once."""
    async with web_service() as service, lookups(service) as first, lookups(service) as second:
        plan = plan_of(
            AnswerNode(name="answer", exits={"next": "ask"}),
            LookupNode(
                name="ask",
                url=parse(service.url("good")),
                fields=(LookupField(variable="name", path=("customer", "name"), longest=40),),
                timeout_seconds=8.0,
                exits={"next": "tell", "failed": "bye"},
            ),
            NotifyNode(name="tell", contact="crm", url="https://crm.example/hook", exits={"next": "known"}),
            HangupNode(name="known"),
            BYE,
        )
        go_on = service.hold()
        async with succession(pbx, plan, web=first) as engines:
            await engines.first.call()
            await engines.first.reached(lambda call: call.state is CallState.CONSULTING)
            await until(lambda: len(service.asked) == 1, 3)
            await engines.killed(1.0)
            async with engine_room(pbx, plan, second, epoch=2) as room:
                await room.adoption.finish(await room.adoption.run())
                await until(lambda: len(service.asked) == 2, 3)
                go_on.set()
                call = await room.the_end(6)
                told = [fact for fact in room.seen if isinstance(fact, NotificationAsked)]

    one, other = keys_of(service)
    assert one == other == f"{call.call_id}-l2".encode()
    assert call.disposition is Disposition.SELF_SERVED
    assert path(call) == [("answer", "next"), ("ask", "next"), ("tell", "next"), ("known", "end")]
    assert [fact.notification.notification_id for fact in told] == [f"{call.call_id}-n2"]
