"""Places outgoing calls on Asterisk, and reads how far they are.

The order of a call is a row of AstDB, written before the call is originated, and the only thing that is ever originated
is `Local/<id>@callrouter-outgoing/n`: extensions.conf carries the order out, and writes down how far it is. Its two
halves have channel ids of their own (`ChannelId`, `OtherChannelId`), so that a call can be looked for and ended by its
id: Asterisk refuses an id that is in use, and its dialplan an order that was begun before. Thus nothing is originated
twice, whatever engine asks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from msgspec.structs import replace

from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.causes import dial_outcome
from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.commands import opaque_id
from callrouter.asterisk.notes import EPOCH_DIGITS
from callrouter.asterisk.pbx.astdb import Collects, entries, is_nothing_there
from callrouter.asterisk.session import OnEvent
from callrouter.asterisk.waiting.stands import read_stand
from callrouter.core.effects import Sound
from callrouter.errors import ActionFailed, ChannelGone, EncodingError
from callrouter.outgoing.order import Order, Progress, far_channel
from callrouter.outgoing.ports import QueueStand
from callrouter.pbx_names import trunk_of

FAMILY: Final = "callrouter/outgoing"
CONTEXT: Final = "callrouter-outgoing"
FAR: Final = "callrouter-outgoing-far"
EVENT: Final = "CallrouterOutgoing"
MARGIN_SECONDS: Final = 60.0
"""Asterisk gives up what waits in the queue by itself; Originate's own time-out comes after it."""
CODECS: Final = "alaw,ulaw"
"""What the two halves of the Local channel speak: G.711, as carriers and telephones do, so that nothing is translated.

Without it Originate asks for linear sound, which Asterisk translates for the agent. Debian's then takes whoever is
called back for late packets, and the agent does not hear them, where their RTP stream's sequence numbers begin in the
upper half of the 65,536: what the agent has heard before (whisper, ringing) had the number 0.
(debian/patches/2016_opus_plc.patch, main/translate.c, ast_translate)
"""
_SEPARATOR: Final = "|"


