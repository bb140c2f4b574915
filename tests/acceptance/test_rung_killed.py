"""Engines are killed while they ring people for messages: nobody is rung twice, and no key is lost.

`make worker-kills` does it a hundred times; here twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.demo import stories
from deploy.demo.carrier import Habit
from tests.acceptance.conftest import CHECKOUT, LoopThread, Town, open_town
from tests.patience import START_SECONDS

KILLS = int(os.environ.get("WORKER_KILLS", "2"))
LONGEST_SECONDS = 9.0
"""From a message on: by then its call is being made, rings, is being said, or is over."""
NUMBERS = [f"+3361234{1000 + number}" for number in range(KILLS)]
DOCUMENT = """\
client: rung-{n}
name: Cabinet Martin {n}
numbers: ["{did}"]
timezone: Europe/Paris
language: fr
contacts:
  anne: {{ name: Anne Martin, number: "{number}", email: anne@martin.example }}
delivery:
  night:
    urgent: {{ to: anne, by: [phone, email], wait: 30m }}
    ordinary: {{ to: anne, by: phone }}
forms:
  usual: {{ deliver: night, fields: {{ text: {{ type: text }} }} }}
fallback: {{ node: bye }}
start: bye
nodes:
  bye:
    hangup: {{}}
"""
"""A client for each kill: one number is not rung more than seven times an hour."""


@pytest.fixture
def town(thread: LoopThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A stack with people who pick up."""
    for number in NUMBERS:
        monkeypatch.setitem(stories.CARRIER, number, Habit.ANSWERS)
    (tmp_path / "shared").mkdir()
    for path in (CHECKOUT / "dialplans" / "shared").glob("*.yaml"):
        (tmp_path / "shared" / path.name).write_text(path.read_text())
    for n, number in enumerate(NUMBERS):
        written = DOCUMENT.format(n=n, number=number, did=f"+33199{100_000 + n}")
        (tmp_path / f"rung-{n}.yaml").write_text(written)
    yield from open_town(thread, {"CALLROUTER_DIALPLANS_DIR": str(tmp_path), "CALLROUTER_MESSAGE_CALLS": "8"})


async def _presses(town: Town, number: str, over: asyncio.Event) -> None:
    """Whoever is there picks up, and presses 1 again and again until they are let go."""
    carrier = town.stack.carrier
    while not over.is_set():
        if carrier.talks(number):
            with contextlib.suppress(StopIteration):  # hung up in this instant
                carrier.telephone(number).press("1")
        await asyncio.sleep(1.5)


async def _message(town: Town, number: int) -> str:
    """Somebody takes one for a person; its id."""
    engine, message_id = town.stack.engine, str(uuid.uuid4())
    body = {"id": message_id, "client": f"rung-{number}", "form": "usual", "fields": {"text": "Merci de rappeler."}}
    async with httpx.AsyncClient(trust_env=False, timeout=START_SECONDS) as client:
        headers = {"Authorization": f"Bearer {engine.token}"}
        answer = await client.post(f"{engine.web_url}/api/messages", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return message_id


async def _killed(town: Town) -> dict[str, str]:
    """A message and a kill for each person; the messages' numbers, by id."""
    chance, over, taken = random.Random(1207), asyncio.Event(), dict[str, str]()
    async with asyncio.TaskGroup() as group:
        for number in NUMBERS:
            group.create_task(_presses(town, number, over))
        for place, number in enumerate(NUMBERS):
            taken[await _message(town, place)] = number
            await asyncio.sleep(chance.uniform(0.0, LONGEST_SECONDS))
            with contextlib.suppress(psutil.NoSuchProcess, ValueError):  # the one before is not there again
                town.stack.engine.part().kill()
        async with asyncio.timeout(3 * START_SECONDS):
            left = set(taken)
            while left:
                await asyncio.sleep(0.5)
                left = {one for one in left if await _state(town, one) in ("new", "running")}
        over.set()
    return taken


async def _state(town: Town, message_id: str) -> str:
    state: str = (await town.stack.engine.get(f"/api/messages/{message_id}/delivery"))["state"]
    return state


def test_nobody_is_rung_twice_and_no_key_is_lost(town: Town) -> None:
    """What was written down and not placed has failed, and stands on the list; whoever was rung has taken it on."""
    taken = town.run(_killed(town))
    rung = Counter(town.stack.carrier.dialled)
    trails = {one: town.get(f"/api/messages/{one}/delivery") for one in taken}
    ended = Counter(trail["state"] for trail in trails.values())
    why = Counter(one["reason"] for one in trails.values() if one["state"] == "attention")
    sys.stdout.write(f"{KILLS} engines killed: {ended}, rung {Counter(rung.values())}, on the list {dict(why)}\n")

    assert max(rung.values()) == 1
    for message_id, number in taken.items():
        trail = trails[message_id]
        assert trail["state"] == ("acknowledged" if rung[number] else "attention"), trail
    assert ended["acknowledged"] >= KILLS / 2
