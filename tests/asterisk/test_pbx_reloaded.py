"""Asterisk is reloaded, restarted, or refuses the log-in in mid-life, with live calls: nothing is lost or double."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import pytest

from callrouter.asterisk.link import LinkState
from callrouter.core.call import CallState, Disposition
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import EXTENSIONS, QUEUES, EngineRoom, until
from tests.asterisk.test_link_faults import CALLING, RIGHT_SECONDS, ring, room_over, told_by_telephones, wrong
from tests.weak_line import weak_line

NOTICED_SECONDS = 5.0
KINDS = ("one", "two", "leave", "silent")


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    extra = {"extensions": EXTENSIONS + CALLING, "queues": QUEUES.replace("ringall", "ringall\nsetinterfacevar = yes")}
    folder = tmp_path_factory.mktemp("reloaded")
    with Pbx.start(folder / "pbx", admission_seconds=10, lease_seconds=5, extra_conf=extra) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(pbx: Pbx) -> None:
    """No telephone has done anything yet."""
    pbx.cli("module load res_clioriginate.so")
    for family in ("weak", "callrouter/ended"):
        pbx.cli(f"database deltree {family}")


async def ring_all(pbx: Pbx, room: EngineRoom, *, talk_seconds: float) -> None:
    """One caller of each kind, all of them taken."""
    pbx.cli(f"dialplan set global TALK {talk_seconds}")
    for number, kind in enumerate(KINDS):
        await ring(pbx, number, kind)
    await until(lambda: len(room.live) == len(KINDS), 20)


@pytest.mark.parametrize("command", ["core reload", "manager reload", "dialplan reload"])
async def test_a_reload_changes_nothing_for_live_calls(pbx: Pbx, command: str) -> None:
    """Nor does it end the link."""
    async with (
        weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port)) as line,
        room_over(pbx, line) as (room, collected),
    ):
        await ring_all(pbx, room, talk_seconds=2)
        await asyncio.to_thread(pbx.cli, command)
        await until(lambda: len(room.ended) == len(KINDS), 40)
        await until(lambda: len(told_by_telephones(pbx, "over")) == len(KINDS), 10)
        answered, over = told_by_telephones(pbx, "answered"), told_by_telephones(pbx, "over")
        connections = room.link.counters.connections
    faults = []
    for call in room.ended:
        who = str(call.caller.number)[-4:]
        faults += wrong(call, KINDS[int(who)], answered[who], over[who])

    assert faults == []
    assert (connections, collected) == (1, [])


async def test_a_log_in_that_is_refused_in_mid_life(pbx: Pbx) -> None:
    """It is told as what it is within 5 s and tried again with pauses, and a conversation is recorded as it was."""
    manager = pbx.run_dir / "etc" / "manager.conf"
    before = manager.read_text(encoding="utf-8")
    async with (
        weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port)) as line,
        room_over(pbx, line) as (room, _),
    ):
        pbx.cli("dialplan set global TALK 9")
        await ring(pbx, 1, "two")
        await room.reached(lambda call: call.clocks.bridged_at is not None)
        manager.write_text(
            re.sub(r"^secret = .*$", "secret = another", before, count=1, flags=re.MULTILINE), encoding="utf-8"
        )
        try:
            await asyncio.to_thread(pbx.cli, "manager reload")
            line.cut()
            began = time.monotonic()
            await until(lambda: room.link.state is LinkState.REFUSED, 10)
            noticed, reason = time.monotonic() - began, room.link.reason
            await asyncio.sleep(3)
            attempts = room.link.counters.failures
        finally:
            manager.write_text(before, encoding="utf-8")
            await asyncio.to_thread(pbx.cli, "manager reload")
        await until(lambda: room.link.state is LinkState.UP, 20)
        call = await room.the_end(20)
        await until(lambda: len(told_by_telephones(pbx, "over")) == 1, 10)
        answered, over = told_by_telephones(pbx, "answered"), told_by_telephones(pbx, "over")

    assert noticed <= NOTICED_SECONDS
    assert "refused the log-in" in reason
    assert "CALLROUTER_AMI_SECRET" in reason
    assert attempts <= 12  # three seconds of pauses that grow
    assert wrong(call, "two", answered["0001"], over["0001"]) == []
    assert len(room.ended) == 1


async def test_a_restart_with_live_calls(pbx: Pbx) -> None:
    """Each is recorded once, as what it had reached, and over when Asterisk went down; new calls are served then."""
    async with (
        weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port)) as line,
        room_over(pbx, line) as (room, collected),
    ):
        await ring_all(pbx, room, talk_seconds=30)
        await room.reached(lambda call: call.clocks.bridged_at is not None)
        await asyncio.sleep(0.3)
        down_at = room.driver._clock.now()
        reached = {call.call_id: call.state for call in room.live}
        await asyncio.to_thread(pbx.stop)
        await until(lambda: room.link.state is not LinkState.UP, NOTICED_SECONDS)
        pbx.restart()  # in this thread: Asterisk dies with the thread that started it
        await until(lambda: room.link.state is LinkState.UP, 40)
        await until(lambda: len(room.ended) + len(collected) >= len(KINDS), 15)
        pbx.cli("module load res_clioriginate.so")
        ended = [*room.ended, *collected]
        await ring(pbx, 8, "leave")
        await until(lambda: len(room.ended) + len(collected) > len(KINDS), 20)
    by_kind = {KINDS[int(str(call.caller.number)[-4:])]: call for call in ended}

    assert len(ended) == len(KINDS)
    assert by_kind.keys() == set(KINDS)
    for call in ended:
        at = call.clocks.ended_at
        assert at is not None
        if call.call_id in reached:
            assert abs((at - down_at).total_seconds()) <= RIGHT_SECONDS + 0.5  # the command took its time, too
    assert by_kind["two"].disposition is Disposition.ANSWERED
    assert CallState.ENDED is by_kind["one"].state
