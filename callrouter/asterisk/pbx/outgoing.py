"""Places outgoing calls on Asterisk, and reads how far they are.

The order of a call is a row of AstDB, written before the call is originated, and the only thing that is ever originated
is `Local/<id>@callrouter-outgoing/n`: extensions.conf carries the order out, and writes down how far it is. Its two
halves have channel ids of their own (`ChannelId`, `OtherChannelId`), so that a call can be looked for and ended by its
id: Asterisk refuses an id that is in use, and its dialplan an order that was begun before. Thus nothing is originated
twice, whatever engine asks.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from callrouter.asterisk.commands import opaque_id
from callrouter.asterisk.pbx.placed_calls import Link, PlacedCalls, Rows, channel_ids, digits, field, row_of, whole
from callrouter.asterisk.waiting.stands import read_stand
from callrouter.core.effects import Sound
from callrouter.outgoing.order import Order, Progress
from callrouter.outgoing.ports import QueueStand

FAMILY: Final = "callrouter/outgoing"
CONTEXT: Final = "callrouter-outgoing"
FAR: Final = "callrouter-outgoing-far"
MARGIN_SECONDS: Final = 60.0
"""Asterisk gives up what waits in the queue by itself; Originate's own time-out comes after it."""


class OutgoingCalls(PlacedCalls):
    """Outgoing calls of one PBX, for which an agent is waited."""

    def __init__(
        self, link: Link, *, dial_pattern: str, pause: Sound | None = None, shift: timedelta = timedelta()
    ) -> None:
        """`dial_pattern` is how a number is dialled, `pause` a silence before the first sound that an agent hears who
        has just picked up, `shift` what the engine's clock is ahead of the PBX's.
        """
        super().__init__(link, FAMILY, shift=shift)
        self._dial_pattern = dial_pattern
        self._pause = pause

    async def place(self, order: Order) -> None:
        """Ask for a call. That Asterisk has taken the order says nothing of what becomes of it: see `progress`.

        Raises:
            EncodingError: a value cannot stand in an order; nothing has been asked for.
            ActionFailed: Asterisk refuses.
            AmiUnreachable: the link went away: whether it was asked for is seen by looking.
        """
        if order.said and self._pause:
            order = replace(order, said=(self._pause.file, *order.said))
        originate = {
            "Channel": f"Local/{order.outgoing_id}@{CONTEXT}/n",
            "Context": FAR,
            "Exten": order.outgoing_id,
            "Priority": "1",
            "Timeout": str(math.ceil((order.wait_seconds + MARGIN_SECONDS) * 1000)),
        }
        await self._write_and_originate(order.outgoing_id, order_row(order, self._dial_pattern), originate)

    async def queue(self, name: str) -> QueueStand:
        """How a queue stands; one that is not there has no agents.

        Raises:
            AmiError: the link went away.
        """
        return read_stand(await self._link.collect("QueueStatus", {"Queue": name}))

    def waits_as(self, outgoing_id: str) -> str:
        """The channel id of the half that waits in the queue."""
        return channel_ids(outgoing_id)[0]

    def _read(self, found: Rows) -> Progress:
        near, far = found.get("near", ()), found.get("far", ())
        return replace(
            self._far(far),
            waits_since=self._instant(field(near, 1)) if field(near, 0) == "waiting" else None,
            left_at=self._instant(field(near, 1)) if field(near, 0) == "left" else None,
            agent=None if field(far, 6) else field(near, 3) or None,
        )


def order_row(order: Order, dial_pattern: str) -> str:
    """An order as extensions.conf reads it.

    Raises:
        EncodingError: a value holds what separates values, or more than fits.
    """
    values = (
        "v1",
        order.purpose.value,
        opaque_id(order.queue),
        str(order.priority),
        str(order.position),
        whole(order.wait_seconds),
        whole(order.ring_seconds),
        digits(order.shown),
        digits(order.number),
        opaque_id(order.client),
        "&".join(order.said),
        _did(order.did),
    )
    return row_of(values, dial_pattern.format(number=digits(order.number)))


def _did(did: str) -> str:
    """A number that was dialled, as extensions.conf lets it through. Raises EncodingError."""
    opaque_id(did.translate(_KEYS) or "0")
    return did


_KEYS: Final = str.maketrans("", "", "+*#")
