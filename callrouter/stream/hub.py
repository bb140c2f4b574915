"""The readers' side: what the engine says is taken once, and given to everybody who may see it.

The engine is heard while somebody reads, and for `LINGER_SECONDS` more. A reader who names the last event they have
seen is given what came after it, if that is still here and not too much; everybody else, and everybody after the engine
was away, a snapshot.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from callrouter.errors import CallrouterError
from callrouter.stream.events import EngineAway, Snapshot, decode
from callrouter.stream.frames import Frame, frame
from callrouter.stream.outlet import TOO_SLOW
from callrouter.stream.picture import Picture
from callrouter.stream.reader import Reader, Said
from callrouter.stream.ring import EventId, Ring
from callrouter.stream.views import View

log = structlog.get_logger(__name__)

MOST_READERS: Final = 1_000
MOST_OF_ONE: Final = 50
"""Streams that one principal may have open at once; the operator's own token, all."""
LINGER_SECONDS: Final = 60.0


class TooManyReaders(CallrouterError):
    """No more streams can be open, in all or for this principal."""


class Hub:
    """Everybody who reads, and what the engine has said."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        most_readers: int = MOST_READERS,
        most_of_one: int = MOST_OF_ONE,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._now = now
        self._most_readers = most_readers
        self._most_of_one = most_of_one
        self._linger_seconds = linger_seconds
        self._readers: set[Reader] = set()
        self._of_one: Counter[str] = Counter()
        self._ring: Ring[Said] | None = None
        self._picture: Picture | None = None
        """None: the engine is not heard now."""
        self._away = ""
        """Why it is not, if that was tried."""
        self._rests: asyncio.TimerHandle | None = None
        self._ended = ""
        self.wanted = asyncio.Event()
        """Set while the engine is to be heard."""

    @property
    def readers(self) -> int:
        """How many read."""
        return len(self._readers)

    @property
    def heard(self) -> bool:
        """Whether the engine is."""
        return self._picture is not None

    @property
    def last(self) -> EventId | None:
        """The last event that is known here."""
        return self._ring.last if self._ring else None

    # ------------------------------------------------------------------------------------------------ towards readers

    def attach(self, principal: str, view: View, seen: EventId | None = None, *, unlimited: bool = False) -> Reader:
        """Somebody reads from now on; give it to `detach` in the end.

        Raises:
            TooManyReaders: the sentence says of whom.
        """
        if len(self._readers) >= self._most_readers:
            raise TooManyReaders(f"{self._most_readers} streams are open: no more can be")
        if not unlimited and self._of_one[principal] >= self._most_of_one:
            raise TooManyReaders(f"{principal} has {self._most_of_one} streams open: close one first")
        reader = Reader(principal, view, seen)
        self._readers.add(reader)
        self._of_one[principal] += 1
        if self._rests is not None:
            self._rests.cancel()
            self._rests = None
        self.wanted.set()
        if self._ring is not None and self._picture is not None:
            reader.bring_up_to_date(self._ring, self._snapshots(self._picture, self._ring.last))
        elif self._away:
            reader.engine_away(self.last, self._away_frame())
        if self._ended:
            reader.outlet.end(self._ended)
        return reader

    def detach(self, reader: Reader) -> None:
        """They read no more."""
        self._readers.discard(reader)
        self._of_one -= Counter({reader.principal: 1})
        if reader.outlet.why == TOO_SLOW:
            log.warning("a reader of the event stream was too slow, and was cut off", principal=reader.principal)
        if not self._readers and self._rests is None:
            self._rests = asyncio.get_running_loop().call_later(self._linger_seconds, self._rest)

    def end(self, why: str) -> None:
        """We stop: so do all streams."""
        self._ended = why
        for reader in self._readers:
            reader.outlet.end(why)

    def _rest(self) -> None:
        self._rests = None
        self.wanted.clear()

    # ------------------------------------------------------------------------------------------------ from the engine

    def take(self, taken: Frame) -> None:
        """What the engine says, in the order in which it does: what was missed, a snapshot, and what happens then.

        Raises:
            ValueError: it is none of ours, or something is missing in between.
        """
        event = decode(taken.data)
        if taken.id is None:
            raise ValueError("an event of the engine has no id")
        if isinstance(event, Snapshot):
            self._begin(taken.id, event)
        elif self._picture is None:
            self._catch_up(Said(event_id=taken.id, event=event, sent=taken.raw))
        else:
            self._publish(self._picture, Said(event_id=taken.id, event=event, sent=taken.raw))

    def lost(self, why: str) -> None:
        """The engine is not heard any more, or cannot be."""
        self._picture = None
        self._away = why
        sent = self._away_frame()
        for reader in self._readers:
            reader.engine_away(self.last, sent)

    def rest(self) -> None:
        """The engine is not heard on purpose: nobody reads, but for who may have come this instant."""
        self._picture = None
        self._away = ""
        for reader in self._readers:
            reader.pause(self.last)

    def _catch_up(self, said: Said) -> None:
        ring, event_id = self._ring, said.event_id
        if ring is None or event_id.epoch != ring.last.epoch or event_id.number > ring.last.number + 1:
            ring = self._ring = Ring(EventId(event_id.epoch, event_id.number - 1))
        if event_id.number > ring.last.number:
            ring.append(said)

    def _begin(self, event_id: EventId, snapshot: Snapshot) -> None:
        if self._ring is None or self._ring.last != event_id:
            self._ring = Ring(event_id)
        self._picture = Picture(snapshot)
        self._away = ""
        snapshots = self._snapshots(self._picture, event_id)
        for reader in self._readers:
            reader.bring_up_to_date(self._ring, snapshots)

    def _publish(self, picture: Picture, said: Said) -> None:
        if self._ring is None or said.event_id != self._ring.next_id:
            raise ValueError(f"event {said.event_id} does not follow {self.last}")
        self._ring.append(said)
        picture.take(said.event)
        for reader in self._readers:
            reader.give(said)

    def _snapshots(self, picture: Picture, last: EventId) -> Callable[[View], bytes]:
        """One for each view, however many see by it."""
        made: dict[View, bytes] = {}

        def of(view: View) -> bytes:
            if view not in made:
                made[view] = frame(picture.snapshot(view, self._now()), last)
            return made[view]

        return of

    def _away_frame(self) -> bytes:
        return frame(EngineAway(at=self._now(), reason=self._away))
