"""Two engines on one PBX: the second waits, takes over when the first ends, is killed or is stopped, and only then."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callrouter.app.leading.upgrade import Unit, Upgrade
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.leading.two_engines import DID, PLANS, Two, metric, two_engines


@pytest.fixture
async def two(pbx: Pbx, tmp_path: Path, database_url: str) -> AsyncIterator[Two]:
    pbx.cli("database deltree callrouter/ended")  # calls of another test, which a new record would have
    async with two_engines(pbx, tmp_path, database_url) as running:
        yield running


async def test_the_second_waits_and_says_so(two: Two) -> None:
    leader, standby = await two.settled()
    status, said = await two.ready(two.engines[standby])

    assert leader == 0
    assert (status, "standby" in said) == (503, True)
    assert (await metric(two.engines[0], "callrouter_leader"), await metric(two.engines[1], "callrouter_leader")) == (
        1,
        0,
    )
    assert two.says(standby).count("standby: another engine has the place") == 1
    assert await metric(two.engines[1], "callrouter_live_calls") is None


async def test_a_standby_ends_at_once_when_it_is_asked_to(two: Two) -> None:
    leader, standby = await two.settled()
    began = time.monotonic()
    await two.engines[standby].stop()
    seconds = time.monotonic() - began
    process = two.engines[standby]._process
    assert process is not None

    assert seconds < 3.0
    assert process.returncode == 0
    assert await two.leads() == [leader]


async def test_it_takes_over_when_the_leader_is_killed(two: Two) -> None:
    leader, standby = await two.settled()
    await two.engines[leader].kill()
    seconds = await two.seconds_until_leads(standby)

    assert seconds <= 1.5, "it was not in charge soon after the leader's death"


async def test_it_takes_over_from_a_leader_that_is_stopped(two: Two) -> None:
    """Whose session is ended; when it wakes it ends by itself."""
    leader, standby = await two.settled()
    await asyncio.sleep(1.5)
    two.stop(leader)
    seconds = await two.seconds_until_leads(standby)
    two.go_on(leader)
    process = two.engines[leader]._process
    assert process is not None
    status = await asyncio.wait_for(process.wait(), 5)

    assert seconds <= 5.0
    assert status == 75
    assert two.says(leader).count("this engine ends, and is started anew to wait for its place") == 1
    assert await two.leads() == [standby]


async def test_a_planned_stop_hands_over(two: Two) -> None:
    """The leader leaves at once, and ends; nobody waits for calls."""
    leader, standby = await two.settled()
    await asyncio.sleep(2.5)  # two looks at the standby's beat
    os.kill(two.engines[leader].pid, signal.SIGTERM)
    seconds = await two.seconds_until_leads(standby)
    process = two.engines[leader]._process
    assert process is not None
    status = await asyncio.wait_for(process.wait(), 10)

    assert seconds <= 1.5
    assert status == 0
    assert two.says(leader).count("another engine waits: it is given the place") == 1
    await two.engines[leader].start(wait=False)
    assert await two.settled() == (standby, leader)


async def test_both_are_upgraded_one_after_the_other(two: Two) -> None:
    """As `callrouter upgrade` does it, but that systemd is the test."""
    leader, standby = await two.settled()
    said: list[str] = []

    async def restart(unit: Unit) -> None:
        engine = two.engines[int(unit.name)]
        await engine.stop()
        await engine.start(wait=False)

    units = [Unit(name=str(number), url=engine.engine_url) for number, engine in enumerate(two.engines)]
    await Upgrade(units, restart, said.append).run()

    assert await two.settled() == (standby, leader)
    assert [sentence.split()[1] for sentence in said] == ["leads", "waits", "leads,", "waits"]
    assert float(said[2].split()[2]) <= 1.5


@pytest.mark.parametrize("how", ["killed", "stopped", "handed over"])
async def test_a_caller_in_a_menu_does_not_lose_it(two: Two, callers: Callers, how: str) -> None:
    """They are the next engine's, whatever became of the first: not the fallback's, and one row in the end."""
    leader, standby = await two.settled()
    await asyncio.sleep(2.5)
    caller = callers.call("talk", DID, hold_ms=14_000)
    await two.figure(leader, "callrouter_live_calls", 1.0)
    match how:
        case "killed":
            await two.engines[leader].kill()
        case "stopped":
            two.stop(leader)
        case _:
            os.kill(two.engines[leader].pid, signal.SIGTERM)
    await two.seconds_until_leads(standby)
    await two.figure(standby, "callrouter_calls_taken_over_total", 1.0)
    if how == "stopped":
        two.go_on(leader)
    status = await asyncio.to_thread(caller.wait, 40)
    await two.figure(standby, "callrouter_live_calls", 0.0)
    await two.figure(standby, "callrouter_writer_backlog_calls", 0.0)
    rows = await two.rows()

    assert status == 0, "somebody else hung up on the caller"
    assert [row["disposition"] for row in rows] == ["left_early"]


async def test_it_serves_what_was_live_and_not_its_own_folder(two: Two, callers: Callers, tmp_path: Path) -> None:
    """To the first caller after the leader's death, too: in its folder the number leads to no menu."""
    leader, standby = await two.settled()
    folder, engine = tmp_path / "other", two.engines[standby]
    folder.mkdir()
    (folder / "test.yaml").write_text(PLANS["test.yaml"].replace("start: welcome", "start: bye"))
    await engine.stop()
    engine.environment |= {"CALLROUTER_DIALPLANS_DIR": str(folder), "CALLROUTER_WATCH": "off"}
    await engine.start(wait=False)
    await two.settled()
    await two.engines[leader].kill()
    first = callers.call("talk", DID, hold_ms=6_000)
    await two.seconds_until_leads(standby)
    await two.says_soon(standby, "the folder is not what was live")
    second = callers.call("talk", DID, hold_ms=3_000)
    statuses = [await asyncio.to_thread(one.wait, 40) for one in (first, second)]
    await two.figure(standby, "callrouter_live_calls", 0.0)
    await two.figure(standby, "callrouter_writer_backlog_calls", 0.0)
    rows = await two.rows()

    assert statuses == [0, 0], "somebody else hung up on a caller"
    assert [row["disposition"] for row in rows] == ["left_early"] * 2
    assert len({row["plan_version"] for row in rows}) == 1
