"""What telling people by telephone needs from outside: a book of tellings, their sounds, and a switch that rings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from callrouter.outgoing.order import MessageOrder, Outcome, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTelling:
    """Somebody is to be rung for a message."""

    delivery_id: str
    message_id: str
    client: str
    """As it is called now."""
    contact: str
    number: str
    """E.164."""
    did: str
    """What the message's caller had dialled; empty: there was no call."""
    confidential: bool
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedTelling:
    """A call that is under way for a message, as the book has it."""

    outgoing_id: str
    delivery_id: str
    client: str
    contact: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUse:
    """What one number was rung lately."""

    calls: int
    first_at: datetime


class MessageBook(Protocol):
    """Tellings by telephone; each method raises StoreError while the book cannot be reached."""

    async def take_over(self) -> list[PlacedTelling]:
        """Calls under way, which are ours from now on: whoever had them cannot change them any more."""
        ...

    async def due(self, now: datetime, limit: int) -> list[DueTelling]:
        """Tellings that are due, those of urgent messages first, then the oldest."""
        ...

    async def rung_lately(self, numbers: Collection[str], since: datetime) -> Mapping[str, NumberUse]:
        """How often each number was rung for a message since then; those that were not are left out."""
        ...

    async def put_off(self, delivery_ids: Collection[str], until: datetime, why: str, now: datetime) -> None:
        """Those that wait on are looked at again then; the first time, their trails say why."""
        ...

    async def refuse(self, delivery_id: str, why: str, at: datetime) -> None:
        """A telling has failed: nobody is rung for it."""
        ...

    async def claim(self, telling: DueTelling, order: MessageOrder, at: datetime) -> bool:
        """Before a call is placed: it is under way. False: nobody need be told any more, or another call is."""
        ...

    async def give_back(self, outgoing_id: str, at: datetime) -> bool:
        """A call of ours was never placed: its telling is due again. False: it is not, because nobody need be told any
        more, something else became of it, or it was given back too often."""
        ...

    async def note(self, outgoing_id: str, progress: Progress, at: datetime) -> None:
        """How far a call of ours is; a message is taken on by the key as soon as it is seen."""
        ...

    async def keep(self, outgoing_ids: Collection[str], at: datetime) -> None:
        """These calls of ours are still under way: nobody is to think that their fate is unknown."""
        ...

    async def needless(self, outgoing_ids: Collection[str]) -> set[str]:
        """Of these calls of ours, those whose message somebody has taken on otherwise, or which began anew since."""
        ...

    async def conclude(self, outgoing_id: str, progress: Progress, outcome: Outcome, at: datetime) -> None:
        """What became of a call of ours, and of its telling. Concluding twice changes nothing."""
        ...


class MessageSounds(Protocol):
    """What is said in a call, as files that the switch plays."""

    async def make(self, outgoing_id: str, telling: DueTelling, *, opens: bool) -> str:
        """The folder of one call's; what is confidential is said in it where it `opens` by a PIN only.

        Raises SpeechError, and StoreError.
        """
        ...

    async def keep_only(self, outgoing_ids: Collection[str]) -> None:
        """Those of all other calls are deleted."""
        ...


class MessageSwitch(Protocol):
    """Places calls; each method raises AmiError while the switch cannot be reached."""

    async def can_place(self) -> bool:
        """Whether it knows such calls. Raises ActionFailed where it does not say."""
        ...

    async def announce(self, outgoing_id: str) -> None:
        """A call may be placed by this id: by that it is known afterwards whether it was."""
        ...

    async def was_never_placed(self, outgoing_id: str) -> bool:
        """Of a call that was to be placed before this session began: whether it is known that nobody was rung by it."""
        ...

    async def place(self, order: MessageOrder) -> None:
        """Ask for a call. Raises EncodingError for an order that cannot be written, ActionFailed for a refusal."""
        ...

    async def progress(self) -> Mapping[str, Progress]:
        """How far each call is of which the switch holds something, by id."""
        ...

    async def lives(self, outgoing_id: str) -> bool:
        """Whether anything is left of a call at the switch but what it has written down."""
        ...

    async def take_back(self, outgoing_id: str, at: datetime) -> None:
        """Nobody need be told any more: who listens is told so, and hung up."""
        ...

    async def hang_up(self, outgoing_id: str) -> None:
        """End a call that rings."""
        ...

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        """What became of these calls is recorded."""
        ...


class Dialler(Protocol):
    """What a client's plan in service says of calls to its people."""

    def shown(self, client: str, did: str) -> str:
        """The number that they see, E.164; empty: none."""
        ...

    def refusal(self, client: str, number: str) -> str:
        """Why a number may not be rung for a client; empty: it may."""
        ...

    def pin(self, client: str, contact: str) -> str:
        """A contact's own PIN; empty: they have none."""
        ...
