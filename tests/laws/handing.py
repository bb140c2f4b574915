"""Agents who do more than talk: they hold callers, speak to a colleague first, and give callers away. Each way of doing
so is a class here: by a second call of their own telephone, by feature codes, and by a program (the API).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from deploy.demo.telephone import Telephone
from tests.laws.notes import Kind, Notes, Ring
from tests.laws.sip import Dialog
from tests.laws.town import AGENTS, NUMBERS, Town

DOES: Final = {"hold": 25, "give": 15, "consult": 60}
"""What they do, of a hundred."""
COMPLETES: Final = 0.6
"""Share of those who give the caller to the colleague they have spoken to; the others take them back."""
CODE_SECONDS: Final = 0.52
"""Of three keys, 120 ms each and 80 ms apart (`Telephone.press`)."""
REFUSED: Final = (486, 480, 603)
PATIENCE_SECONDS: Final = 9.0
"""For which they let a colleague's telephone ring."""


class Way(Protocol):
    """How it is done; each returns whether it was taken, and `consult` since when the caller is on hold (0: not)."""

    @property
    def is_keyed(self) -> bool:
        """Whether the caller hears music while a target is keyed."""
        ...

    @property
    def by_pbx(self) -> bool:
        """Whether it is the PBX that holds the caller, and gives them back when a colleague does not come."""
        ...

    async def hold(self, *, on: bool) -> bool: ...

    async def give(self, colleague: str) -> bool: ...

    async def consult(self, colleague: str) -> float: ...

    async def complete(self) -> bool: ...

    async def take_back(self) -> bool: ...


async def handle(way: Way, ring: Ring, notes: Notes, chance: random.Random) -> None:
    """Once they have a caller; returns when the caller is theirs alone again, or no more."""
    if await ring.dialog.is_over(chance.uniform(0.5, 1.5)):
        return
    (does,) = chance.choices(list(DOES), list(DOES.values()))
    colleague = chance.choice([name for name in AGENTS if name != ring.phone])
    speaks, completes, holds = chance.uniform(0.3, 1.5), chance.random() < COMPLETES, chance.uniform(0.5, 2)
    if does != "hold" and not notes.is_logged_in(colleague):
        return
    match does:
        case "hold":
            await _hold(way, ring, holds)
        case "give":
            await _give(way, ring, colleague)
        case _:
            await _consult(way, ring, colleague, notes, speaks if completes else -speaks)


async def _hold(way: Way, ring: Ring, seconds: float) -> None:
    if not await way.hold(on=True):
        return
    since = time.time()
    ring.held.append((since, 0.0))
    if not await ring.dialog.is_over(seconds) and await way.hold(on=False):
        ring.held[-1] = since, time.time()


async def _give(way: Way, ring: Ring, colleague: str) -> None:
    ring.gave_to, ring.gave_at = colleague, time.time()
    if not await way.give(colleague):
        ring.gave_to, ring.gave_at = "", 0.0
        return
    if way.is_keyed:
        ring.held.append((ring.gave_at + CODE_SECONDS, 0.0))
        ring.gave_at = time.time()
    await _gone(ring)


async def _consult(way: Way, ring: Ring, colleague: str, notes: Notes, speaks: float) -> None:
    """`speaks`: for so long, in seconds; negative: and then takes the caller back."""
    began = time.time()
    if not (since := await way.consult(colleague)):
        return
    ring.held.append((since, 0.0))
    theirs = await _ring_of(colleague, ring, notes, began)
    if theirs is not None and theirs.dialog.status in REFUSED and way.by_pbx:
        ring.held[-1] = since, theirs.dialog.ended_at
        return
    talk = theirs is not None and theirs.dialog.status == 200
    if theirs is not None and talk and not await theirs.dialog.is_over(abs(speaks)) and speaks > 0:
        if not ring.dialog.over.is_set() and await way.complete():
            ring.gave_to, ring.gave_at = colleague, time.time()
            theirs.accepted_at, theirs.unsure_seconds = ring.gave_at, ring.unsure_seconds
            ring.held[-1] = since, ring.gave_at
            await _gone(ring)
        return
    if not ring.dialog.over.is_set():
        await way.take_back()
        ring.held[-1] = since, time.time()


