"""Calls of our own at Asterisk: what is alike whatever they are for. How far each is stands in rows of AstDB."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from callrouter.asterisk.batch import Batch, Headers
from callrouter.asterisk.causes import dial_outcome
from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.commands import opaque_id
from callrouter.asterisk.notes import EPOCH_DIGITS
from callrouter.asterisk.pbx.astdb import Collects, entries, is_nothing_there
from callrouter.asterisk.session import OnEvent
from callrouter.errors import ActionFailed, ChannelGone, EncodingError
from callrouter.outgoing.order import Progress, far_channel
from callrouter.pbx_names import trunk_of

EVENT: Final = "CallrouterOutgoing"
CODECS: Final = "alaw,ulaw"
"""What the two halves of the Local channel speak: G.711, as carriers and telephones do, so that nothing is translated.

Without it Originate asks for linear sound, which Asterisk translates for the agent. Debian's then takes whoever is
called back for late packets, and the agent does not hear them, where their RTP stream's sequence numbers begin in the
upper half of the 65,536: what the agent has heard before (whisper, ringing) had the number 0.
(debian/patches/2016_opus_plc.patch, main/translate.c, ast_translate)
"""
SEPARATOR: Final = "|"
NEAR: Final = ".near"
"""What ends the channel id of the half that waits in the queue."""

Rows = Mapping[str, Sequence[str]]
"""What stands of one call in AstDB: by key, the values of the row."""


class Link(Collects, Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def batch(self) -> Batch: ...

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


class PlacedCalls(ABC):
    """Those of one kind at one PBX: `family` is where AstDB has them."""

    def __init__(self, link: Link, family: str, *, shift: timedelta = timedelta()) -> None:
        """`shift` is what the engine's clock is ahead of the PBX's."""
        self._link = link
        self._family = family
        self._shift = shift

    def tells(self, on_progress: Callable[[], None]) -> None:
        """Subscribe, before the link runs: told that something became of a call; `progress` says of which, and what."""

        def on_user_event(message: AmiMessage) -> None:
            if message["UserEvent"] == EVENT:
                on_progress()

        self._link.tells(events={"UserEvent": on_user_event})

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
                await self._link.send("DBDelTree", {"Family": f"{self._family}/{opaque_id(outgoing_id)}"})
            except ActionFailed as error:
                if not is_nothing_there(error):
                    raise

    async def _write_and_originate(self, outgoing_id: str, order: str, originate: Mapping[str, str]) -> None:
        """An order, and the call that it is of, in one write.

        Raises:
            ActionFailed: Asterisk refuses.
            AmiUnreachable: the link went away: whether it was asked for is seen by looking.
        """
        near, far = channel_ids(outgoing_id)
        batch = self._link.batch()
        written = batch.request("DBPut", {"Family": f"{self._family}/{outgoing_id}", "Key": "order", "Val": order})
        ids = {"ChannelId": far, "OtherChannelId": near}
        asked = batch.request("Originate", {**originate, "Async": "true", "Codecs": CODECS, **ids})
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
        for name, value in await entries(self._link, self._family):
            outgoing_id, _, key = name.partition("/")
            if key:
                rows.setdefault(outgoing_id, {})[key] = value.split(SEPARATOR)
        return {outgoing_id: self._read(found) for outgoing_id, found in rows.items()}

    @abstractmethod
    def _read(self, found: Rows) -> Progress:
        """How far a call is, by what stands of it."""

    def _far(self, far: Sequence[str]) -> Progress:
        """How far the half is that rings whom the call is for."""
        over = field(far, 0) == "over"
        return Progress(
            rung_at=self._instant(field(far, 1)),
            answered_at=self._instant(field(far, 2)),
            over_at=self._instant(field(far, 3)) if over else None,
            dialled=dial_outcome(field(far, 4)) if over else None,
            hangup_cause=_cause(field(far, 5)),
            trunk=trunk_of(field(far, 7 if over else 3)),
            sip=_cause(field(far, 8)) or 0,
        )

    def _instant(self, epoch: str) -> datetime | None:
        seconds = whole_number(epoch, EPOCH_DIGITS)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + self._shift


def channel_ids(outgoing_id: str) -> tuple[str, str]:
    """The channel ids of a call: of the half that waits, and of the half that rings."""
    return f"{outgoing_id}{NEAR}", far_channel(outgoing_id)


def row_of(values: Sequence[str], dialled: str) -> str:
    """An order as extensions.conf reads it; what is dialled comes last, because the operator's pattern may hold
    anything that a dial string may.

    Raises:
        EncodingError: a value holds what separates values, or more than fits.
    """
    if wrong := next((value for value in values if set(value) & _UNSAFE), None):
        raise EncodingError(f"{wrong[:80]!r} cannot stand in the order of an outgoing call")
    return SEPARATOR.join((*values, dialled))


_UNSAFE: Final = frozenset("|,\"'\\;${}()[]<> \t\r\n\0")


def field(row: Sequence[str], index: int) -> str:
    """One value of a row; empty where it has fewer."""
    return row[index] if index < len(row) else ""


def digits(number: str) -> str:
    """A number that can be nothing but a number. Raises EncodingError."""
    without = number.removeprefix("+")
    if number and not (without.isascii() and without.isdecimal()):
        raise EncodingError(f"{number[:40]!r} is no number")
    return number


def whole(seconds: float) -> str:
    """Whole seconds, at least one: to the applications 0 means no bound at all."""
    return str(max(1, math.ceil(seconds)))


def _cause(text: str) -> int | None:
    return whole_number(text, 3)
