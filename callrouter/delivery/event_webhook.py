"""What happens to calls, for one web service of the operator's: the stream's own events, each as a delivery.

A web service that does not answer for a while misses nothing, where a reader of the stream would have to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from callrouter.delivery.ports import Delivery
from callrouter.stream.events import CallEvent, encode, kind_of

CONTACT: Final = "CALLROUTER_EVENTS_URL"
"""Whom a delivery of these names as its receiver: it is none of a client's document."""


class EventWebhook:
    """Makes deliveries of events.

    Args:
        address: the web service's.
        kinds: those events that it wants, by name.
        epoch: of this engine's life; ids of deliveries begin with it, and no two are the same.
        take: who delivers.
    """

    def __init__(self, address: str, kinds: Collection[str], *, epoch: int, take: Callable[[Delivery], None]) -> None:
        self._address = address
        self._kinds = frozenset(kinds)
        self._epoch = epoch
        self._take = take
        self._number = 0

    def tell(self, event: CallEvent) -> None:
        """Deliver an event, if it is one of those wanted."""
        if kind_of(event) not in self._kinds:
            return
        self._number += 1
        self._take(
            Delivery(
                delivery_id=f"event-{self._epoch}-{self._number}",
                call_id=event.call.call_id,
                client=event.call.client,
                contact=CONTACT,
                address=self._address,
                body=encode(event).decode(),
                asked_at=event.at,
            )
        )
