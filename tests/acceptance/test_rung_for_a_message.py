"""A caller speaks, hangs up, and somebody's telephone rings for it: the whole of callrouter, and a carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo import stories
from deploy.demo.carrier import Habit
from deploy.demo.telephone import Telephone
from tests.acceptance.conftest import CHECKOUT, LoopThread, Town, open_town
from tests.patience import START_SECONDS

NUMBER = "+33612340098"
PBX = "rings-people"
"""Beside it other tests ring people, and share the folder of prompts."""
DOCUMENT = """\
client: rung
name: Cabinet Martin
numbers: ["01 99 00 00 77"]
timezone: Europe/Paris
language: fr
contacts:
  anne: { name: Anne Martin, number: "06 12 34 00 98", email: anne@martin.example }
delivery:
  night:
    urgent: { to: anne, by: [phone, email], wait: 10m }
    ordinary: { to: anne, by: phone, wait: 10m }
fallback: { queue: medical }
start: message
nodes:
  message:
    message: { max: 20s, deliver: night, done: bye }
  bye:
    hangup: {}
"""


@pytest.fixture
def town(thread: LoopThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A stack with a client who wants to be rung, and whose telephone is there."""
    monkeypatch.setitem(stories.CARRIER, NUMBER, Habit.ANSWERS)
    for path in (CHECKOUT / "dialplans" / "shared").glob("*.yaml"):
        (tmp_path / "shared").mkdir(exist_ok=True)
        (tmp_path / "shared" / path.name).write_text(path.read_text())
    (tmp_path / "rung.yaml").write_text(DOCUMENT)
    yield from open_town(thread, {"CALLROUTER_DIALPLANS_DIR": str(tmp_path), "CALLROUTER_PBX": PBX})


async def _is_rung(town: Town) -> Telephone:
    """Their telephone, once they have picked up."""
    async with asyncio.timeout(60):
        while not town.stack.carrier.talks(NUMBER):
            await asyncio.sleep(0.1)
    return town.stack.carrier.telephone(NUMBER)


async def _press_until_let_go(town: Town) -> float:
    """They press 1 again and again, until they are thanked and hung up; for how many seconds they heard something."""
    carrier, heard, person = town.stack.carrier, 0.0, await _is_rung(town)
    async with asyncio.timeout(60):
        while carrier.talks(NUMBER):
            await asyncio.sleep(1.5)
            heard = person.heard_seconds
            person.press("1")
    return heard


def test_a_recording_is_played_and_taken_on_by_a_key(town: Town) -> None:
    """The engine rings them as soon as the message is complete; the sounds of the call are gone when it is over."""
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    town.call("+33199000077", *story.script[-2:], caller=town.somebody("Paul Mercier"))
    heard = town.run(_press_until_let_go(town))

    messages = town.until(lambda: town.get("/api/messages")["messages"], bool, 20.0)
    (message,) = [one for one in messages if one["client"] == "rung"]
    where = f"/api/messages/{message['message_id']}/delivery"
    found = town.until(lambda: town.get(where), lambda one: one["state"] == "acknowledged", START_SECONDS)
    assert (found["acknowledged_by"], found["acknowledged_how"]) == ("anne", "key"), found
    assert [one["what"] for one in found["events"]] == ["rule", "step", "rang", "answered", "acknowledged"]
    assert town.stack.carrier.dialled == [NUMBER]
    assert heard > 5.0
    told = CHECKOUT / ".run" / "prompts" / "told"
    assert town.until(lambda: list(told.glob(f"{PBX}-*/*")), lambda left: not left, 20.0) == []
    assert town.nobody_is_left()


def test_all_of_callrouter_is_killed_while_they_listen(town: Town) -> None:
    """Asterisk tells them to the end; the next engine learns that they took it on, and rings nobody again."""
    (story,) = [one for one in stories.STORIES if one.name == "message_hash"]
    town.call("+33199000077", *story.script[-2:], caller=town.somebody("Paul Mercier"))
    town.run(_is_rung(town))
    town.run(town.stack.engine.kill())
    town.run(_press_until_let_go(town))
    town.run(town.stack.engine.start())

    (message,) = [one for one in town.get("/api/messages")["messages"] if one["client"] == "rung"]
    where = f"/api/messages/{message['message_id']}/delivery"
    found = town.until(lambda: town.get(where), lambda one: one["state"] == "acknowledged", START_SECONDS)
    assert (found["acknowledged_by"], found["acknowledged_how"]) == ("anne", "key"), found
    assert town.stack.carrier.dialled == [NUMBER]