async def _ring_of(colleague: str, ring: Ring, notes: Notes, since: float) -> Ring | None:
    """The colleague's ring, once they have picked up or refused; None if it does not come, or they let it ring."""

    def found() -> Ring | None:
        rings = (one for one in reversed(notes.rings) if one.kind is Kind.CONSULTATION and one.phone == colleague)
        return next((one for one in rings if one.call == ring.call and one.dialog.began_at > since), None)

    await until(lambda: _settled(found()) or ring.dialog.over.is_set(), PATIENCE_SECONDS)
    return found()


def _settled(ring: Ring | None) -> bool:
    return ring is not None and ring.dialog.settled.is_set()


async def _gone(ring: Ring) -> None:
    """They put the telephone down, if the PBX does not end the call."""
    if not await ring.dialog.is_over(0.5):
        await ring.dialog.hang_up()


async def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it was so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


class ByProgram:
    """Over the API, of the call that the INVITE named."""

    is_keyed, by_pbx = False, True

    def __init__(self, town: Town, ring: Ring) -> None:
        self._town = town
        self._ring = ring

    async def hold(self, *, on: bool) -> bool:
        return await self._ask("hold" if on else "resume")

    async def give(self, colleague: str) -> bool:
        return await self._ask("transfer", colleague)

    async def consult(self, colleague: str) -> float:
        return time.time() if await self._ask("consult", colleague) else 0.0

    async def complete(self) -> bool:
        return await self._ask("complete")

    async def take_back(self) -> bool:
        return await self._ask("take-back")

    async def _ask(self, verb: str, to: str = "") -> bool:
        engine = self._town.engine
        headers, query = {"Authorization": f"Bearer {engine.token}"}, {"to": to} if to else {}
        asked_at = time.time()
        async with httpx.AsyncClient(timeout=10, headers=headers) as client:
            answer = await client.post(f"{engine.web_url}/api/calls/{self._ring.call}/{verb}", params=query)
        self._ring.unsure_seconds += time.time() - asked_at
        return answer.status_code < 300


class ByCode:
    """Keyed in the conversation (features.conf)."""

    is_keyed, by_pbx = True, True

    def __init__(self, telephone: Telephone) -> None:
        self._telephone = telephone

    async def hold(self, *, on: bool) -> bool:  # there is no code for it
        return False

    async def give(self, colleague: str) -> bool:
        return await self._key(f"*21{NUMBERS[colleague]}#")

    async def consult(self, colleague: str) -> float:
        began = time.time()  # the caller hears music once *22 is keyed, before anybody is called
        await self._key(f"*22{NUMBERS[colleague]}#")
        return began + CODE_SECONDS

    async def complete(self) -> bool:
        return await self._key("*23")

    async def take_back(self) -> bool:
        return await self._key("*24")

    async def _key(self, keys: str) -> bool:
        self._telephone.press(keys)
        return await until(lambda: not self._telephone.is_busy, 5)


class ByDesk:
    """A second call of the same telephone, which then puts the two together (RFC 3891)."""

    is_keyed, by_pbx = False, False

    def __init__(self, town: Town, ring: Ring) -> None:
        self._town = town
        self._ring = ring
        self._other: Dialog | None = None
        self._colleague = ""

    async def hold(self, *, on: bool) -> bool:
        await self._ring.dialog.hold(on=on)
        return True

    async def give(self, colleague: str) -> bool:
        return await self._ring.dialog.refer(colleague) == 202

    async def consult(self, colleague: str) -> float:
        await self.hold(on=True)
        since = time.time()
        self._colleague = colleague
        town, phone = self._town, self._ring.phone
        sender = f"<sip:{phone}@{town.port.contact}>"
        self._other = await town.port.call(
            town.address,
            NUMBERS[colleague],
            sender,
            "",
            user=phone,
            media_port=town.sink.port,
            secret=town.pbx.phone_secrets[phone],
        )
        return since

    async def complete(self) -> bool:
        if self._other is None or not self._other.answered_at or self._other.over.is_set():
            return False
        done = await self._ring.dialog.refer(self._colleague, replacing=self._other) == 202
        if done and not await self._other.is_over(0.5):
            await self._other.hang_up()
        return done

    async def take_back(self) -> bool:
        if self._other is not None:
            await self._other.hang_up()
        await self.hold(on=False)
        return True
