"""What calling back needs from outside: a book of callbacks, and a switch that places calls; what both speak of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from callrouter.outgoing.order import Order, Outcome, Progress, Settlement

Wish = tuple[str, int]
"""Key of a callback: the call in which it was asked for, and which wish of that call it is, from 1."""


Answered = tuple[str, str, datetime]
"""A caller who was answered: client, number (E.164), and when."""


class Ruled(NamedTuple):
    """A node whose callers are called back by themselves."""

    client: str
    node: str
    is_open: bool
    """Whether people are rung now, by its hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCallback:
    """A callback that nothing has settled, and for which no call is under way."""

    wish: Wish
    client: str
    number: str
    """E.164."""
    node: str
    """The node of the client's tree that took it."""
    did: str
    """What the caller had dialled."""
    asked_at: datetime
    turn_at: datetime
    """Since when the caller waits: from their last entry into a queue where nobody answered, else from the wish on."""
    attempts: int = 0
    """How often they were rung."""
    last: Outcome | None = None
    """What became of the last call for it."""
    last_at: datetime | None = None
    lost: int = 0
    """How many calls for it the switch has lost in a row, until now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """A call that is under way for a callback, as the book has it."""

    outgoing_id: str
    wish: Wish
    client: str
    number: str
    queue: str
    """Of the PBX, as the order had it."""
    turn_at: datetime
    node: str
    is_open: bool
    """Whether the callback is."""
    attempts: int = 0
    """How often they were rung before."""
    shown: str = ""
    """The number that they are to see, E.164; empty: none."""
    did: str = ""
    """What the caller had dialled."""


class CallbackBook(Protocol):
    """Callbacks and the calls placed for them; each method raises StoreError while the book cannot be reached."""

    async def take_over(self) -> list[PlacedCall]:
        """Calls under way, which are ours from now on: whoever had them cannot change them any more."""
        ...

    async def settled_elsewhere(self, outgoing_ids: Collection[str]) -> set[str]:
        """Of these calls of ours, those whose callback somebody else has settled."""
        ...

    async def open(self, since: datetime, ruled: Collection[Ruled]) -> list[OpenCallback]:
        """Callbacks asked for since then at these nodes, of open hours first, by turn; those with a call under way left
        out."""
        ...

    async def claim(self, callback: OpenCallback, order: Order, at: datetime) -> bool:
        """Before a call is placed: it is under way. False: somebody has settled the callback, or another call is."""
        ...

    async def note(self, outgoing_id: str, progress: Progress) -> None:
        """How far a call of ours is."""
        ...

    async def conclude(
        self, outgoing_id: str, progress: Progress, outcome: Outcome, at: datetime, settlement: Settlement | None
    ) -> None:
        """What became of a call of ours; with a settlement, of its callback too, and, when that was reached, of what
        the same caller had asked for before they were. Concluding twice changes nothing."""
        ...

    async def settle(self, wishes: Iterable[Wish], settlement: Settlement, at: datetime) -> None:
        """Callbacks that need no call any more; one that is settled stays as it is."""
        ...

    async def settle_answered(self, answered: Sequence[Answered]) -> None:
        """These callers rang, and were answered: whatever they asked for before is settled."""
        ...

    async def settle_recorded(self, since: datetime) -> None:
        """The same for all callbacks asked for since then, by what is in the record."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Somebody in a queue."""

    channel_id: str
    priority: int
    waited_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStand:
    """A queue, as it stands."""

    agents: int
    """Who are there, and have not paused; busy or not."""
    waiting: Sequence[Waiting]
    """In order."""
    talk_seconds: float = 0.0
    """Running mean of its conversations; 0 while there has been none."""


class OutgoingSwitch(Protocol):
    """Places calls; each method raises AmiError while the switch cannot be reached."""

    async def place(self, order: Order) -> None:
        """Ask for a call. Raises EncodingError for an order that cannot be written, ActionFailed for a refusal."""
        ...

    async def progress(self) -> Mapping[str, Progress]:
        """How far each call is of which the switch holds something, by id."""
        ...

    async def lives(self, outgoing_id: str) -> bool:
        """Whether anything is left of a call at the switch but what it has written down."""
        ...

    async def hang_up(self, outgoing_id: str) -> None:
        """End a call, wherever it is."""
        ...

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        """What became of these calls is recorded."""
        ...

    async def queue(self, name: str) -> QueueStand:
        """How a queue stands."""
        ...

    def waits_as(self, outgoing_id: str) -> str:
        """The id of the channel by which a call waits in a queue."""
        ...
