"""Says in the log who is not told of what calls ask for: two lines a receiver, and one for what it will never be told.

Of messages their trail says it.
"""

from __future__ import annotations

import structlog

from callrouter.logs import Outage
from callrouter.store.dispatch.outbox import Queued, Sent
from callrouter.store.tables import DeliveryState

log = structlog.get_logger(__name__)


class Undelivered:
    """Receivers that cannot be reached now."""

    def __init__(self) -> None:
        self._outages: dict[tuple[str, str], Outage] = {}
        """By client and contact: they come from the clients' documents, tens or hundreds."""

    def note(self, one: Queued, sent: Sent, attempts: int) -> None:
        """After so many attempts, the last of which ended so."""
        if one.message_id:
            return
        key, whose = (one.client, one.contact), {"client": one.client, "contact": one.contact}
        match sent.state:
            case DeliveryState.QUEUED:
                if key not in self._outages:
                    self._outages[key] = Outage(
                        log, "notifications are not delivered", "notifications are delivered again", level="warning"
                    )
                self._outages[key].failed(sent.answer, notification=one.delivery_id, **whose)
            case DeliveryState.FAILED:
                log.warning(
                    "a notification was not delivered: it is given up",
                    notification=one.delivery_id,
                    **whose,
                    attempts=attempts,
                    reason=sent.answer,
                )
            case _:
                if (outage := self._outages.pop(key, None)) is not None:
                    outage.ended(**whose)
