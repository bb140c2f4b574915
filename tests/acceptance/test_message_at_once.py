"""Whoever is to be told of a message need not wait until its caller has hung up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from deploy.demo import stories

if TYPE_CHECKING:
    from tests.acceptance.conftest import Row, Town

SECONDS = 60.0


def test_a_message_is_listed_while_its_caller_hears_the_thanks(town: Town) -> None:
    """With its recording; and it is the same one when the call is over."""
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    caller = town.somebody()

    async def both() -> tuple[Row, set[str], Row]:
        async with asyncio.TaskGroup() as group:
            group.create_task(town.calling(story.did, *story.script, caller=caller))
            found = group.create_task(first_listed(town, caller.number))
        return found.result()

    early, live, recording = town.run(both())

    assert early["call_id"] in live
    row = town.row_of(caller)
    assert row["call_id"] == early["call_id"]
    listed = [one for one in town.get("/api/messages", limit=200)["messages"] if one["call_id"] == row["call_id"]]
    assert listed == [early]
    assert recording["call_id"] == row["call_id"]
    assert [message["recording"] for message in row["messages"]] == [early["recording"]]


async def first_listed(town: Town, number: str) -> tuple[Row, set[str], Row]:
    """The caller's message as soon as it is listed, the calls in progress after that, and its recording."""
    engine = town.stack.engine
    mine: set[str] = set()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        live: list[dict[str, Any]] = (await engine.get("/live"))["calls"]
        mine |= {call["call_id"] for call in live if call["caller"]["number"] == number}
        for message in (await engine.get("/api/messages", limit=20))["messages"]:
            if message["call_id"] in mine:
                still = {call["call_id"] for call in (await engine.get("/live"))["calls"]}
                recordings = (await engine.get("/api/recordings", limit=20))["recordings"]
                (recording,) = [one for one in recordings if one["recording_id"] == message["recording"]]
                return message, still, recording
        await asyncio.sleep(0.05)
    raise AssertionError("the message was not listed")
