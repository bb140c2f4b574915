"""Numbers masked in logs: the whole demonstration is lived, at the loudest level, and no caller is in its log."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from deploy.demo import stories
from deploy.demo.caller import place_call
from deploy.demo.stack import running
from tests.acceptance.conftest import LoopThread

OUTSIDE = {story.caller.number for story in stories.STORIES} | set(stories.CARRIER)
NAMES = {story.caller.name for story in stories.STORIES if story.caller.name}


@pytest.fixture(scope="module")
def log(thread: LoopThread) -> str:
    """Of engine, web and all that `callrouter up` starts."""
    environment = {"CALLROUTER_LOG_NUMBERS": "masked", "CALLROUTER_LOG_LEVEL": "debug"}

    async def live() -> str:
        async with running(environment=environment) as stack:
            async with asyncio.TaskGroup() as calls:
                for story in stories.STORIES:
                    calls.create_task(
                        place_call(stack.sip_address, story.did, story.caller, story.script, seconds=120.0)
                    )
                    await asyncio.sleep(0.4)
            await stack.engine.stop()
            return await asyncio.to_thread(stack.engine.log_path.read_text, encoding="utf-8")

    return thread.run(live())


def spellings(number: str) -> list[str]:
    """How a number may be written: in E.164, without its sign, in its country, in a URL, in groups."""
    digits = number.removeprefix("+")
    national = "0" + digits[2:]
    pairs = " ".join(re.findall(r"\d\d", national))
    return [number, digits, f"00{digits}", national, f"%2B{digits}", pairs]


def test_no_number_of_a_caller_or_of_anybody_dialled_is_left(log: str) -> None:
    left = {number for number in OUTSIDE if number for spelling in spellings(number) if spelling in log}

    assert left == set()


def test_no_name_of_a_caller_is_left(log: str) -> None:
    assert [name for name in NAMES if name in log] == []


def test_each_call_is_still_told_apart(log: str) -> None:
    """By its id, the number it came in at, and the last digits of the caller's."""
    lines = [json.loads(line) for line in log.splitlines()]
    begun = [line for line in lines if line["event"] == "call"]
    shown = {line["caller"] for line in begun if line["caller"]}

    assert len(begun) >= len(stories.STORIES)
    assert {line["did"] for line in begun} <= {story.did for story in stories.STORIES}
    assert shown == {f"…{story.caller.number[-3:]}" for story in stories.STORIES if not story.caller.withheld}
    assert all(re.fullmatch(r"\d{10}-\d+-\d+", line["call_id"]) for line in begun)
