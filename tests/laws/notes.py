"""What the telephones of a run wrote down: nothing here comes from Asterisk or from us. Instants are in seconds since
1970.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tests.laws.sip import Dialog

TICK_SECONDS: Final = 0.02
NOTICED_SECONDS: Final = 0.05
AROUND_SECONDS: Final = 0.5


class Kind(StrEnum):
    """What a telephone was rung for, by the INVITE itself."""

    OFFER = "offer"
    """An agent's, for a caller of a queue: the INVITE names the client and the call."""
    CALLBACK = "callback"
    """An agent's, for a caller who is to be called back: it names the client and no call."""
    TRANSFER = "transfer"
    """An agent's, by a colleague: it names nobody."""
    CONTACT = "contact"
    """Somebody of the client's, outside."""
    CALLED_BACK = "called_back"
    """The caller who asked for it."""


@dataclass(kw_only=True, eq=False)
class Ring:
    """One ring of a telephone."""

    phone: str
    kind: Kind
    call: str
    """The call's id, as the INVITE says it; empty: it says none."""
    number: str
    """Who calls, as the telephone showed it."""
    dialog: Dialog
    accepted_at: float = 0.0
    """They have the caller: with a screening, when they pressed the key."""
    gave_to: str = ""
    """To whom they gave the caller: a colleague, `team.<queue>` or `node.<name>`."""
    gave_at: float = 0.0
    held: list[tuple[float, float]] = field(default_factory=list)
    without_power: bool = False

    @property
    def client(self) -> str:
        """For whom they are rung, as the INVITE says it."""
        return self.dialog.invite.get("x-callrouter-client", "")


@dataclass(kw_only=True, eq=False)
class Caller:
    """One caller."""

    number: str
    shown: bool
    client: str
    did: str
    intention: str
    dialled_at: float = 0.0
    dialog: Dialog | None = None
    keyed: list[tuple[float, str]] = field(default_factory=list)
    spoke: tuple[float, float] | None = None
    """From when to when, after the tone."""
    asked_back_at: float = 0.0
    """When they keyed that they want to be called back."""
    without_power: bool = False

    @property
    def left_at(self) -> float:
        """When their telephone's call was over."""
        return self.dialog.ended_at if self.dialog is not None else 0.0

    @property
    def hung_up(self) -> bool:
        """Whether they did."""
        return self.dialog is not None and self.dialog.hung_up


@dataclass(kw_only=True, eq=False)
class Move:
    """What was done for an agent, and answered."""

    agent: str
    wish: str
    """`log-in`, `log-out`, `pause` or `ready`, as the API calls it."""
    reason: str
    asked_at: float
    answered_at: float = 0.0
    status: int = 0


@dataclass(kw_only=True)
class Notes:
    """Of the whole run."""

    callers: list[Caller] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    held_up: list[tuple[float, float]] = field(default_factory=list)
    """When this process, which writes all of it down, could not, and for how long: a busy machine."""

    def late_seconds(self, at: float) -> float:
        """How late what happened about then may have been written down."""
        about = (seconds for since, seconds in self.held_up if abs(since - at) < seconds + AROUND_SECONDS)
        return max(about, default=0.0)

    async def watch(self) -> None:
        """Notice when this process is held up, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(TICK_SECONDS)
            late = loop.time() - before - TICK_SECONDS
            if late > NOTICED_SECONDS:
                self.held_up.append((time.time() - late, late))
