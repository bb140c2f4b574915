"""Two releases on one PBX whose states of calls have different formats: the newer goes on with the older one's calls,
and the older leaves the newer one's to Asterisk.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from callrouter.app.leading.upgrade import Unit, Upgrade
from tests.asterisk.callers import Callers, Pbx
from tests.asterisk.leading.two_engines import DID, two_engines
from tests.chaos.next_release import PROGRAM as NEXT
from tests.chaos.next_release import VERSION

THIS = (str(Path(sys.executable).with_name("callrouter")),)
WORDS_OF_A_FAULT = ("Traceback", "exception", "does not read", "is not known", "does not pass")


async def test_an_upgrade_across_two_formats_disturbs_no_call(
    pbx: Pbx, tmp_path: Path, database_url: str, callers: Callers
) -> None:
    """As `callrouter upgrade` does it, but that systemd is the test; the caller is in a menu all the while."""
    pbx.cli("database deltree callrouter/ended")
    said: list[str] = []
    async with two_engines(pbx, tmp_path, database_url) as two:
        leader, standby = await two.settled()

        async def restart(unit: Unit) -> None:
            engine = two.engines[int(unit.name)]
            await engine.stop()
            engine.program = NEXT
            await engine.start(wait=False)

        units = [Unit(name=str(number), url=engine.engine_url) for number, engine in enumerate(two.engines)]
        upgrading = asyncio.ensure_future(Upgrade(units, restart, said.append).run())  # noqa: TID251 - awaited below
        while len(said) < 2:  # the next release waits, and the leader is asked to stop in a moment
            await asyncio.sleep(0.02)
        caller = callers.call("talk", DID, hold_ms=12_000)
        await upgrading
        status = await asyncio.to_thread(caller.wait, 40)
        await two.figure(standby, "callrouter_live_calls", 0.0)
        await two.figure(standby, "callrouter_writer_backlog_calls", 0.0)
        rows, log = await two.rows(), two.says(standby)

    assert status == 0, "somebody else hung up on the caller"
    assert [row["disposition"] for row in rows] == ["left_early"]
    assert "live calls were taken over" in log
    assert not [word for word in WORDS_OF_A_FAULT if word in log]
    assert said[1].startswith(f"{standby} waits (release {VERSION})"), said
    assert said[3] == f"{leader} waits (release {VERSION}): done"


async def test_states_of_a_newer_release_are_left_to_asterisk(
    pbx: Pbx, tmp_path: Path, database_url: str, callers: Callers
) -> None:
    """The caller hears the closing prompt and has a row; the next caller is served, and nothing has failed."""
    pbx.cli("database deltree callrouter/ended")
    async with two_engines(pbx, tmp_path, database_url, programs=(NEXT, THIS)) as two:
        leader, standby = await two.settled()
        assert leader == 0
        await asyncio.sleep(2.5)
        caller = callers.call("talk", DID, hold_ms=30_000)
        await two.figure(leader, "callrouter_live_calls", 1.0)
        await two.engines[leader].kill()
        began = time.monotonic()
        await asyncio.to_thread(caller.wait, 40)
        seconds = time.monotonic() - began
        again = callers.call("talk", DID, hold_ms=3_000)
        await two.figure(standby, "callrouter_live_calls", 1.0)
        status = await asyncio.to_thread(again.wait, 40)
        async with asyncio.timeout(20):
            while len(rows := await two.rows()) < 2:
                await asyncio.sleep(0.2)
        log = two.says(standby)

    assert seconds < 20.0, "nobody gave the call to Asterisk's fallback"
    assert status == 0
    assert sorted(row["disposition"] for row in rows) == ["failed", "left_early"]
    assert "a live call's plan is not known: Asterisk's fallback serves it" in log
    assert "Traceback" not in log
