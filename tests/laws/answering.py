"""Who is called: agents at their telephones, people of the clients', callers who are called back. What somebody does at
a ring is drawn by the run's seed, whose telephone it is, and the how-manieth ring there.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from typing import Final

from deploy.demo.telephone import Telephone
from tests.laws.notes import Kind, Notes, Ring
from tests.laws.sip import HOST, Dialog
from tests.laws.town import AGENTS, BACK_TO, DOCTOR, NURSE, ON_CALL, TEAMS, Town

AT_A_RING: Final = {"answer": 73, "let_ring": 7, "busy": 5, "decline": 4, "do_not_disturb": 3, "no_power": 2, "give": 6}
"""What agents do, of a hundred rings."""
GIVES_TO: Final = {"colleague": 60, "team": 22, "node": 18}
"""To whom, of a hundred who give a caller away."""
REFUSALS: Final = {"busy": "486 Busy Here", "decline": "603 Decline", "do_not_disturb": "480 Temporarily Unavailable"}
SCREENING_SECONDS: Final = 0.9
KEY_SECONDS: Final = 0.12
"""How long a key is held down (`Telephone.press`)."""
BACK_SECONDS: Final = 8.0
"""A telephone without power has some again after this long."""


class Answering:
    """See the module; `ring` is what happens when a telephone is called."""

    def __init__(self, seed: int, notes: Notes) -> None:
        self.town: Town | None = None
        self._seed = seed
        self._notes = notes
        self._rings: Counter[str] = Counter()
        self._busy: set[str] = set()

    async def ring(self, dialog: Dialog) -> None:
        """Somebody's telephone is called."""
        phone = dialog.user
        self._rings[phone] += 1
        chance = random.Random(f"{self._seed}:{phone}:{self._rings[phone]}")
        ring = Ring(
            phone=phone,
            kind=_kind(dialog),
            call=dialog.invite.get("x-callrouter-call", ""),
            number=_number(dialog),
            dialog=dialog,
        )
        self._notes.rings.append(ring)
        if dialog.dead:
            ring.without_power = True
            return
        if phone in AGENTS:
            await self._agent(ring, chance)
        else:
            await self._outside(ring, chance)

    # --------------------------------------------------------------------------------------------------- agents

    async def _agent(self, ring: Ring, chance: random.Random) -> None:
        dialog = ring.dialog
        if ring.phone in self._busy:
            dialog.refuse(REFUSALS["busy"])
            return
        self._busy.add(ring.phone)
        try:
            (does,) = chance.choices(list(AT_A_RING), list(AT_A_RING.values()))
            if ring.kind is not Kind.OFFER and does in ("give", "no_power"):
                does = "answer"
            await self._at_ring(ring, does, chance)
        finally:
            self._busy.discard(ring.phone)

    async def _at_ring(self, ring: Ring, does: str, chance: random.Random) -> None:
        dialog = ring.dialog
        if does == "no_power":
            await self._no_power(ring)
            return
        dialog.ringing()
        if does == "let_ring":
            await dialog.is_over(40)
        elif does in REFUSALS:
            if not await dialog.is_over(chance.uniform(0, 1.5)):
                dialog.refuse(REFUSALS[does])
        elif not await dialog.is_over(chance.uniform(0.05, 2.5)):
            self._answer(ring)
            if does == "give":
                await self._give(ring, chance)
            else:
                await self._talk(ring, chance)

    def _answer(self, ring: Ring) -> None:
        assert self.town is not None
        ring.dialog.answer(self.town.sink.port)
        ring.accepted_at = ring.dialog.answered_at

    async def _talk(self, ring: Ring, chance: random.Random) -> None:
        """They hang up first or wait for the other side to, as long as anybody would; some hold, some vanish."""
        dialog = ring.dialog
        if chance.random() < 0.12:
            await self._hold(ring, chance)
        patience = chance.uniform(0.3, 3.5) if chance.random() < 0.6 else 6.0
        if await dialog.is_over(patience):
            return
        if ring.kind is Kind.OFFER and chance.random() < 0.03:
            await self._no_power(ring)
        else:
            await dialog.hang_up()

    async def _hold(self, ring: Ring, chance: random.Random) -> None:
        dialog = ring.dialog
        if await dialog.is_over(chance.uniform(0.3, 1)):
            return
        await dialog.hold(on=True)
        began = time.time()
        over = await dialog.is_over(chance.uniform(0.5, 2))
        if not over and chance.random() < 0.8:  # the others end the call while the caller is on hold
            await dialog.hold(on=False)
            ring.held.append((began, time.time()))
        else:
            ring.held.append((began, 0.0))

    async def _give(self, ring: Ring, chance: random.Random) -> None:
        """To somebody else, without a word."""
        dialog = ring.dialog
        if await dialog.is_over(chance.uniform(0.5, 2)):
            return
        ring.gave_to, ring.gave_at = _target(ring, chance), time.time()
        status = await dialog.refer(ring.gave_to)
        if status != 202:
            ring.gave_to = ""
        if not await dialog.is_over(0.3):
            await dialog.hang_up()

    async def _no_power(self, ring: Ring) -> None:
        """Neither a word nor a sign from this telephone, for a while."""
        port = ring.dialog.port
        ring.without_power = True
        ring.dialog.lose_power()
        port.dead.add(ring.phone)
        await asyncio.sleep(BACK_SECONDS)
        port.dead.discard(ring.phone)

    # -------------------------------------------------------------------------------------------------- outside

    async def _outside(self, ring: Ring, chance: random.Random) -> None:
        dialog = ring.dialog
        does = chance.choices(("answer", "busy", "decline", "let_ring"), (64, 12, 12, 12))[0]
        if does in REFUSALS:
            dialog.refuse(REFUSALS[does])
            return
        dialog.ringing()
        if does == "let_ring":
            await dialog.is_over(40)
            return
        if await dialog.is_over(chance.uniform(0.2, 2)):
            return
        if ring.phone == ON_CALL:
            await self._screened(ring, chance)
            return
        self._answer(ring)
        if not await dialog.is_over(chance.choice((chance.uniform(0.5, 3), 6.0))):
            await dialog.hang_up()

    async def _screened(self, ring: Ring, chance: random.Random) -> None:
        """They are asked to press 1: most do, some hang up, some are a voicemail."""
        dialog = ring.dialog
        telephone = await Telephone.open()
        try:
            dialog.answer(telephone.port)
            telephone.connect(HOST, dialog.their_media)
            if await dialog.is_over(SCREENING_SECONDS):
                return
            if chance.random() < 0.65:
                telephone.press("1")
                ring.accepted_at = time.time() + KEY_SECONDS
                await dialog.is_over(chance.uniform(1, 3))
            elif chance.random() < 0.5:
                await dialog.is_over(20)
            await dialog.hang_up()
        finally:
            telephone.close()


def _kind(dialog: Dialog) -> Kind:
    if dialog.user in (DOCTOR, NURSE, ON_CALL):
        return Kind.CONTACT
    if dialog.user not in AGENTS:
        return Kind.CALLED_BACK
    if not dialog.invite.get("x-callrouter-client"):
        return Kind.TRANSFER
    return Kind.OFFER if dialog.invite.get("x-callrouter-call") else Kind.CALLBACK


def _target(ring: Ring, chance: random.Random) -> str:
    """A colleague, a team, or back into the client's tree."""
    colleague = chance.choice([name for name in AGENTS if name != ring.phone])
    (kind,) = chance.choices(list(GIVES_TO), list(GIVES_TO.values()))
    if kind == "team":
        return f"team.{chance.choice(list(TEAMS))}"
    return f"node.{BACK_TO[ring.client]}" if kind == "node" else colleague


def _number(dialog: Dialog) -> str:
    found = re.search(r"sips?:([^@;>]+)@", dialog.invite["from"])
    return found[1].replace("%2B", "+") if found else ""
