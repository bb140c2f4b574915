"""Who is rung in a round: agents, the doctor outside, and callers who are called back. What somebody does at a ring is
drawn by the round's seed, whose telephone it is, and the how-manieth ring there.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.chaos.clients import DOCTOR
from tests.chaos.ear import Ear
from tests.chaos.media import Media
from tests.chaos.notes import NEVER, Notes, Ring
from tests.laws.sip import HOST, Dialog

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS_SECONDS: Final[Mapping[str, tuple[float, float]]] = {
    "agent": (0.2, 2.0),
    "contact": (1.0, 6.0),
    "callback": (0.5, 2.0),
}
"""After so long a telephone is picked up, by kind."""
TALK_SECONDS: Final[Mapping[str, tuple[float, float]]] = {
    "agent": (4.0, 25.0),
    "contact": (4.0, 25.0),
    "callback": (1.0, 3.0),
}
"""After so long whoever was rung hangs up."""


class Answering:
    """See the module; `ring` is what happens when a telephone is called."""

    def __init__(self, media: Media) -> None:
        self.notes = Notes(seed="")
        self._media = media
        self._rings: Counter[str] = Counter()
        self._busy: set[str] = set()

    def begin(self, notes: Notes) -> None:
        """A round begins, with notes of its own."""
        self.notes = notes
        self._rings.clear()

    async def ring(self, dialog: Dialog) -> None:
        """Somebody's telephone is called."""
        phone, kind = dialog.user, _kind(dialog)
        self._rings[phone] += 1
        chance = random.Random(f"{self.notes.seed}:{phone}:{self._rings[phone]}")
        call = dialog.invite.get("x-callrouter-call", "")
        ring = Ring(phone=phone, kind=kind, call=call, number=_number(dialog), began_at=dialog.began_at)
        self.notes.rings.append(ring)
        ear = Ear.listening(self._media, says="contact" if kind == "contact" else "agent")
        try:
            if phone in self._busy:
                dialog.refuse("486 Busy Here")
                return
            self._busy.add(phone)
            try:
                await self._answer(dialog, kind, ear, chance)
            finally:
                self._busy.discard(phone)
        finally:
            ear.close()
            # A PBX that was killed while it rang never hears of the answer: no ACK comes, and nobody was there.
            ring.answered_at, ring.ended_at = (dialog.answered_at if dialog.taken_at else NEVER), dialog.ended_at
            ring.hung_up, ring.status, ring.heard = dialog.hung_up, dialog.status, ear.stretches

    async def _answer(self, dialog: Dialog, kind: str, ear: Ear, chance: random.Random) -> None:
        dialog.ringing()
        if await dialog.is_over(chance.uniform(*ANSWERS_SECONDS[kind])):
            return
        dialog.answer(ear.port)
        ear.connect(HOST, dialog.their_media)
        if not await dialog.is_over(chance.uniform(*TALK_SECONDS[kind])):
            await dialog.hang_up()


def _kind(dialog: Dialog) -> str:
    if dialog.user.startswith("agent"):
        return "agent"
    return "contact" if dialog.user == DOCTOR else "callback"


def _number(dialog: Dialog) -> str:
    found = re.search(r"sips?:([^@;>]+)@", dialog.invite["from"])
    return found[1].replace("%2B", "+") if found else ""
