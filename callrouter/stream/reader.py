"""One who reads the stream: what they may see, how far they are, and the way to them."""

from __future__ import annotations

from collections.abc import Callable

from callrouter.stream.frames import with_id
from callrouter.stream.outlet import MOST_WAITING, Outlet
from callrouter.stream.recent import NO_ENGINE, Recent, Said
from callrouter.stream.ring import EventId
from callrouter.stream.views import View

MOST_REPLAYED = MOST_WAITING
"""Events that are gone through again for a reader; for who has missed more a snapshot is shorter."""


class Reader:
    """See the module."""

    def __init__(self, principal: str, view: View, seen: EventId | None) -> None:
        """`seen` is the last event they know of."""
        self.principal = principal
        self.view = view
        self.outlet = Outlet()
        self._seen = seen.of_engine if seen is not None else None
        self.record = seen.record if seen is not None else None
        """The place in the record up to which they were told; None: from when on they are is not known yet."""
        self._up_to_date = False
        """Whether they are given what happens."""
        self._told_away = False
        """Whether they know that the engine cannot be heard."""

    def give(self, said: Said) -> None:
        """What the engine says, as far as they may see it."""
        shown = said.shown(self.view)
        if shown is None:
            return
        if said.event_id.record is None and self.record is not None:  # it cannot be read now, and they knew of it
            shown = with_id(shown, EventId(said.event_id.epoch, said.event_id.number, self.record))
        self.outlet.put(shown)

    def give_of_record(self, said: Said) -> None:
        """What came into the record, unless they know of it: whether the engine is heard or not."""
        place = said.event_id.record or 0
        if self.record is not None and place <= self.record:
            return
        self.record = place
        if self._up_to_date:
            self.give(said)
        else:  # how far they are with the engine's events is another thing
            self._put([said])

    def begin_record(self, place: int) -> int:
        """They are told what comes into the record after this place, unless another one is known; which that is."""
        if self.record is None:
            self.record = place
        return self.record

    def pass_record(self, place: int) -> None:
        """They know the record up to that place."""
        self.record = place

    def pause(self, last: EventId | None) -> None:
        """The engine is not heard for now; `last` is the last event it told."""
        if self._up_to_date:
            self._up_to_date, self._seen = False, last

    def engine_away(self, last: EventId | None, sent: bytes) -> None:
        """The engine cannot be heard; said again, nothing changes. `last` is the last event it told."""
        self.pause(last)
        if not self._told_away:
            self._told_away = True
            self.outlet.put(sent)

    def bring_up_to_date(self, recent: Recent, snapshot: Callable[[View], bytes]) -> None:
        """What they missed, if it is there; otherwise, and if the engine had been away, a snapshot."""
        seen = EventId(self._seen.epoch, self._seen.number, self.record) if self._seen else None
        missed = recent.since(seen) if seen else None
        goes_on = missed is not None and len(missed) <= MOST_REPLAYED
        if not goes_on:
            missed = recent.of_record_since(self.record) if self.record is not None else []
        self._put(missed or [])
        if not goes_on or self._told_away:
            self.outlet.put(snapshot(self.view))
        if recent.record is not None:
            self.record = recent.record
        self._up_to_date, self._told_away = True, False

    def snapshot(self, sent: bytes) -> None:
        """All there is now, for who cannot go on."""
        if self._up_to_date:
            self.outlet.put(sent)

    def _put(self, missed: list[Said]) -> None:
        """What they missed, with ids that say how far they are themselves."""
        frames = []
        for said in missed:
            if said.is_of_record:
                self.record = max(self.record or 0, said.event_id.record or 0)
            else:
                self._seen = said.event_id.of_engine
            if shown := said.shown(self.view):
                seen = self._seen or NO_ENGINE
                frames.append(with_id(shown, EventId(seen.epoch, seen.number, self.record)))
        if frames:
            self.outlet.put(b"".join(frames))
