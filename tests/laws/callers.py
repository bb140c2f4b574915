"""Callers, as many as wanted: each draws what they want and how patient they are, and does it."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Final

from deploy.demo.sipp import CallerIdentity
from deploy.demo.telephone import Telephone
from tests.laws.keying import with_keys
from tests.laws.notes import Caller, Notes
from tests.laws.sip import HOST, Dialog
from tests.laws.town import DIDS, FIRST_CALLER, UNWANTED, Town

WANTS: Final = {
    "alpha": {
        "stay": 24,
        "impatient": 26,
        "press_for_team": 10,
        "contact": 14,
        "message": 10,
        "callback": 8,
        "early": 8,
    },
    "beta": {"stay": 40, "impatient": 35, "message": 10, "unwanted": 8, "early": 7},
    "gamma": {"stay": 60, "impatient": 40},
    "delta": {"stay": 60, "early": 40},
    "epsilon": {"stay": 60, "early": 40},
}
"""What callers of each client want, of a hundred."""
SHARES: Final = {"alpha": 44, "beta": 30, "gamma": 12, "delta": 8, "epsilon": 6}
WITHHELD, POWERLESS = 0.1, 0.03
"""Shares of callers who hide their number, and whose telephone loses its power."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How many calls, and how."""

    seed: int
    calls: int
    rate: float
    """Calls a second, on average."""
    longest_seconds: float
    """Nobody stays longer."""
    powerless: bool
    """Whether telephones of callers may lose their power: Asterisk needs a minute to find that out."""


def draw(run: Run) -> list[Caller]:
    """The callers of a run, the same for the same seed."""
    found = []
    for place in range(run.calls):
        chance = random.Random(f"{run.seed}:caller:{place}")
        (client,) = chance.choices(list(SHARES), list(SHARES.values()))
        (wants,) = chance.choices(list(WANTS[client]), list(WANTS[client].values()))
        caller = Caller(
            number=UNWANTED if wants == "unwanted" else f"+{FIRST_CALLER + place}",
            shown=wants in ("unwanted", "callback", "contact") or client == "gamma" or chance.random() >= WITHHELD,
            client=client,
            did=DIDS[client],
            intention=wants,
        )
        caller.without_power = run.powerless and wants in ("stay", "impatient") and chance.random() < POWERLESS
        found.append(caller)
    return found


async def live(caller: Caller, town: Town, notes: Notes, run: Run, chance: random.Random) -> None:
    """Call, and do what they want until the call is over."""
    ears = caller.intention in ("press_for_team", "contact", "message", "callback")
    telephone = await Telephone.open() if ears else None
    identity = CallerIdentity(number=caller.number, withheld=not caller.shown)
    sender, extra = identity.headers(HOST)
    caller.dialled_at = time.time()
    notes.callers.append(caller)
    dialog = caller.dialog = await town.port.call(
        town.address,
        caller.did,
        sender,
        f"{extra}\r\n",
        user="caller",
        media_port=telephone.port if telephone else town.sink.port,
    )
    try:
        await _do(caller, dialog, telephone, run.longest_seconds, chance)
    finally:
        if telephone is not None:
            telephone.close()


async def _do(
    caller: Caller, dialog: Dialog, telephone: Telephone | None, longest: float, chance: random.Random
) -> None:
    if caller.without_power:
        await dialog.settled.wait()
        if not await dialog.is_over(chance.uniform(0.5, 8)):
            dialog.lose_power()
        return
    match caller.intention:
        case "early":
            await asyncio.sleep(chance.uniform(0.02, 1.6))
        case "impatient":
            await dialog.settled.wait()
            await dialog.is_over(chance.uniform(0, 16 if caller.client == "alpha" else 10))
        case "press_for_team" | "contact" | "message" | "callback":
            await dialog.settled.wait()
            assert telephone is not None
            telephone.connect(HOST, dialog.their_media)
            await with_keys(caller, dialog, telephone, longest, chance)
        case _:
            await dialog.is_over(longest)
    await dialog.hang_up()
