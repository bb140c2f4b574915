"""The engine's side: what happens becomes numbered events while somebody listens, and costs next to nothing otherwise.

Whoever listens (web, seldom more than one) is given what the ring still holds after the event they name, a snapshot,
and what happens from then on. After the last of them has gone events are made for `LINGER_SECONDS` more, so that a web
process that is started again finds what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from callrouter.core import facts
from callrouter.core.facts import Fact
from callrouter.errors import CallrouterError
from callrouter.runtime.calls import LiveCalls
from callrouter.stream import events
from callrouter.stream.events import AgentCard, CallCard, CallEvent, Event, Snapshot
from callrouter.stream.frames import frame
from callrouter.stream.making import EventMaker
from callrouter.stream.outlet import Outlet
from callrouter.stream.ring import MOST_EVENTS, EventId, Ring

MOST_LISTENERS: Final = 4
LINGER_SECONDS: Final = 60.0
SLICE: Final = 10
"""Cards made for a snapshot without a pause: some 0.1 ms, after which the loop may serve its callers."""


class TooManyListeners(CallrouterError):
    """The engine speaks to few; who speaks to many is web."""


class Feed:
    """An observer of facts, which is told of agents and the link as well."""

    interests: Final[frozenset[type[Fact]]] = frozenset(
        {
            facts.CallStarted,
            facts.QueueEntered,
            facts.QueueEnded,
            facts.OfferMade,
            facts.OfferEnded,
            facts.Bridged,
            facts.SupervisionNoted,
            facts.RecordingNoted,
            facts.CallTransferred,
            facts.HoldNoted,
            facts.ConsultationChanged,
            facts.MessageLeft,
            facts.CallbackAsked,
            facts.CallEnded,
        }
    )

    def __init__(
        self,
        epoch: int,
        maker: EventMaker,
        *,
        calls: LiveCalls,
        now: Callable[[], datetime],
        most_events: int = MOST_EVENTS,
        linger_seconds: float = LINGER_SECONDS,
        also_tell: Callable[[CallEvent], None] | None = None,
    ) -> None:
        """`epoch` is of this engine's life; `calls` are looked at for each snapshot. `also_tell` is told what happens
        to calls whether somebody listens or not."""
        self._ring: Ring[bytes] = Ring(EventId(epoch, 0), most_events)
        self._maker = maker
        self._calls = calls
        self._now = now
        self._linger_seconds = linger_seconds
        self._also_tell = also_tell
        self._outlets: set[Outlet] = set()
        self._agents: dict[str, AgentCard] = {}
        self._observing = False
        self._ended = ""
        self._rests: asyncio.TimerHandle | None = None
        self._on_listening: Callable[[bool], None] = lambda _: None
        self.listening = False
        """Whether events are made."""

    def tells(self, on_listening: Callable[[bool], None]) -> None:
        """Subscribe: whenever somebody begins to listen, and when events are made no more; one may be told."""
        self._on_listening = on_listening

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._outlets)

    # ------------------------------------------------------------------------------------------------- what happens

    def observe(self, told: Sequence[Fact]) -> None:
        """Facts of one turn."""
        if not self.listening and self._also_tell is None:
            return
        for fact in told:
            match fact:
                case (
                    facts.CallStarted()
                    | facts.QueueEntered()
                    | facts.QueueEnded()
                    | facts.OfferMade()
                    | facts.OfferEnded()
                    | facts.Bridged()
                    | facts.CallTransferred()
                    | facts.HoldNoted()
                    | facts.ConsultationChanged()
                    | facts.SupervisionNoted()
                    | facts.RecordingNoted()
                    | facts.MessageLeft()
                    | facts.CallbackAsked()
                    | facts.CallEnded()
                ):
                    for event in self._maker.of_fact(fact):
                        self._tell(event)
                        if self._also_tell is not None:
                            self._also_tell(event)
                case _:
                    pass

    def agent_changed(self, card: AgentCard) -> None:
        """How an agent stands; one who is a member of no queue any more is forgotten."""
        before = self._agents.pop(card.agent, None)
        if card.queues:
            self._agents[card.agent] = card
        left = [queue for queue in before.queues if queue not in card.queues] if before else []
        self._tell(events.AgentChanged(at=card.since, agent=card, left=left))

    def observes(self, observing: bool, reason: str = "") -> None:
        """Whether Asterisk is heard; said again, nothing changes."""
        if observing is not self._observing:
            self._observing = observing
            at = self._now()
            self._tell(events.ObservationResumed(at=at) if observing else events.ObservationLost(at=at, reason=reason))

    def _tell(self, event: Event) -> None:
        if not self.listening:
            return
        sent = frame(event, self._ring.next_id)
        self._ring.append(sent)
        for outlet in self._outlets:
            outlet.put(sent)

    # ------------------------------------------------------------------------------------------------- who listens

    async def listen(self, after: EventId | None = None) -> Outlet:
        """Begin: what the ring holds after that event (all of it, if it cannot go on from there), a snapshot, and
        from then on whatever happens. Give it to `leave` in the end.

        Raises:
            TooManyListeners: there are as many as there may be.
        """
        if len(self._outlets) >= MOST_LISTENERS:
            raise TooManyListeners(f"{MOST_LISTENERS} programs listen to the engine already: ask web, for any number")
        self._wake()
        outlet, at = Outlet(most=MOST_EVENTS), self._ring.last
        missed = self._ring.since(after) if after else None
        before = self._ring.all() if missed is None else missed
        self._outlets.add(outlet)
        try:
            # What happens while it is made waits behind it: cards are whole, so it may say again what this knows.
            snapshot = await self._snapshot()
        except BaseException:
            self.leave(outlet)
            raise
        outlet.start([*before, frame(snapshot, at)])
        if self._ended:
            outlet.end(self._ended)
        return outlet

    def leave(self, outlet: Outlet) -> None:
        """It listens no more."""
        self._outlets.discard(outlet)
        if not self._outlets and self._rests is None:
            self._rests = asyncio.get_running_loop().call_later(self._linger_seconds, self._rest)

    def end(self, why: str) -> None:
        """The engine stops: so does everybody who listens."""
        self._ended = why
        for outlet in self._outlets:
            outlet.end(why)

    async def _snapshot(self) -> Snapshot:
        cards: dict[str, CallCard] = {}
        left = iter(self._calls)
        while some := list(islice(left, SLICE)):
            at = self._now()
            # Of calls that end meanwhile the events after the snapshot say so.
            cards |= {one.call.call_id: self._maker.card(one.call, at) for one in some if not one.call.ended}
            await asyncio.sleep(0)
        return Snapshot(
            at=self._now(), observing=self._observing, calls=[*cards.values()], agents=[*self._agents.values()]
        )

    def _wake(self) -> None:
        if self._rests is not None:
            self._rests.cancel()
            self._rests = None
        if not self.listening:
            self.listening = True
            self._ring.interrupt()
            self._on_listening(True)

    def _rest(self) -> None:
        self._rests = None
        self.listening = False
        self._on_listening(False)
