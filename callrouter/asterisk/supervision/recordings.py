"""The recordings of conversations that go on: paused, resumed and stopped on the PBX, by whoever may.

Asterisk records by itself (extensions.conf, callrouter-conversation). A pause is AMI's MixMonitorMute: silence is
written meanwhile, so that the file is as long as the conversation. An objection of a caller who waits is heard as a key
by the engine alone, which stops the recording then; of one who talks, Asterisk has stopped it before it says so. Either
stands on the caller's channel (`CR_OBJECTED`), where nothing is recorded any more from then on. The
file of either is removed at once; where no engine is there to do it, by whoever looks after recordings
(`store.access.keeping`). MixMonitor makes a file without sound of a caller whom nobody answers: it is removed, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line.recordings import WAV_HEADER_BYTES
from callrouter.asterisk.session import OnEvent
from callrouter.core.books.recordings import MAX_PAUSES, name_of
from callrouter.core.call import Call, LegPurpose, Recording
from callrouter.core.facts import Fact, RecordingNoted
from callrouter.core.inputs import RecordingSign, RecordingTold
from callrouter.errors import AmiError, ConversationRefused
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

EVENT: Final = "CallrouterRecording"
WRITTEN_SECONDS: Final = 3.0
"""Asterisk writes down what it has recorded of a channel within two (file.c, ast_writefile)."""
_SIGNS: Final = {"pause": RecordingSign.PAUSED, "resume": RecordingSign.RESUMED}
_STATES: Final = {RecordingSign.PAUSED: "1", RecordingSign.RESUMED: "0"}


class Link(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


class Conversations:
    """The conversations of one PBX that are recorded; an observer of what becomes of them."""

    interests: Final[frozenset[type[Fact]]] = frozenset({RecordingNoted})

    def __init__(
        self,
        link: Link,
        calls: LiveCalls,
        *,
        channel_of: Callable[[str], str],
        tell: Callable[[str, RecordingTold], None],
        now: Callable[[], datetime],
        folder: Path,
        tasks: Tasks,
    ) -> None:
        """`channel_of` names a caller's channel, `tell` is `Inbox.tell`; `folder` is that of the recordings."""
        self._link = link
        self._calls = calls
        self._channel_of = channel_of
        self._tell = tell
        self._now = now
        self._folder = folder
        self._tasks = tasks
        link.tells(events={"UserEvent": self._on_user_event})

    def observe(self, told: Sequence[Fact]) -> None:
        """Stop what the caller objects to, and remove what nobody may hear, or what holds nothing."""
        for fact in told:
            if not isinstance(fact, RecordingNoted):
                continue
            call_id, one = fact.call.call_id, fact.recording
            if one.objected_at is not None:
                self._tasks.start(self._stop(call_id, one, one.objected_at), "stop a recording")
            elif one.began_at is None and one.ended_at is not None:
                self._tasks.start(self._remove(call_id, one.number, only_empty=True), "remove an empty recording")

    async def set(self, call_id: str, sign: RecordingSign, by: str) -> Recording:
        """Pause or resume the recording of a call that goes on.

        Raises:
            ConversationRefused: there is none that runs, or it was paused too often.
            AmiError: Asterisk does not do it.
        """
        live = self._calls.get(call_id)
        one = _running(live.call) if live else None
        if live is None or one is None:
            raise ConversationRefused(f"no conversation of call {call_id} is being recorded")
        if (one.paused_at is not None) is (sign is RecordingSign.PAUSED):
            raise ConversationRefused(f"the recording of call {call_id} is {sign} already")
        if sign is RecordingSign.PAUSED and one.pauses >= MAX_PAUSES:
            # The record would not know of it, so that nobody could resume it.
            raise ConversationRefused(
                f"the recording of call {call_id} was paused {MAX_PAUSES} times: that is the most"
            )
        headers = {"Channel": self._channel_of(call_id), "Direction": "both", "State": _STATES[sign]}
        await self._link.send("MixMonitorMute", headers)
        self._tell(call_id, RecordingTold(sign=sign, at=self._now(), by=by))
        after = self._calls.get(call_id)
        return (_running(after.call) if after else None) or one

    async def _stop(self, call_id: str, one: Recording, objected_at: datetime) -> None:
        channel = self._channel_of(call_id)
        try:
            if channel:
                # First, so that no order that is still on its way begins a recording afterwards.
                at = str(int(objected_at.timestamp()))
                await self._link.send("Setvar", {"Channel": channel, "Variable": "CR_OBJECTED", "Value": at})
                await self._link.send("StopMixMonitor", {"Channel": channel})
        except AmiError as error:  # it has stopped: the caller pressed the key in the conversation, or hung up
            log.debug("a recording that was objected to had stopped", call_id=call_id, reason=str(error))
        await self._remove(call_id, one.number)

    async def _remove(self, call_id: str, number: int, *, only_empty: bool = False) -> None:
        path = self._folder / f"{name_of(call_id, number)}.wav"
        if only_empty:
            await asyncio.sleep(WRITTEN_SECONDS)
        try:
            if not only_empty or (await asyncio.to_thread(path.stat)).st_size <= WAV_HEADER_BYTES:
                await asyncio.to_thread(path.unlink, missing_ok=True)
        except FileNotFoundError:  # there was none
            return
        except OSError as error:
            log.warning("a recording cannot be removed now", call_id=call_id, reason=error.strerror)

    def _on_user_event(self, message: AmiMessage) -> None:
        sign = _SIGNS.get(message["What"]) if message["UserEvent"] == EVENT else None
        if sign is not None:
            self._tasks.start(self._keyed(message["Call"], sign), "a code for a recording")

    async def _keyed(self, call_id: str, sign: RecordingSign) -> None:
        live = self._calls.get(call_id)
        try:
            await self.set(call_id, sign, _agent_of(live.call) if live else "")
        except (ConversationRefused, AmiError) as error:
            log.info("an agent's code for a recording changed nothing", call_id=call_id, reason=str(error))


def _running(call: Call) -> Recording | None:
    last = call.recordings[-1] if call.recordings else None
    return last if last is not None and last.runs else None


def _agent_of(call: Call) -> str:
    talking = (leg.party for leg in reversed(call.legs) if leg.open and leg.purpose is LegPurpose.AGENT)
    return next(talking, "")
