"""The readers' side: what the engine says is taken once, and given to everybody who may see it.

The engine is heard while somebody reads, and for `LINGER_SECONDS` more. A reader who names the last event they have
seen is given what came after it, if that is still here and not too much; everybody else, and everybody after the engine
was away, a snapshot.

What comes into the record and no engine knows is told in between (`recent`), by whoever reads it there
(`api.stream.record`): also while the engine is away, and of what was committed meanwhile once PostgreSQL is back.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import structlog

from callrouter.errors import CallrouterError
from callrouter.stream.events import EngineAway, Event, RecordEvent, Snapshot, decode
from callrouter.stream.frames import Frame, frame
from callrouter.stream.outlet import TOO_SLOW
from callrouter.stream.picture import Picture
from callrouter.stream.reader import Reader
from callrouter.stream.recent import Recent
from callrouter.stream.ring import EventId
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
        self._recent = Recent()
        self._began = 0
        """The place in the record from which on it was told here."""
        self._picture: Picture | None = None
        """None: the engine is not heard now."""
        self._away = ""
        """Why it is not, if that was tried."""
        self._rests: asyncio.TimerHandle | None = None
        self._ended = ""
        self.wanted = asyncio.Event()
        """Set while the engine is to be heard, and the record to be looked at."""

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
        """The last event of the engine's that is known here."""
        return self._recent.engine

    @property
    def record(self) -> int | None:
        """The last place in the record that was told here; None: it is not known yet from where on it is told."""
        return self._recent.record

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
        if self._picture is not None:
            if self._recent.record is not None and seen is not None:
                reader.begin_record(self._began)
            reader.bring_up_to_date(self._recent, self._snapshots(self._picture))
        else:
            self._tell_record(reader, self._began if seen is not None else self._recent.record or 0)
            if self._away:
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
            self._catch_up(taken.id, event, taken.raw)
        else:
            self._publish(self._picture, taken.id, event, taken.raw)

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

    def _catch_up(self, event_id: EventId, event: Event, raw: bytes) -> None:
        last = self._recent.engine
        if last is None or event_id.epoch != last.epoch or event_id.number > last.number + 1:
            last = EventId(event_id.epoch, event_id.number - 1)
            self._recent.begin_engine(last)
        if event_id.number > last.number:
            self._recent.of_engine(event, raw)

    def _begin(self, event_id: EventId, snapshot: Snapshot) -> None:
        if self._recent.engine != event_id:
            self._recent.begin_engine(event_id)
        self._picture = Picture(snapshot)
        self._away = ""
        snapshots = self._snapshots(self._picture)
        for reader in self._readers:
            reader.bring_up_to_date(self._recent, snapshots)

    def _publish(self, picture: Picture, event_id: EventId, event: Event, raw: bytes) -> None:
        last = self._recent.engine
        if last is None or event_id != EventId(last.epoch, last.number + 1):
            raise ValueError(f"event {event_id} does not follow {last}")
        said = self._recent.of_engine(event, raw)
        picture.take(said.event)
        for reader in self._readers:
            reader.give(said)

    # ------------------------------------------------------------------------------------------------ from the record

    def begin_record(
        self, began: int, kept: Sequence[tuple[int, RecordEvent]], last: int, first: int | None = None
    ) -> None:
        """From now on what comes into the record is told, from the place after `last` on; readers are told what they
        missed, as far as it is `kept`, each with its place: those who were here before, all they do not know, and
        everybody else what came after the place `began`. After the place `first` all is kept.

        It is said again where some places are lost: then readers get a snapshot besides.
        """
        goes_on = self._recent.record is None
        self._recent.begin_record(last if first is None else first)
        self._began = began
        for place, event in kept:
            self._recent.of_record(place, event)
        self._recent.pass_record(last)
        for reader in self._readers:
            self._tell_record(reader, began)
        if not goes_on and self._picture is not None:
            snapshots = self._snapshots(self._picture)
            for reader in self._readers:
                reader.snapshot(snapshots(reader.view))

    def take_record(self, place: int, event: RecordEvent | None) -> None:
        """What came into the record at that place, the one after the last; None: nothing that can be told."""
        if event is None:
            self._recent.pass_record(place)
            return
        said = self._recent.of_record(place, event)
        for reader in self._readers:
            reader.give_of_record(said)

    def rest_record(self) -> None:
        """Nobody reads: the record is not looked at."""
        self._recent.end_record()

    def _tell_record(self, reader: Reader, from_place: int) -> None:
        """What a reader does not know of the record, who is not brought up to date now; if nothing is known of that,
        what came after this place."""
        if self._recent.record is None:
            return
        for said in self._recent.of_record_since(reader.begin_record(from_place)):
            reader.give_of_record(said)
        reader.pass_record(self._recent.record)

    def _snapshots(self, picture: Picture) -> Callable[[View], bytes]:
        """One for each view, however many see by it."""
        last = self._recent.last
        made: dict[View, bytes] = {}

        def of(view: View) -> bytes:
            if view not in made:
                made[view] = frame(picture.snapshot(view, self._now()), last)
            return made[view]

        return of

    def _away_frame(self) -> bytes:
        return frame(EngineAway(at=self._now(), reason=self._away))