class Link(Collects, Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def batch(self) -> Batch: ...

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


class OutgoingCalls:
    """Outgoing calls of one PBX."""

    def __init__(
        self, link: Link, *, dial_pattern: str, pause: Sound | None = None, shift: timedelta = timedelta()
    ) -> None:
        """`dial_pattern` is how a number is dialled, `pause` a silence before the first sound that an agent hears who
        has just picked up, `shift` what the engine's clock is ahead of the PBX's.
        """
        self._link = link
        self._dial_pattern = dial_pattern
        self._pause = pause
        self._shift = shift

    def tells(self, on_progress: Callable[[], None]) -> None:
        """Subscribe, before the link runs: told that something became of a call; `progress` says of which, and what."""

        def on_user_event(message: AmiMessage) -> None:
            if message["UserEvent"] == EVENT:
                on_progress()

        self._link.tells(events={"UserEvent": on_user_event})

    async def place(self, order: Order) -> None:
        """Ask for a call. That Asterisk has taken the order says nothing of what becomes of it: see `progress`.

        Raises:
            EncodingError: a value cannot stand in an order; nothing has been asked for.
            ActionFailed: Asterisk refuses.
            AmiUnreachable: the link went away: whether it was asked for is seen by looking.
        """
        near, far = channel_ids(order.outgoing_id)
        if order.said and self._pause:
            order = replace(order, said=(self._pause.file, *order.said))
        batch = self._link.batch()
        written = batch.request(
            "DBPut",
            {"Family": f"{FAMILY}/{order.outgoing_id}", "Key": "order", "Val": order_row(order, self._dial_pattern)},
        )
        asked = batch.request(
            "Originate",
            {
                "Channel": f"Local/{order.outgoing_id}@{CONTEXT}/n",
                "Context": FAR,
                "Exten": order.outgoing_id,
                "Priority": "1",
                "Timeout": str(math.ceil((order.wait_seconds + MARGIN_SECONDS) * 1000)),
                "Async": "true",
                "Codecs": CODECS,
                "ChannelId": far,
                "OtherChannelId": near,
            },
        )
        batch.write()
        for answer in await asyncio.gather(written, asked, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer

    async def progress(self) -> Mapping[str, Progress]:
        """How far each call is of which Asterisk holds an order, by id.

        Raises:
            ActionFailed: Asterisk does not say: that is not the same as that there is nothing.
            AmiError: the link went away.
        """
        rows: dict[str, dict[str, list[str]]] = {}
        for name, value in await entries(self._link, FAMILY):
            outgoing_id, _, key = name.partition("/")
            if key:
                rows.setdefault(outgoing_id, {})[key] = value.split(_SEPARATOR)
        return {outgoing_id: self._read(found) for outgoing_id, found in rows.items()}

    async def lives(self, outgoing_id: str) -> bool:
        """Whether Asterisk still has a channel of this call.

        Raises:
            AmiError: the link went away.
        """
        answers = await asyncio.gather(
            *(
                self._link.send("Getvar", {"Channel": one, "Variable": "CR_OUTGOING"})
                for one in channel_ids(outgoing_id)
            ),
            return_exceptions=True,
        )
        for answer in answers:
            if not isinstance(answer, BaseException):
                return True
            if not isinstance(answer, ActionFailed):
                raise answer
        return False

    async def hang_up(self, outgoing_id: str) -> None:
        """End a call, wherever it is.

        Raises:
            AmiError: the link went away.
        """
        for channel in channel_ids(outgoing_id):
            try:
                await self._link.send("Hangup", {"Channel": channel, "Cause": "16"})
            except ChannelGone:
                continue
            return

    async def forget(self, outgoing_ids: Iterable[str]) -> None:
        """What became of these calls is recorded: Asterisk need not keep it.

        Raises:
            ActionFailed: Asterisk does not delete it.
            AmiError: the link went away.
        """
        for outgoing_id in outgoing_ids:
            try:
                await self._link.send("DBDelTree", {"Family": f"{FAMILY}/{opaque_id(outgoing_id)}"})
            except ActionFailed as error:
                if not is_nothing_there(error):
                    raise

    async def queue(self, name: str) -> QueueStand:
        """How a queue stands; one that is not there has no agents.

        Raises:
            AmiError: the link went away.
        """
        return read_stand(await self._link.collect("QueueStatus", {"Queue": name}))

    def waits_as(self, outgoing_id: str) -> str:
        """The channel id of the half that waits in the queue."""
        return channel_ids(outgoing_id)[0]

    def _read(self, found: Mapping[str, Sequence[str]]) -> Progress:
        near, far = found.get("near", ()), found.get("far", ())
        over = _field(far, 0) == "over"
        return Progress(
            waits_since=self._instant(_field(near, 1)) if _field(near, 0) == "waiting" else None,
            left_at=self._instant(_field(near, 1)) if _field(near, 0) == "left" else None,
            agent=None if _field(far, 6) else _field(near, 3) or None,
            rung_at=self._instant(_field(far, 1)),
            answered_at=self._instant(_field(far, 2)),
            over_at=self._instant(_field(far, 3)) if over else None,
            dialled=dial_outcome(_field(far, 4)) if over else None,
            hangup_cause=_cause(_field(far, 5)),
            trunk=trunk_of(_field(far, 7 if over else 3)),
            sip=_cause(_field(far, 8)) or 0,
        )

    def _instant(self, epoch: str) -> datetime | None:
        seconds = whole_number(epoch, EPOCH_DIGITS)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + self._shift


def channel_ids(outgoing_id: str) -> tuple[str, str]:
    """The channel ids of a call: of the half that waits, and of the half that rings."""
    return f"{outgoing_id}.near", far_channel(outgoing_id)


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
        _whole(order.wait_seconds),
        _whole(order.ring_seconds),
        _digits(order.shown),
        _digits(order.number),
        opaque_id(order.client),
        "&".join(order.said),
        _did(order.did),
    )
    if wrong := next((value for value in values if set(value) & _UNSAFE), None):
        raise EncodingError(f"{wrong[:80]!r} cannot stand in the order of an outgoing call")
    # Last, because the operator's pattern may hold anything that a dial string may.
    return _SEPARATOR.join((*values, dial_pattern.format(number=_digits(order.number))))


_UNSAFE: Final = frozenset("|,\"'\\;${}()[]<> \t\r\n\0")


def _did(did: str) -> str:
    """A number that was dialled, as extensions.conf lets it through. Raises EncodingError."""
    opaque_id(did.translate(_KEYS) or "0")
    return did


_KEYS: Final = str.maketrans("", "", "+*#")


def _digits(number: str) -> str:
    """A number that can be nothing but a number. Raises EncodingError."""
    digits = number.removeprefix("+")
    if number and not (digits.isascii() and digits.isdecimal()):
        raise EncodingError(f"{number[:40]!r} is no number")
    return number


def _whole(seconds: float) -> str:
    """Whole seconds, at least one: to the applications 0 means no bound at all."""
    return str(max(1, math.ceil(seconds)))


def _field(row: Sequence[str], index: int) -> str:
    return row[index] if index < len(row) else ""


def _cause(text: str) -> int | None:
    return whole_number(text, 3)
