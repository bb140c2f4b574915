"""One who reads the stream: what they may see, how far they are, and the way to them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from callrouter.stream.events import Event
from callrouter.stream.frames import frame
from callrouter.stream.outlet import MOST_WAITING, Outlet
from callrouter.stream.ring import EventId, Ring
from callrouter.stream.views import View

MOST_REPLAYED = MOST_WAITING
"""Events that are gone through again for a reader; for who has missed more a snapshot is shorter."""


class Said(Struct, frozen=True, kw_only=True):
    """What the engine said, as it is passed on."""

    event_id: EventId
    event: Event
    sent: bytes
    """The engine's own frame, the same bytes for everybody who may see all of it."""
    _cut: dict[View, bytes] = field(default_factory=dict)

    def shown(self, view: View) -> bytes | None:
        """The frame for a view, made once, however many see by it; None: the event is not for it."""
        if self._cut and (made := self._cut.get(view)) is not None:
            return made
        part = view.of(self.event)
        if part is None:
            return None
        return self.sent if part is self.event else self._cut.setdefault(view, frame(part, self.event_id))


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

    def give(self, said: Said) -> None:
        """What happens, as far as they may see it."""
        shown = said.shown(self.view)
        if shown is not None:
            self.outlet.put(shown)

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
        frames = [one for said in missed or () if (one := said.shown(self.view))] if goes_on else []
        if not goes_on or self._told_away:
            frames.append(snapshot(self.view))
        if frames:
            self.outlet.put(b"".join(frames))
        self._up_to_date, self._told_away = True, False
