"""The machine's clock is set by an hour while a caller waits, and again while they talk, on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from callrouter.core.call import CallState, Disposition
from callrouter.core.nodes import AnswerNode, HangupNode, QueueNode
from callrouter.runtime import clock
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, engine_room, plan_of

PLAN = plan_of(
    AnswerNode(name="answer", exits={"next": "team"}),
    QueueNode(name="team", queue="slow", max_wait_seconds=60, exits={"overflow": "bye"}),
    HangupNode(name="bye"),
)
RINGS_SECONDS, TALKS_SECONDS = 1.5, 2.0
NEARLY = 0.5


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    with Pbx.start(
        tmp_path_factory.mktemp("clocks") / "pbx", extra_conf={"extensions": EXTENSIONS, "queues": QUEUES}
    ) as running:
        running.cli("module load res_clioriginate.so")
        yield running


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """By how much somebody has set this machine's clock, as the engine sees it; Asterisk's stays."""
    set_by = [timedelta()]
    real = datetime
    made = type("Set", (datetime,), {"now": staticmethod(lambda zone: real.now(zone) + set_by[0])})
    monkeypatch.setattr(clock, "datetime", made)
    return set_by


@pytest.mark.parametrize("hours", [(1, -1), (-1, -2)], ids=["forth_and_back", "back_and_back"])
async def test_waits_and_talks_stay_true(pbx: Pbx, machine: list[timedelta], hours: tuple[int, int]) -> None:
    """Both are as long as they were, and the call is dated by the clock that stands in the end."""
    async with engine_room(pbx, PLAN) as room:
        await room.call("leave-60", talk_seconds=60)
        await room.reached(lambda call: call.state is CallState.QUEUED)
        await asyncio.sleep(0.5)
        machine[0] = timedelta(hours=hours[0])
        await room.reached(lambda call: call.state is CallState.CONNECTED)
        await asyncio.sleep(TALKS_SECONDS / 2)
        machine[0] = timedelta(hours=hours[1])
        await asyncio.sleep(TALKS_SECONDS / 2)
        ended_at = datetime.now(tz=room.driver._clock.now().tzinfo) + machine[0]
        pbx.cli("channel request hangup all")
        call = await room.the_end()

    assert call.disposition is Disposition.ANSWERED
    assert call.clocks.ended_at is not None
    assert call.waiting_seconds(call.clocks.ended_at) == pytest.approx(RINGS_SECONDS, abs=NEARLY)
    assert call.talk_seconds() == pytest.approx(TALKS_SECONDS, abs=NEARLY)
    assert call.legs[0].talk_seconds() == pytest.approx(TALKS_SECONDS, abs=NEARLY)
    assert abs((call.clocks.ended_at - ended_at).total_seconds()) < NEARLY
