"""The ways in which an agent holds a caller, consults a colleague and gives a caller away: by a second call of their
own telephone, by feature codes, and by a program (the API).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from deploy.demo.telephone import Telephone
from tests.laws.notes import Ring
from tests.laws.sip import Dialog
from tests.laws.town import NUMBERS, Town

CODE_SECONDS: Final = 0.52
"""Of three keys, 120 ms each and 80 ms apart (`Telephone.press`)."""


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


async def until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it was so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
