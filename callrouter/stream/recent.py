"""The last events for readers of both sources, in the one order in which they were told: the engine's, and those of
what came into the record, which are numbered by their place there.

An event's id says how far readers are with each source once they have it. So who comes back goes on with both, at
whichever web process, and after a start of the engine with the record at least.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from callrouter.stream.events import Event, RecordEvent
from callrouter.stream.frames import frame, with_id
from callrouter.stream.ring import MOST_EVENTS, EventId
from callrouter.stream.views import View

NO_ENGINE: Final = EventId(0, 0)
"""Before one was heard: nobody goes on from there."""


class Said(Struct, frozen=True, kw_only=True):
    """What was said, as it is passed on."""

    event_id: EventId
    event: Event
    sent: bytes
    """The same bytes for everybody who may see all of it."""
    _cut: dict[View, bytes] = field(default_factory=dict)

    @property
    def is_of_record(self) -> bool:
        """Whether it came into the record, and is not the engine's."""
        return isinstance(self.event, RecordEvent)

    def shown(self, view: View) -> bytes | None:
        """The frame for a view, made once, however many see by it; None: the event is not for it."""
        if self._cut and (made := self._cut.get(view)) is not None:
            return made
        part = view.of(self.event)
        if part is None:
            return None
        return self.sent if part is self.event else self._cut.setdefault(view, frame(part, self.event_id))


class Recent:
    """See the module."""

    def __init__(self, most: int = MOST_EVENTS) -> None:
        self.engine: EventId | None = None
        """Its last event; None: none was heard yet."""
        self.record: int | None = None
        """The last place that was told; None: nothing is told of the record now."""
        self._most = most
        self._engine_floor = 0
        """After which number all of the engine's are here."""
        self._record_floor = 0
        """The same of places in the record."""
        self._kept: deque[Said] = deque()

    @property
    def last(self) -> EventId | None:
        """How far a reader is who knows all of it; None: nothing was told yet."""
        if self.engine is None and self.record is None:
            return None
        engine = self.engine or NO_ENGINE
        return EventId(engine.epoch, engine.number, self.record)

    # ------------------------------------------------------------------------------------------------- of the engine

    def begin_engine(self, last: EventId) -> None:
        """The engine's next event is the one after this; what it said before is not gone on from."""
        self.engine, self._engine_floor = last, last.number
        self._keep_only(of_record=True)

    def of_engine(self, event: Event, raw: bytes) -> Said:
        """The engine's next event, and its frame."""
        assert self.engine is not None, "an engine that says something has begun"
        self.engine = EventId(self.engine.epoch, self.engine.number + 1)
        event_id = EventId(self.engine.epoch, self.engine.number, self.record)
        sent = raw if self.record is None else with_id(raw, event_id)
        return self._append(Said(event_id=event_id, event=event, sent=sent))

    # ------------------------------------------------------------------------------------------------- of the record

    def begin_record(self, place: int) -> None:
        """Of the record the event after this place is the next one."""
        self.record = self._record_floor = place
        self._keep_only(of_record=False)

    def of_record(self, place: int, event: RecordEvent) -> Said:
        """The record's event at that place, the next one that is told."""
        self.record = place
        engine = self.engine or NO_ENGINE
        event_id = EventId(engine.epoch, engine.number, place)
        return self._append(Said(event_id=event_id, event=event, sent=frame(event, event_id)))

    def pass_record(self, place: int) -> None:
        """Up to that place the record holds nothing more that can be told."""
        self.record = place

    def end_record(self) -> None:
        """Nothing is told of the record for now."""
        self.record = None
        self._keep_only(of_record=False)

    # ----------------------------------------------------------------------------------------------- who comes back

    def since(self, seen: EventId) -> list[Said] | None:
        """All that was said after the event of that id, as far as it says; None when some of it is not here, or the id
        is of elsewhere."""
        if self.engine is None or seen.epoch != self.engine.epoch:
            return None
        if not self._engine_floor <= seen.number <= self.engine.number:
            return None
        if not self.goes_on_in_record(seen.record):
            return None
        return self._after(lambda one: self._is_new(one, seen))

    def goes_on_in_record(self, place: int | None) -> bool:
        """Whether all is here that came into the record after that place, or nothing is told of the record."""
        return place is None or self.record is None or self._record_floor <= place <= self.record

    def of_record_since(self, place: int) -> list[Said]:
        """What is here of that which came into the record after that place."""
        return self._after(lambda one: one.is_of_record and (one.event_id.record or 0) > place)

    def _is_new(self, one: Said, seen: EventId) -> bool:
        if one.is_of_record:
            return seen.record is not None and (one.event_id.record or 0) > seen.record
        return one.event_id.number > seen.number

    def _after(self, is_new: Callable[[Said], bool]) -> list[Said]:
        return [one for one in self._kept if is_new(one)]

    def _append(self, said: Said) -> Said:
        self._kept.append(said)
        if len(self._kept) > self._most:
            gone = self._kept.popleft()
            if gone.is_of_record:
                self._record_floor = gone.event_id.record or 0
            else:
                self._engine_floor = gone.event_id.number
        return said

    def _keep_only(self, *, of_record: bool) -> None:
        self._kept = deque(one for one in self._kept if one.is_of_record is of_record)
