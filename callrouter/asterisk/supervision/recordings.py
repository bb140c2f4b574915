"""The recordings of conversations that go on: paused, resumed and stopped on the PBX, by whoever may.

Asterisk records by itself (extensions.conf, callrouter-conversation). A pause is AMI's MixMonitorMute: silence is
written meanwhile, so that the file is as long as the conversation. It stands on the caller's channel (`CR_PAUSED`), so
that Asterisk does not begin a paused recording anew when the caller is given away; it is begun anew when it goes on,
and when somebody has put the caller on hold, or has them instead of another (`renewal`). An objection of a caller
who waits is heard as a key by the engine alone, which stops the recording then; of one who talks, Asterisk has stopped
it before it says so. Either stands on the caller's channel (`CR_OBJECTED`), where nothing is recorded any more from
then on. The file of either is removed at once; where no engine is there to do it, by whoever looks after recordings
(`store.access.keeping`). MixMonitor makes a file without sound of a caller whom nobody answers: it is removed, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from weakref import WeakValueDictionary

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line.recordings import WAV_HEADER_BYTES
from callrouter.asterisk.session import OnEvent
from callrouter.asterisk.supervision.renewal import MOMENT_SECONDS, begin_anew
from callrouter.core.books.recordings import MAX_PAUSES, name_of
from callrouter.core.call import Call, CallState, LegPurpose, Recording
from callrouter.core.facts import CallTransferred, Fact, HoldNoted, RecordingNoted, SupervisionNoted
from callrouter.core.inputs import RecordingSign, RecordingTold, SupervisionMode
from callrouter.errors import ActionFailed, AmiError, ChannelGone, ConversationRefused
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

EVENT: Final = "CallrouterRecording"
WRITTEN_SECONDS: Final = 3.0
"""Asterisk writes down what it has recorded of a channel within two (file.c, ast_writefile)."""
_SIGNS: Final = {"pause": RecordingSign.PAUSED, "resume": RecordingSign.RESUMED}
TAKEN_OVER_SECONDS: Final = 0.3
"""After so long a supervisor who said that they take the caller over has them."""
JUST_NOW_SECONDS: Final = 0.1
"""What ends a hold may be told of by another event than what gives the caller away."""


class Link(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def tells(self, *, events: Mapping[str, OnEvent]) -> None: ...

    def send(self, name: str, headers: Headers = ()) -> asyncio.Future[AmiMessage]: ...


class Conversations:
    """The conversations of one PBX that are recorded; an observer of what becomes of them."""

    interests: Final[frozenset[type[Fact]]] = frozenset({RecordingNoted, HoldNoted, CallTransferred, SupervisionNoted})

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
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By call: it is begun anew, paused and resumed one after the other."""
        link.tells(events={"UserEvent": self._on_user_event, "Unhold": self._on_unhold})

    def observe(self, told: Sequence[Fact]) -> None:
        """Stop what the caller objects to, remove what nobody may hear, or what holds nothing, and begin anew what
        comes by another RTP stream from now on, or may do so: after a hold, whoever ends it, and nothing is missed
        while it lasts. Where Asterisk rings somebody first its dialplan sees to it.
        """
        for fact in told:
            match fact:
                case RecordingNoted(call=call, recording=one):
                    self._noted(call.call_id, one)
                case HoldNoted(call=call, hold=hold) if call.state is CallState.CONNECTED and hold.ended_at is None:
                    self._begin_anew(call)
                case CallTransferred(call=call) if call.state is CallState.CONNECTED and not _held_until_now(call):
                    self._begin_anew(call)
                case SupervisionNoted(call=call, mode=SupervisionMode.TAKE_OVER.value):
                    self._begin_anew(call, TAKEN_OVER_SECONDS)
                case _:
                    pass

    def _begin_anew(self, call: Call, after_seconds: float = 0.0) -> None:
        if _running(call) is not None:
            self._tasks.start(self._anew(call.call_id, after_seconds), "begin a recording anew")

    def _noted(self, call_id: str, one: Recording) -> None:
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
        async with self._lock(call_id):
            one = self._to_set(call_id, sign)
            await (self._pause if sign is RecordingSign.PAUSED else self._resume)(call_id, one)
            self._tell(call_id, RecordingTold(sign=sign, at=self._now(), by=by))
        after = self._calls.get(call_id)
        return (_running(after.call) if after else None) or one

    def _to_set(self, call_id: str, sign: RecordingSign) -> Recording:
        """The recording that is to be paused or resumed, if that can be done."""
        live = self._calls.get(call_id)
        one = _running(live.call) if live else None
        if one is None or not self._channel_of(call_id):
            raise ConversationRefused(f"no conversation of call {call_id} is being recorded")
        if (one.paused_at is not None) is (sign is RecordingSign.PAUSED):
            raise ConversationRefused(f"the recording of call {call_id} is {sign} already")
        if sign is RecordingSign.PAUSED and one.pauses >= MAX_PAUSES:
            # The record would not know of it, so that nobody could resume it.
            raise ConversationRefused(
                f"the recording of call {call_id} was paused {MAX_PAUSES} times: that is the most"
            )
        return one

    async def _pause(self, call_id: str, one: Recording) -> None:
        channel = self._channel_of(call_id)
        muted = {"Channel": channel, "Direction": "both", "State": "1"}
        await self._link.send("Setvar", {"Channel": channel, "Variable": "CR_PAUSED", "Value": str(one.number)})
        try:
            await self._link.send("MixMonitorMute", muted)
        except ChannelGone:
            raise
        except ActionFailed:
            # Asterisk has stopped it to begin it anew, which it does not do now, or has just done.
            await asyncio.sleep(2 * MOMENT_SECONDS)
            try:
                await self._link.send("MixMonitorMute", muted)
            except ChannelGone:
                raise
            except ActionFailed as error:  # nothing runs
                log.debug("a recording that is paused has stopped", call_id=call_id, reason=str(error))

    async def _resume(self, call_id: str, one: Recording) -> None:
        channel = self._channel_of(call_id)
        await self._link.send("Setvar", {"Channel": channel, "Variable": "CR_PAUSED", "Value": ""})
        await begin_anew(self._link, channel, name_of(call_id, one.number), still=lambda: self._runs(call_id, one))

    async def _anew(self, call_id: str, seconds: float = 0.0) -> None:
        """What is paused is begun anew when it goes on."""
        await asyncio.sleep(seconds)
        async with self._lock(call_id):
            live = self._calls.get(call_id)
            one = _running(live.call) if live else None
            if one is None or one.paused_at is not None:
                return
            channel, name = self._channel_of(call_id), name_of(call_id, one.number)
            try:
                await begin_anew(self._link, channel, name, still=lambda: self._runs(call_id, one))
            except (AmiError, ConversationRefused) as error:
                log.debug("a recording was not begun anew", call_id=call_id, reason=str(error))

    def _runs(self, call_id: str, one: Recording) -> bool:
        live = self._calls.get(call_id)
        now = _running(live.call) if live else None
        return now is not None and now.number == one.number

    def _lock(self, call_id: str) -> asyncio.Lock:
        return self._locks.setdefault(call_id, asyncio.Lock())

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

    def _on_unhold(self, message: AmiMessage) -> None:
        """By the caller's own telephone: it may begin another stream, too."""
        for live in self._calls:
            if _running(live.call) is not None and self._channel_of(live.call.call_id) == message["Channel"]:
                self._tasks.start(self._anew(live.call.call_id), "begin a recording anew")

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


def _held_until_now(call: Call) -> bool:
    ended_at = call.holds[-1].ended_at if call.holds else None
    return ended_at is not None and (call.visits[-1].at - ended_at).total_seconds() < JUST_NOW_SECONDS


def _running(call: Call) -> Recording | None:
    last = call.recordings[-1] if call.recordings else None
    return last if last is not None and last.runs else None


def _agent_of(call: Call) -> str:
    talking = (leg.party for leg in reversed(call.legs) if leg.open and leg.purpose is LegPurpose.AGENT)
    return next(talking, "")
