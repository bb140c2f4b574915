"""Places calls that tell somebody of a message, and reads how far they are.

As with every call of ours (`outgoing`), the order is a row of AstDB, written before the call is originated, and it is
carried out once. extensions.conf (`callrouter-telling`) plays the sounds, and writes down what was pressed, whether an
engine is there or not. Their rows have a family of their own, so that who calls back does not take them for theirs.

Before the engine writes down that a call is under way it leaves a mark in Asterisk's memory. While the mark is there
Asterisk was not restarted, and none of its rows of AstDB is lost (it commits them every second): an order that is not
there, in a session after the one in which it would have been written, was never written, and nobody was rung by it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from callrouter.asterisk.commands import opaque_id
from callrouter.asterisk.pbx.astdb import entries
from callrouter.asterisk.pbx.placed_calls import Link, PlacedCalls, Rows, digits, field, row_of, whole
from callrouter.outgoing.order import Key, MessageOrder, Progress, Purpose

FAMILY: Final = "callrouter/telling"
CONTEXT: Final = "callrouter-telling"
LONGEST_SECONDS: Final = 3600.0
"""Originate waits for an answer that never comes, as long as anything is said: more than a message takes, and its
repetitions."""


class MessageCalls(PlacedCalls):
    """Those of one PBX."""

    def __init__(self, link: Link, *, dial_pattern: str, shift: timedelta = timedelta()) -> None:
        """`dial_pattern` is how a number is dialled, `shift` what the engine's clock is ahead of the PBX's."""
        super().__init__(link, FAMILY, shift=shift)
        self._dial_pattern = dial_pattern

    async def can_place(self) -> bool:
        """Whether Asterisk knows such calls: its files may be of an earlier release.

        Raises:
            ActionFailed: Asterisk does not say.
            AmiError: the link went away.
        """
        answer = await self._link.send("Getvar", {"Variable": f"DIALPLAN_EXISTS({CONTEXT},0,1)"})
        return answer["Value"] == "1"

    async def announce(self, outgoing_id: str) -> None:
        """An order of this id may follow.

        Raises:
            ActionFailed: Asterisk does not take the mark.
            AmiError: the link went away.
        """
        await self._link.send("Setvar", {"Variable": _mark(outgoing_id), "Value": "1"})

    async def was_never_placed(self, outgoing_id: str) -> bool:
        """Whether it is known that nobody was rung by a call that another session was to place, or one before this.

        Raises:
            ActionFailed: Asterisk does not say.
            AmiError: the link went away.
        """
        answer = await self._link.send("Getvar", {"Variable": _mark(outgoing_id)})
        if answer["Value"] != "1" or await self.lives(outgoing_id):
            return False
        found = {name.partition("/")[0] for name, _ in await entries(self._link, FAMILY)}
        return outgoing_id not in found

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        """What became of these calls is recorded: Asterisk need not keep it.

        Raises:
            ActionFailed: Asterisk does not delete it.
            AmiError: the link went away.
        """
        for outgoing_id in outgoing_ids:
            await super().forget([outgoing_id])
            await self._link.send("Setvar", {"Variable": _mark(outgoing_id), "Value": ""})

    async def place(self, order: MessageOrder) -> None:
        """Ask for a call. That Asterisk has taken the order says nothing of what becomes of it: see `progress`.

        Raises:
            EncodingError: a value cannot stand in an order; nothing has been asked for.
            ActionFailed: Asterisk refuses.
            AmiUnreachable: the link went away: whether it was asked for is seen by looking.
        """
        originate = {
            "Channel": f"Local/{order.outgoing_id}@{CONTEXT}/n",
            "Application": "Hangup",  # of the half that is never answered
            "Timeout": str(math.ceil((order.ring_seconds + LONGEST_SECONDS) * 1000)),
        }
        await self._write_and_originate(order.outgoing_id, order_row(order, self._dial_pattern), originate)

    async def take_back(self, outgoing_id: str, at: datetime) -> None:
        """It is not needed any more: who listens is told so at the next pause; nobody is rung for it from now on.

        Raises:
            ActionFailed: Asterisk does not write it down.
            AmiError: the link went away.
        """
        family = f"{FAMILY}/{opaque_id(outgoing_id)}"
        await self._link.send("DBPut", {"Family": family, "Key": "over", "Val": str(int(at.timestamp()))})

    def _read(self, found: Rows) -> Progress:
        far, key = self._far(found.get("far", ())), found.get("key", ())
        pressed = field(key, 0)
        return replace(
            far,
            left_at=far.over_at,  # one half is all there is
            heard_at=self._instant(field(found.get("heard", ()), 0)),
            key=Key(pressed) if pressed in frozenset(Key) else None,
            key_at=self._instant(field(key, 1)),
        )


def _mark(outgoing_id: str) -> str:
    """A global variable of Asterisk's, which no dialplan reads."""
    return f"CR_TELLING_{opaque_id(outgoing_id).replace('-', '_')}"


def order_row(order: MessageOrder, dial_pattern: str) -> str:
    """An order as extensions.conf reads it.

    Raises:
        EncodingError: a value holds what separates values, or more than fits.
    """
    values = (
        "v1",
        Purpose.MESSAGE.value,
        whole(order.ring_seconds),
        digits(order.shown),
        digits(order.number),
        opaque_id(order.client),
        order.folder,
        # Not the PIN itself: whoever looks at a list of orders has not read it. Nobody is kept from trying them all.
        hashlib.sha1(f"{order.outgoing_id}{order.pin}".encode(), usedforsecurity=False).hexdigest()
        if order.pin
        else "",
    )
    return row_of(values, dial_pattern.format(number=digits(order.number)))
