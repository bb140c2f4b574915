"""One outgoing call: what is asked of the switch, how far it is, and what became of it.

A call of ours waits at the switch (its near half) for somebody who takes it, and only then rings whom it is for (its
far half). The switch writes down how far each half is; `outcome_of` says what that means, whether or not an engine saw
it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from callrouter.core.call import DialOutcome


class Purpose(StrEnum):
    """What an outgoing call is for."""

    CALLBACK = "callback"
    """Somebody asked to be called back: an agent takes their turn in the queue, then they are rung."""
    MESSAGE = "message"
    """Somebody is to be told of a message: they are rung at once, and no agent is asked."""


class Outcome(StrEnum):
    """What became of an outgoing call."""

    ANSWERED = "answered"
    """Whom it was for has talked with who took it."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"
    """Their network gave another reason."""
    CANCELLED = "cancelled"
    """Who had taken it hung up while it rang."""
    NOBODY_FREE = "nobody_free"
    """Nobody took it: whom it was for was not rung."""
    WITHDRAWN = "withdrawn"
    """It was not needed any more: whom it was for was not rung, or no longer."""
    LOST = "lost"
    """The switch lost it: it was restarted."""
    FAILED = "failed"
    """The switch could not place it."""

    @property
    def is_attempt(self) -> bool:
        """Whether somebody was rung."""
        return self in ATTEMPTS


ATTEMPTS = frozenset({Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.UNAVAILABLE, Outcome.CANCELLED})


class Settlement(StrEnum):
    """What settled a callback: nobody is called back for it any more."""

    CALLED_BACK = "called_back"
    RANG_AGAIN = "rang_again"
    """The caller rang again, and somebody answered."""
    BY_HAND = "by_hand"
    """A person says so."""
    ATTEMPTS = "attempts"
    """They were rung as often as the client wants, and did not answer."""
    EXPIRED = "expired"
    NOT_ALLOWED = "not_allowed"
    """The number may not be dialled any more."""

    @property
    def is_reached(self) -> bool:
        """Whether the caller has talked with somebody."""
        return self in (Settlement.CALLED_BACK, Settlement.RANG_AGAIN)


_OF_DIAL = {
    DialOutcome.ANSWERED: Outcome.ANSWERED,
    DialOutcome.BUSY: Outcome.BUSY,
    DialOutcome.NO_ANSWER: Outcome.NO_ANSWER,
    DialOutcome.ABANDONED: Outcome.CANCELLED,
}


class Order(Struct, frozen=True, kw_only=True):
    """What the switch is asked to do."""

    outgoing_id: str
    """Begins with epoch seconds; unique, and never used for a second attempt."""
    purpose: Purpose
    client: str
    """Whose allow-list admitted the number."""
    number: str
    """Whom to ring, E.164."""
    shown: str
    """The number that they see, E.164; empty: none."""
    did: str
    """The number that they had dialled, as the switch knows it: whose call it is, should the switch serve it alone."""
    queue: str
    """Where it waits for an agent: a queue of the PBX, a team's or one derived from it."""
    priority: int
    position: int
    """Place in the queue, from 1, among those of its priority."""
    wait_seconds: float
    ring_seconds: float
    said: tuple[str, ...] = ()
    """Sound files that the agent hears first."""


class Key(StrEnum):
    """What somebody presses who was told of a message by telephone."""

    TAKES_IT_ON = "1"
    NOT_THEIRS = "3"


class MessageOrder(Struct, frozen=True, kw_only=True):
    """What the switch is asked to do to tell somebody of a message."""

    outgoing_id: str
    """Begins with epoch seconds; unique, and never used for a second attempt."""
    client: str
    """Whose allow-list admitted the number."""
    number: str
    """Whom to ring, E.164."""
    shown: str
    """The number that they see, E.164; empty: none."""
    ring_seconds: float
    folder: str
    """Where the sounds of it are that the switch plays."""
    pin: str = ""
    """Digits that are asked for before the message is said; empty: none are."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far an outgoing call is, as the switch has written it down."""

    waits_since: datetime | None = None
    """The near half has begun."""
    left_at: datetime | None = None
    """The near half has ended."""
    agent: str | None = None
    """Who took it; known when the near half has ended."""
    rung_at: datetime | None = None
    """Somebody took it, and whom it is for is rung."""
    answered_at: datetime | None = None
    over_at: datetime | None = None
    """The far half has ended."""
    dialled: DialOutcome | None = None
    """How ringing ended; set with `over_at`."""
    hangup_cause: int | None = None
    """Q.850, of the far half."""
    trunk: str = ""
    """By which carrier whom it is for was rung, as the switch calls it; empty: by none, or not known."""
    sip: int = 0
    """What the network answered where they were not reached (RFC 3261); 0: not known."""
    heard_at: datetime | None = None
    """They have heard the message to its end."""
    key: Key | None = None
    """What they pressed when they were asked."""
    key_at: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether both halves are over: nothing more will be written."""
        return self.left_at is not None and (self.rung_at is None or self.over_at is not None)

    def knows_less_than(self, other: Progress) -> bool:
        """Whether something had happened by `other` that this one does not have: somebody deleted what was written."""
        return any(
            before is not None and now is None
            for before, now in (
                (other.rung_at, self.rung_at),
                (other.answered_at, self.answered_at),
                (other.left_at, self.left_at),
                (other.over_at, self.over_at),
                (other.heard_at, self.heard_at),
                (other.key_at, self.key_at),
            )
        )

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; None while it is not known to be."""
        return (self.over_at or self.left_at) if self.complete else None


NOTHING_YET = Progress()


FAR: Final = ".far"


def far_channel(outgoing_id: str) -> str:
    """The id of the channel of the half that rings whom a call is for."""
    return outgoing_id + FAR


def outcome_of(progress: Progress, *, withdrawn: bool) -> Outcome:
    """What became of an outgoing call that is over, or of whose channels nothing is left.

    `withdrawn`: we have hung it up ourselves.
    """
    if progress.answered_at is not None:
        return Outcome.ANSWERED
    if withdrawn:
        return Outcome.WITHDRAWN
    if progress.over_at is not None:
        return _OF_DIAL.get(progress.dialled or DialOutcome.FAILED, Outcome.UNAVAILABLE)
    return Outcome.NOBODY_FREE if progress.complete else Outcome.LOST
