"""A caller's channel in AsyncAGI: what is heard of it, and who has it then.

What is commanded there is the other half (`commanded`). Every method asks the tables of `state` what an
event means, and nobody outside writes a field. Results are matched by command id; one that is no result means that
the stream of results is out of step (`res_agi.c`, launch_asyncagi: a long result's tail comes in front of the next),
and the channel is given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Final

from msgspec import structs

from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult, ResultKind
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line.commanded import (
    LEASE_GUARD_SECONDS,
    PEOPLE,
    READ_STATUS,
    ROUTINES,
    CommandedLine,
    LinePorts,
    give_back,
)
from callrouter.asterisk.line.given import resolved
from callrouter.asterisk.line.hold_music import HoldMusic
from callrouter.asterisk.line.recordings import NOTHING, found_in, message_taken, recorded_in
from callrouter.asterisk.line.state import Heard, LineState, Sent
from callrouter.asterisk.line.translate import AFTER_ROUTINE_LEASE_SECONDS, LEASE_MARGIN_SECONDS, Kind, result
from callrouter.asterisk.notes import Voiced
from callrouter.core import inputs
from callrouter.core.fallback import recording_alone
from callrouter.errors import AmiError, AmiUnreachable, ChannelGone

HANGUP_GRACE_SECONDS: Final = 0.25
"""So long after AsyncAGI ended Asterisk is asked whether the channel is being hung up; each later time after twice as
long as the time before. The fallback waits half a second at least before the caller hears it."""
LONGEST_GRACE_SECONDS: Final = 2.0
IS_HUNG_UP: Final = "CHANNEL(checkhangup)"
"""1 from the hang-up on until the channel is no more, its hangup handlers being run: a thousand that are hung up at
once take seconds. 0 as soon as Asterisk's dialplan goes on with it (func_channel.c; pbx.c, __ast_pbx_run)."""
AGENTS_SECONDS: Final = 8.0
"""How long an engine may take to learn where agents are: it loads the clients' files first."""
AGENTS_AGAIN_SECONDS: Final = 0.1
RECORD_ENDS_SECONDS: Final = 2.0
"""How long after a hang-up Record() may take to close its file: it takes a few milliseconds."""
NO_ANSWER: Final = frozenset({ResultKind.FAILED, ResultKind.DEAD})
"""Results after which nothing may be sent: AsyncAGI has ended, and its end is on the way as an event."""
OF_ROUTINES: Final = ROUTINES | {Kind.ROUTINE}
TAKEN_BACK_REASON: Final = "Asterisk took the call back: its lease ran out or a command failed"
TRANSFERRED_REASON: Final = "an agent transferred the call, or Asterisk took it back"
"""No lease runs in a queue or a conversation, and nothing is commanded there."""
_RESULT, _LOST_SYNC, _IN_ROUTINE, _RECORD = Heard.RESULT, ResultKind.LOST_SYNC, LineState.IN_ROUTINE, Kind.RECORD
_ANSWER = Kind.ANSWER
"""Bound once: asked for at every result."""
NO_STEP: Final = -1
"""Says when the call was answered, and ends no wait: that is asked for again."""
NESTED_REASON: Final = "the caller was transferred back to the entry"


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Why, and since when, control is lost, unless the channel ends before the timer."""

    timer: asyncio.TimerHandle
    reason: str
    at: datetime
    grace_seconds: float


class Line(CommandedLine):
    """See the module; made with the channel's AsyncAGIStart."""

    __slots__ = (
        *("_agents_until", "_hung_up", "_leaving", "_phone_forwards", "_read_status", "_record_ends"),
        "_voiced",
    )

    def __init__(self, call_id: str, uniqueid: str, channel: str, ports: LinePorts) -> None:
        super().__init__(call_id, uniqueid, channel, ports)
        self._phone_forwards = False
        """The agent's telephone that has just answered sends its calls elsewhere by itself: not the agent is there."""
        self._leaving: _Leaving | None = None
        self._hung_up: inputs.CallerHungUp | None = None
        """The caller has hung up while being recorded, and the core is not told before the recording has ended."""
        self._record_ends: asyncio.TimerHandle | None = None
        """When we stop waiting for that."""
        self._read_status = ""
        """READSTATUS, when it was last asked for."""
        self._agents_until = inf
        """Until when a caller whom an agent has given away waits for that (`perf_counter`)."""
        self._voiced: Voiced | None = None
        """What Asterisk's fallback takes a message by."""

    @property
    def among_people(self) -> bool:
        """Whether somebody may have answered the caller by our order."""
        return self._kind in PEOPLE and Sent.QUESTION in self._may_send

    def answered_unheard(self) -> None:
        """The channel is up, and we may have asked for it without having heard the result: it took half a second."""
        at, self._answering_since = self._answering_since, None
        if at is not None:
            self._tell(self.call_id, inputs.CallAnswered(step=NO_STEP, at=at))

    def phone_forwards(self) -> None:
        """The telephone that has just picked up said so; its AgentConnect comes next (app_queue.c, try_calling)."""
        self._phone_forwards = True

    def take_phone_forwards(self) -> bool:
        """Whether the telephone that an AgentConnect is about said so, once."""
        said, self._phone_forwards = self._phone_forwards, False
        return said

    def _take(self, outcome: AgiResult | AmiError) -> AgiResult | None:
        """The result of a command, if it means anything."""
        self._awaited -= 1
        if not self._awaited:
            self._outstanding.clear()
        if _RESULT not in self._means or isinstance(outcome, AmiError):
            # The channel has gone (its end is on the way as an event), or the link has (`resume` asks again).
            return None
        if outcome.kind is _LOST_SYNC:
            if self._sends(Sent.BREAK):
                give_back(self._link, self.channel)
                self._lost(f"Asterisk's results are out of step: {outcome.text[:80]}", self._now())
            return None
        return outcome

    def _on_result(self, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None:
        found = self._take(outcome)
        if found is not None:
            self._use(kind, step, found)

    def _on_read(self, name: str, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None:
        """What Read took while nobody may have listened, asked for after the link was away."""
        found = self._take(outcome)
        if found is None or found.kind in NO_ANSWER or step != self._step or self._keys is None:
            return
        if name == READ_STATUS:
            self._read_status = found.value or ""
        elif found.result == "0":  # there is no such variable: the order never arrived
            self._repeat()
        else:
            ended_by_hash = not found.value and self._read_status == "OK"
            keys = self._keys.took("#" if ended_by_hash else found.value or "")
            if self._unheard and not keys and kind is Kind.COLLECT:
                # They were silent to nobody: they are asked once more.
                self._unheard = False
                self._repeat()
                return
            for digit in keys:
                self._tell(self.call_id, inputs.DigitPressed(digit=digit, at=self._now()))
            self._use(kind, step, found)

    def _on_ran(self, step: int, outcome: AgiResult | AmiError) -> None:
        """Which routine ran last, asked for after the link, or another engine, was away."""
        found = self._take(outcome)
        if found is not None and step == self._step:
            self._ran = found.value or ""

    def _on_routine(self, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None:
        """How it went, unless another one ran last: then the order for this one never arrived."""
        found = self._take(outcome)
        if found is None:
            return
        ran = self._ran == str(step) if self._ran else bool(found.value)
        if step != self._step or found.kind in NO_ANSWER or ran:
            self._use(kind, step, found)
        else:
            self._hears(Heard.ROUTINE_ENDED)
            self.stop_waiting()
            self._over_at = None  # it was another one's
            self._repeat()

    def _use(self, kind: Kind, step: int, found: AgiResult) -> None:
        if step == self._step:
            if self._keys is not None and kind is self._kind:
                self._keys.ended()
            if self.state is _IN_ROUTINE and kind in OF_ROUTINES:
                self._hears(Heard.ROUTINE_ENDED)
                self.stop_waiting()
                # From then on a lease runs again; this may be read late.
                left = AFTER_ROUTINE_LEASE_SECONDS - LEASE_GUARD_SECONDS - self._link.late_seconds
                if self._over_at is not None:
                    left -= max(0.0, (self._now() - self._over_at).total_seconds())
                self._lease_ends_at = perf_counter() + left
        now, recorded = self._over_at or self._now(), NOTHING
        if kind is _ANSWER:
            self._answering_since = None
        if kind in OF_ROUTINES:
            if self._hung_up is not None:
                self._tell_hung_up(self._hung_up)
                return
            if kind is _RECORD and self._recording is not None and found.kind not in NO_ANSWER:
                recorded, self._recording = self._recording.ended(found.value or "", now), None
        told = result(kind, found, step, now, recorded)
        if type(told) is inputs.Transferred:
            if self._waits_for_agents(kind, step, found):
                return
            told = resolved(told, self._ports.places.directory)
        self._over_at = None
        if told is not None:
            self._tell(self.call_id, told)

    def _waits_for_agents(self, kind: Kind, step: int, found: AgiResult) -> bool:
        """An engine that has just begun does not know yet whom an agent meant: the caller waits, for a moment."""
        loop, now = asyncio.get_running_loop(), perf_counter()
        if self._ports.places.directory.is_known() or step != self._step or now > self._agents_until:
            return False
        if self._agents_until == inf:
            if not self._sends(Sent.COMMANDS):
                return False
            self._agents_until = now + AGENTS_SECONDS
            batch = self._link.batch()
            self._lease(batch, AGENTS_SECONDS + LEASE_MARGIN_SECONDS, now)
            batch.write()
            self._music = HoldMusic(AGENTS_SECONDS, self._play_music)
        loop.call_later(AGENTS_AGAIN_SECONDS, self._use, kind, step, found)
        return True

    def _on_measured(self, step: int, outcome: AgiResult | AmiError) -> None:
        found = self._take(outcome)
        if found is None or found.kind in NO_ANSWER or step != self._step:
            return
        self._ports.round_trips.ended(self._written_at)
        if self._unsent is not None:
            state = b"" if found.ok else self._unsent.state
            self._write(structs.replace(self._unsent, state=state), perf_counter())

    def _on_looks(self, step: int, looks: Mapping[str, inputs.QueueLook]) -> None:
        if self._hears(Heard.RESULT):
            self._tell(self.call_id, inputs.QueuesSeen(step=step, looks=looks, at=self._now()))

    def key_pressed(self, digit: str, seconds: float = 0.0) -> None:
        """A key of the caller's, held down so long, or the one of our own."""
        self.live()
        if self._keys is not None and self._keys.swallows(digit):
            return
        if self._keys is None or not self._keys.holds(digit):
            self.hear(inputs.DigitPressed(digit=digit, at=self._now()))
        if self._keys is not None:
            self._keys.pressed(digit, seconds)

    def hear(self, told: inputs.Input) -> None:
        """What only a living channel does: if AsyncAGI had ended before, control is lost."""
        self.live()
        if Heard.LIFE in self._means:
            self._tell(self.call_id, told)

    def live(self) -> None:
        """The channel lives."""
        leaving = self._leaving
        if self._hears(Heard.LIFE) and leaving is not None:
            self._lost(leaving.reason, leaving.at)

    def agi_ended(self) -> None:
        """AsyncAGI has ended; it will show whether the channel has, too."""
        if self._hears(Heard.AGI_ENDED):
            self._stop_timers()
            if self._hung_up is not None:
                self._tell_hung_up(self._hung_up)
                return
            reason = TRANSFERRED_REASON if self._kind in PEOPLE else TAKEN_BACK_REASON
            self._leave(reason, self._now(), HANGUP_GRACE_SECONDS)

    def _leave(self, reason: str, at: datetime, grace_seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(grace_seconds, self._look)
        self._leaving = _Leaving(timer, reason, at, grace_seconds)

    def _look(self) -> None:
        """Neither an end nor a sign of life: Asterisk is asked which of them there will be."""
        question = {"Channel": self.channel.channel, "Variable": IS_HUNG_UP}
        self._link.send("Getvar", question).add_done_callback(self._looked)

    def _looked(self, answered: asyncio.Future[AmiMessage]) -> None:
        leaving = self._leaving
        error = AmiUnreachable("cancelled") if answered.cancelled() else answered.exception()
        if leaving is None:
            return
        # That it has ended, an event says, and who it was; of a link that went away `resync` asks when it is back.
        is_open = isinstance(error, (ChannelGone, AmiUnreachable))
        if is_open or (error is None and answered.result()["Value"] == "1"):
            self._leave(leaving.reason, leaving.at, min(2 * leaving.grace_seconds, LONGEST_GRACE_SECONDS))
        else:
            self.live()

    def agi_entered_again(self) -> None:
        """A transfer brought the caller back in while the first AsyncAGI is still below; the record goes on."""
        if self._hears(Heard.AGI_ENTERED_AGAIN):
            self._lost(NESTED_REASON, self._now())

    def lose(self, reason: str, at: datetime | None = None) -> None:
        """Asterisk has the caller, or will have them."""
        if self._hears(Heard.TAKEN_BACK):
            self._lost(reason, at or self._now())

    def _lost(self, reason: str, at: datetime) -> None:
        self._stop_timers()
        self._tell_recording(at)
        self._tell(self.call_id, inputs.ControlLost(reason=reason, at=at))

    def _tell_recording(self, at: datetime) -> None:
        """What is left of a recording whose end we were not told."""
        if self._recording is not None:
            found, self._recording = self._recording.found(), None
            self._tell(self.call_id, found_in(found, at))

    def voiced(self, noted: Voiced) -> None:
        """Asterisk's fallback has the caller leave a message."""
        self._voiced = noted

    def _tell_taken(self, at: datetime) -> None:
        """The message that Asterisk's fallback took."""
        if self._voiced is not None:
            name = recording_alone(self.call_id)
            found = recorded_in(Path(self._ports.places.recordings_dir), name)
            self._tell(self.call_id, message_taken(self._voiced, name, found, at))
            self._voiced = None

    def hangup_requested(self, cause: int | None) -> None:
        """The caller has hung up, or their line has failed; of an end that we have asked for it says nothing."""
        if not self._hears(Heard.HANGUP_REQUESTED):
            return
        hung_up = inputs.CallerHungUp(at=self._now(), cause=cause, by_caller=cause not in inputs.LINE_FAILED)
        if self._voiced is None and (self._recording is None or self.state is not _IN_ROUTINE):
            self._tell(self.call_id, hung_up)
        elif self._hung_up is None:
            # Record() keeps up to two seconds in a buffer (file.c, ast_writefile): the file is whole when it has ended.
            self._hung_up = hung_up
            timer = asyncio.get_running_loop().call_later(RECORD_ENDS_SECONDS, self._tell_hung_up, hung_up)
            self._record_ends = timer

    def _tell_hung_up(self, hung_up: inputs.CallerHungUp) -> None:
        if self._record_ends is not None:
            self._record_ends.cancel()
        self._hung_up = self._record_ends = None
        self._tell_recording(hung_up.at)
        self._tell_taken(hung_up.at)
        self._tell(self.call_id, hung_up)

    def channel_ended(
        self, cause: int | None, at: datetime | None = None, *, talked_until: datetime | None = None
    ) -> None:
        """The channel is no more; `at`: since when, if not now; `talked_until`: when the conversation was over."""
        if self._hears(Heard.CHANNEL_ENDED):
            at = at or self._now()
            ended = inputs.CallerHungUp(at=at, cause=cause, by_caller=False, talked_until=talked_until)
            self._tell_hung_up(self._hung_up or ended)

    def call_ended(self) -> None:
        """Forget the results that will not come."""
        self._hears(Heard.CALL_ENDED)
        self._ports.waits.gone(self.uniqueid)
        self._stop_timers()
        if self._record_ends is not None:
            self._record_ends.cancel()
        for command_id in self._outstanding:
            self._link.abandon(command_id)

    def renamed(self, channel: str) -> None:
        """The channel has another name from now on."""
        self.channel = ChannelActions(channel)

    def _stop_timers(self) -> None:
        self.stop_waiting()
        if self._keys is not None:
            self._keys.stop()
        if self._music is not None:
            self._music.stop()
        if self._leaving is not None:
            self._leaving.timer.cancel()
            self._leaving = None
