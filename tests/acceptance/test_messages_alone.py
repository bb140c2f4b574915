"""Messages that Asterisk took alone are kept once, however often the engine that collects them is killed at it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

from deploy.demo import stories
from deploy.demo.caller import HangUp, Speak, UntilTone, UntilToneEnds, Wait
from deploy.demo.verdict import caller_complaints

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

CALLERS = 8
KILLED_AFTER_SECONDS = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)
"""From the log-in on: while plans are loaded, rows are read, told, committed and struck off."""
START_SECONDS = 40.0


def test_a_message_of_the_pbx_is_kept_once_by_engines_that_are_killed_while_they_collect(own_town: Town) -> None:
    """The row, the message and its recording; and nothing is left in Asterisk's journal."""
    town = own_town
    pbx = town.stack.pbx
    town.run(town.stack.engine.kill())
    pbx.cli(f"database put callrouter/fallback {stories.MOREAU} message:30:0:night:")
    callers = [town.somebody() for _ in range(CALLERS)]
    leaves = (UntilTone(), UntilToneEnds(), Wait(0.3), Speak("Bonjour, rappelez-moi, s'il vous plaît. " * 3), HangUp())
    calls = [town.calling(stories.MOREAU, *leaves, caller=caller) for caller in callers]
    left = town.together(calls, apart_seconds=0.2)
    town.until(lambda: in_journal(town), lambda count: count == CALLERS)
    before = in_journal(town)
    for seconds in KILLED_AFTER_SECONDS:
        town.run(killed_while_it_collects(town, seconds))
    town.run(town.stack.engine.start())
    town.until(lambda: in_journal(town), lambda count: count == 0, 30.0)
    rows = [town.row_of(caller) for caller in callers]
    kept = Counter(message["call_id"] for message in town.get("/api/messages", limit=200)["messages"])

    assert [caller_complaints(one) for one in left] == [[]] * CALLERS
    assert before == CALLERS
    assert [row["disposition"] for row in rows] == ["message_left"] * CALLERS
    assert [[message["node"] for message in row["messages"]] for row in rows] == [["night"]] * CALLERS
    assert [kept[row["call_id"]] for row in rows] == [1] * CALLERS
    assert all((pbx.recordings_dir / f"{row['call_id']}-8.wav").stat().st_size > 8000 for row in rows)
    assert in_journal(town) == 0


def in_journal(town: Town) -> int:
    """Rows of calls that Asterisk's journal still has."""
    return town.stack.pbx.cli("database show callrouter/ended").count("/callrouter/ended/")


async def killed_while_it_collects(town: Town, seconds: float) -> None:
    """Started, and killed so long after its log-in."""
    engine, pbx = town.stack.engine, town.stack.pbx
    await engine.start(wait=False)
    deadline = time.monotonic() + START_SECONDS
    while " callrouter " not in f" {await asyncio.to_thread(pbx.cli, 'manager show connected')} ":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)
    await engine.kill()
