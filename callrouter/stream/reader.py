"""One who reads the stream: what they may see, how far they are, and the way to them."""

from __future__ import annotations

from collections.abc import Callable

from callrouter.stream.events import Event
from callrouter.stream.outlet import MOST_WAITING, Outlet
from callrouter.stream.ring import EventId, Ring
from callrouter.stream.views import View

MOST_REPLAYED = MOST_WAITING
"""Events that are gone through again for a reader; for who has missed more a snapshot is shorter."""

Said = tuple[Event, bytes]
"""An event, and its frame."""


class Reader:
    """See the module."""

    def __init__(self, principal: str, view: View, seen: EventId | None) -> None:
        """`seen` is the last event they know of."""
        self.principal = principal
        self.view = view
        self.outlet = Outlet()
        self._seen = seen
        self._up_to_date = False
        """Whether they are given what happens."""
        self._told_away = False
        """Whether they know that the engine cannot be heard."""

    def give(self, event: Event, sent: bytes) -> None:
        """What happens, if they may see it."""
        if self.view.shows(event):
            self.outlet.put(sent)

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

    def bring_up_to_date(self, ring: Ring[Said], snapshot: Callable[[View], bytes]) -> None:
        """What they missed, if it is there; otherwise, and if the engine had been away, a snapshot."""
        missed = ring.since(self._seen) if self._seen else None
        goes_on = missed is not None and len(missed) <= MOST_REPLAYED
        frames = [sent for event, sent in missed or () if self.view.shows(event)] if goes_on else []
        if not goes_on or self._told_away:
            frames.append(snapshot(self.view))
        if frames:
            self.outlet.put(b"".join(frames))
        self._up_to_date, self._told_away = True, False
