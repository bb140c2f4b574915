"""The engine's place at a PBX: one engine at a time has it, and proves it before it acts. Pure.

Whoever changes a rule below changes the table of this file; `log_in` obeys it, and has no others.

Theory
------

The engine's AMI user may be logged in once (`allowmultiplelogin = no`), which nearly makes the log-in the lock. Nearly:
Asterisk looks whether the user is logged in, and logs it in later, in each session's own thread (`manager.c`,
process_message and authenticate). Of eight log-ins at the same instant two get in, more often than not.

So a log-in decides nothing. Whoever is in asks Asterisk how many sessions the user has (`AMI_CLIENT(user,sessions)`: it
counts those that have logged in and not ended), and only who is alone may act. Nobody asks the others, who may be
stopped, or slow, or dead: the PBX counts.

- Two never act. Say A was counted alone at *a*, B at *b*, later, and A's session had not ended by then. A's session was
  there at *b*, and so was B's own: B was counted with another. So A's session had ended by *b*; what A sent before
  that has been carried out, and what it sends now reaches nobody.
- So the place is not lost by others who log in later: each of them is counted with another, and leaves. Who leads asks
  again with each heartbeat all the same: somebody who does not leave is to be seen.
- Somebody gets it. Two that got in together may both be counted with another; if both left at once, they could meet for
  ever. Each waits a moment of its own and is counted once more; the first to be so leaves, and the other is alone.
  (Where the moments are the same, to the 0.2 ms between a count and the leaving, both leave, and try again later.)

    OUTSIDE    not logged in.
    INSIDE     logged in, and not counted yet.
    YIELDING   counted with another: to be counted once more, after a pause of its own.
    LEADING    was counted alone, and the session has not ended since: the only state in which anything is done.

                logged in            alone
        OUTSIDE ─────────► INSIDE ──────────► LEADING ◄─┐ counted, whatever the number
          ▲ ▲ ▲              │ with another    ▲   │ └──┘
          │ │ └──────────────┼─────────────────┼───┘ the session ended
          │ │                ▼      alone      │
          │ └──────────── YIELDING ────────────┘
          │  with another
          └─ from each of them: the session ended

What the table does not hold cannot happen; it is a fault of ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

YIELD_SECONDS: Final = (0.01, 0.1)
"""The shortest and the longest pause before somebody is counted once more: a count takes 0.1 ms."""


class PlaceState(StrEnum):
    """How an engine stands to the place; see the module."""

    OUTSIDE = "outside"
    INSIDE = "inside"
    YIELDING = "yielding"
    LEADING = "leading"


class Seen(StrEnum):
    """What an engine learns."""

    LOGGED_IN = "logged_in"
    ALONE = "alone"
    """The PBX counts one session of the user: ours."""
    WITH_ANOTHER = "with_another"
    """It counts more."""
    ENDED = "ended"
    """Our session is over."""


_OUTSIDE, _INSIDE, _YIELDING, _LEADING = PlaceState

AFTER: Final[Mapping[PlaceState, Mapping[Seen, PlaceState]]] = {
    _OUTSIDE: {Seen.LOGGED_IN: _INSIDE},
    _INSIDE: {Seen.ALONE: _LEADING, Seen.WITH_ANOTHER: _YIELDING, Seen.ENDED: _OUTSIDE},
    _YIELDING: {Seen.ALONE: _LEADING, Seen.WITH_ANOTHER: _OUTSIDE, Seen.ENDED: _OUTSIDE},
    _LEADING: {Seen.ALONE: _LEADING, Seen.WITH_ANOTHER: _LEADING, Seen.ENDED: _OUTSIDE},
}
"""By state: what may be seen, and the state afterwards. Who comes to OUTSIDE ends its session, if it has one."""


def counted(sessions: int) -> Seen:
    """What a number of sessions means to one of them, which is counted itself."""
    return Seen.ALONE if sessions <= 1 else Seen.WITH_ANOTHER


def yield_seconds(uniform: Callable[[float, float], float] = random.uniform) -> float:
    """How long to wait before being counted once more."""
    return uniform(*YIELD_SECONDS)
