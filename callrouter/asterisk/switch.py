"""The Switch port on Asterisk: every command with its wake-up and lease, every event to its call.

One `Line` for each caller's channel in AsyncAGI. What is true of a line and cannot be read off one event stands
there: how often AsyncAGI was entered and left (a transfer can nest it), which commands are out, whether we asked
for the end ourselves. The rules, with their source:

- Nothing is sent after AsyncAGI ended: Asterisk would answer Success and run it at the next entry of the channel.
- AsyncAGI that ends without a hang-up means that control was lost (the lease ran out, a command failed): Asterisk's own
  dialplan has the caller. A BYE raises HangupRequest first (`channel.c`, ast_queue_hangup). A hang-up from within (the
  console, another manager, ourselves) is known by the end of the channel, which follows at once: its SoftHangupRequest
  would be one event more of every call.
- Digits come from DTMFEnd alone, in whatever state the channel is. A key that arrives in the instant before Read
  starts is seen by us and not by Read: a `#` is then put into the channel so that Read ends (and its own DTMFEnd
  is swallowed).
- Results are matched by command id. One that is no result means that the stream of results is out of step
  (`res_agi.c`, launch_asyncagi: a long result's tail comes in front of the next): the channel is given back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

import structlog
from msgspec import structs

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.arrivals import offered
from callrouter.asterisk.asyncagi import AgiEnv, AgiResult, ResultKind, parse_env
from callrouter.asterisk.batch import Batch
from callrouter.asterisk.catch_up import Gap
from callrouter.asterisk.causes import record_outcome
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.line import Left, Line
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.queues import look
from callrouter.asterisk.translate import (
    LEASE_MARGIN_SECONDS,
    MUSIC_ON,
    Command,
    Kind,
    Order,
    Places,
    order,
    result,
    state_command,
)
from callrouter.core import inputs
from callrouter.core.call import Call, RecordOutcome
from callrouter.core.effects import Effect, Hangup, LookAtQueues, Lookup, Record
from callrouter.errors import AmiError, EncodingError, ProtocolError
from callrouter.runtime.ports import Clock, Inbox, Meter

log = structlog.get_logger(__name__)

KEY_GRACE_SECONDS: Final = 0.06
"""How long after a key that should have ended a Read its result may take before we end it ourselves."""
NOT_CONTROLLED: Final = frozenset({ResultKind.FAILED, ResultKind.DEAD, ResultKind.LOST_SYNC})
"""Results after which nothing may be sent: AsyncAGI has ended, or is given back."""
MEASURED_STEP: Final = 2
MEASURE_EVERY_SECONDS: Final = 0.02
"""A measured command costs Asterisk and us a tenth of a millisecond: where there are many calls, some of them tell."""
MAX_ASKED_EARLY: Final = 1024
WAV_HEADER_BYTES: Final = 44
WAV_BYTES_PER_SECOND: Final = 16_000
"""8 kHz, 16 bit, mono: what Record writes for .wav."""
MUSIC_AFTER_SECONDS: Final = 2.0
"""A short silence is nothing to a caller; a longer one sounds like a dead line."""
HANGUP_GRACE_SECONDS: Final = 0.25
"""So long after AsyncAGI ended a channel that ends too was hung up; the fallback waits half a second at least."""
HELD_UP_SECONDS: Final = 1.0
CATCH_UP_SECONDS: Final = 0.2
TOO_LATE_REASON: Final = "the engine was held up for longer than the lease: Asterisk took the call back"
TAKEN_BACK_REASON: Final = "Asterisk took the call back: its lease ran out or a command failed"
TRANSFERRED_REASON: Final = "an agent transferred the call, or Asterisk took it back"
"""No lease runs in a queue or a conversation, and nothing is commanded there."""


class AsteriskSwitch:
    """See the module. Give `on_event` to the link; `inbox` is told everything."""

    def __init__(self, *, inbox: Inbox, clock: Clock, meter: Meter, places: Places, region: str) -> None:
        self.link: AmiLink | None = None
        """Set once, before the link runs: the link and the switch need each other."""
        self.lost_at: datetime | None = None
        """When the link last went away."""
        self.shift = timedelta()
        """What the engine's clock is ahead of the PBX's."""
        self.draining = False
        """No new call is taken any more: Asterisk's fallback serves them."""
        self._inbox = inbox
        self._clock = clock
        self._meter = meter
        self._places = places
        self._region = region
        self._measure_at = 0.0
        self._by_uniqueid: dict[str, Line] = {}
        self.lines: dict[str, Line] = {}
        """By call."""
        self._late: dict[str, AgiEnv] = {}
        """New calls that are not taken before all is read that came while this process was held up."""
        self._asked_early: dict[str, str] = {}
        """Cause of the hang-up by channel, when it was asked for before AsyncAGI had the channel (a CANCEL)."""
        self._handlers = {
            "AsyncAGIStart": self._on_start,
            "AsyncAGIEnd": self._on_end,
            "DTMFEnd": self._on_dtmf,
            "Hangup": self._on_hangup,
            "HangupRequest": self._on_hangup,
            "AgentCalled": self._on_agent_called,
            "AgentConnect": self._on_agent_connect,
            "UserEvent": self._on_user_event,
            "Rename": self._on_rename,
        }

    # ------------------------------------------------------------------------------------------ towards Asterisk

    def perform(self, call: Call, state: bytes, effects: Sequence[Effect]) -> None:
        """Write the effects as one batch; the result comes back as an input that names the step."""
        line = self.lines.get(call.call_id)
        if line is None or line.lost or line.left or line.hanging_up or self.link is None:
            return
        if perf_counter() > line.lease_ends_at:
            # This process was held up: what it decides from old results would reach a caller whom the fallback has,
            # and a wake-up, or a hang-up, would cut the conversation he may have there.
            self.lose(line, TOO_LATE_REASON)
            return
        if isinstance(effects[-1], Hangup):
            self.hang_up(line, effects[-1].cause)
            return
        line.step = call.step
        try:
            ordered = order(effects, state, self._places, music=line.music_plays)
        except EncodingError as error:
            failed = inputs.CommandFailed(step=call.step, reason=str(error), at=self._clock.now())
            self._inbox.tell(call.call_id, failed)
            return
        line.stop_music_timer()
        line.music_plays = False
        if isinstance(last := effects[-1], Record):
            line.recording, line.recording_at = last.recording, self._clock.now()
        if call.step == MEASURED_STEP and ordered.commands and self._is_time_to_measure():
            self._measure(line, ordered)
        else:
            self.write(line, ordered)
        if isinstance(last, LookAtQueues):
            look(self.link, last.queues, partial(self._on_looks, line, call.step))
        elif isinstance(last, Lookup) and last.music and call.clocks.answered_at is not None:
            self._music_later(line, last.timeout_seconds)

    def _is_time_to_measure(self) -> bool:
        """Of a call's round trips one at most, and not the first: that would time the set-up of the call as well."""
        now = perf_counter()
        if now < self._measure_at:
            return False
        self._measure_at = now + MEASURE_EVERY_SECONDS
        return True

    def release(self, call_id: str) -> None:
        """The call has ended: forget it, and the results that will not come."""
        line = self.lines.pop(call_id, None)
        if line is None:
            return
        line.stop_timers()
        self._by_uniqueid.pop(line.uniqueid, None)
        if self.link is not None:
            for command_id in line.outstanding:
                self.link.abandon(command_id)

    def keep(self, call: Call, state: bytes) -> None:
        """Write the call's state to its channel, past the channel's loop: a conversation is not disturbed."""
        line = self.lines.get(call.call_id)
        if line is not None and self.link is not None:
            self.link.post_batch(line.channel.set_state(state))

    def hang_up(self, line: Line, cause: int) -> None:
        """End a call."""
        assert self.link is not None
        line.hanging_up = True
        batch = self.link.batch()
        if not line.taken:
            # Whatever the hangup handler finds: an engine had the call. Any other time its state says so.
            batch.raw(line.channel.set_variable("CR_LOST", "taken"))
        batch.raw(line.channel.hang_up(cause))
        batch.write()

    def write(self, line: Line, ordered: Order) -> None:
        """Write a batch: the call's state first, and the wake-up with its lease behind."""
        assert self.link is not None
        batch = self.link.batch()
        channel = line.channel
        line.taken = True
        if ordered.state:
            batch.raw(channel.set_state(ordered.state))
        for name, value in ordered.variables:
            batch.raw(channel.set_variable(name, value))
        for command in ordered.commands:
            self.add(line, batch, command)
        batch.raw(channel.wake(ordered.lease_seconds))
        line.kind = ordered.commands[-1].kind if ordered.commands else None
        line.keys_wanted = ordered.keys
        line.lease(ordered.lease_seconds, perf_counter())
        # Without a link nothing leaves, and nobody hears what it led to: it is done when the link is back (`resync`).
        line.unsent = None if self.link.connected else ordered
        batch.write()

    def _measure(self, line: Line, ordered: Order) -> None:
        """Write the call's state alone, as a command, and all else when its result is there: one there and back.

        The lease is this command's, and short: that of a routine outlasts any call, and only the routine takes it away.
        """
        assert self.link is not None
        batch = self.link.batch()
        self.add(line, batch, state_command(ordered.state))
        batch.raw(line.channel.wake(LEASE_MARGIN_SECONDS))
        line.taken, line.unsent = True, ordered
        line.kind, line.keys_wanted = ordered.commands[-1].kind, ordered.keys  # keys may come before it is written
        line.written_at = perf_counter()
        line.lease(LEASE_MARGIN_SECONDS, line.written_at)
        batch.write()

    def _on_measured(self, line: Line, step: int, outcome: AgiResult) -> None:
        if step != line.step:
            return
        self._meter.observe_round_trip(perf_counter() - line.written_at)
        if line.unsent is not None and not (line.lost or line.left or line.hanging_up):
            self.write(line, structs.replace(line.unsent, state=b"" if outcome.ok else line.unsent.state))

    def add(self, line: Line, batch: Batch, command: Command) -> None:
        """Put a command into a batch, and remember who waits for its result."""
        on_result = partial(self._on_result, line, command.kind, line.step)
        line.outstanding.append(batch.agi(line.channel, command.text, on_result))
        line.awaited += 1

    # ---------------------------------------------------------------------------------------------- from Asterisk

    def on_event(self, message: AmiMessage) -> None:
        """One event of the link; those of channels that are not ours are ignored."""
        handler = self._handlers.get(message["Event"])
        if handler is not None:
            handler(message)

    def _on_start(self, message: AmiMessage) -> None:
        try:
            env = parse_env(message["Env"])
        except ProtocolError as error:
            log.warning("a call could not be taken; Asterisk's fallback serves it", reason=str(error))
            return
        if not env.arguments:
            return  # somebody else's use of AsyncAGI: callrouter's entry always passes a call id
        line = self._by_uniqueid.get(env.uniqueid)
        if line is not None:
            # A transfer brought the caller back in while the first AsyncAGI is still below: what we had queued there
            # runs here now, and says nothing of what it was asked for. His lease leads to the fallback, and the
            # record goes on.
            line.entries += 1
            self.lose(line, "the caller was transferred back to the entry")
            self._give_up(line.channel)
            return
        if self.draining:
            log.info("stopping: a new call is left to Asterisk's fallback", call_id=env.arguments[0])
            self._give_up(ChannelActions(env.channel))
            return
        if not env.complete:
            log.warning("a call's environment was cut short; Asterisk's fallback serves it", channel=env.channel)
            self._give_up(ChannelActions(env.channel))
            return
        if self.link is not None and self.link.behind_seconds > HELD_UP_SECONDS:
            # His end may be among what is still to be read, and then Asterisk's fallback has him.
            self._late[env.uniqueid] = env
            asyncio.get_running_loop().call_later(CATCH_UP_SECONDS, self._take_late, env.uniqueid)
            return
        self._take(env)

    def _take_late(self, uniqueid: str) -> None:
        if (env := self._late.pop(uniqueid, None)) is not None:
            self._take(env)

    def _take(self, env: AgiEnv) -> None:
        call_id = env.arguments[0]
        if call_id in self.lines:
            log.warning("a second channel claims a live call; Asterisk's fallback serves it", call_id=call_id)
            self._give_up(ChannelActions(env.channel))
            return
        line = Line(call_id=call_id, uniqueid=env.uniqueid, channel=ChannelActions(env.channel))
        self._by_uniqueid[env.uniqueid] = self.lines[call_id] = line
        self._inbox.offer(offered(env, self._region, self._clock.now()))
        cause = self._asked_early.pop(env.uniqueid, None)
        if cause is not None:  # or the end of AsyncAGI, which follows at once, would look like lost control
            self._tell_hangup(line, cause)

    def _on_end(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is None:
            self._late.pop(message["Uniqueid"], None)
            return
        line.entries -= 1
        if line.entries == 0 and not (line.hanging_up or line.lost):
            reason = TRANSFERRED_REASON if line.kind in (Kind.QUEUE, Kind.DIAL) else TAKEN_BACK_REASON
            loop = asyncio.get_running_loop()
            line.stop_timers()
            line.left = Left(loop.call_later(HANGUP_GRACE_SECONDS, self.settle, line), reason, self._clock.now())

    def settle(self, line: Line) -> None:
        """AsyncAGI has ended and the channel lives: control is lost."""
        if line.left is not None:
            self.lose(line, line.left.reason, line.left.at)

    def _living(self, uniqueid: str) -> Line | None:
        """The line of a channel that shows a sign of life."""
        line = self._by_uniqueid.get(uniqueid)
        if line is not None:
            self.settle(line)
        return line

    def lose(self, line: Line, reason: str, at: datetime | None = None) -> None:
        """Asterisk has the caller, or will have him: tell it once."""
        if line.lost:
            return
        line.lost = True
        line.stop_timers()
        self._inbox.tell(line.call_id, inputs.ControlLost(reason=reason, at=at or self._clock.now()))

    def _on_hangup(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is None:
            self._note_early(message)
            return
        if line.hanging_up and message["Event"] != "Hangup":
            return  # our own request: the call is over when the channel is gone
        self._tell_hangup(line, message["Cause"])

    def _note_early(self, message: AmiMessage) -> None:
        """Of a channel that is not ours, or not yet; forgotten when the channel is gone."""
        if message["Event"] == "Hangup":
            self._asked_early.pop(message["Uniqueid"], None)
            return
        if len(self._asked_early) >= MAX_ASKED_EARLY:  # their ends were missed while the link was down
            del self._asked_early[next(iter(self._asked_early))]
        self._asked_early[message["Uniqueid"]] = message["Cause"]

    def _tell_hangup(self, line: Line, cause: str) -> None:
        told = inputs.CallerHungUp(at=self._clock.now(), cause=int(cause) if cause.isdecimal() else None)
        self._inbox.tell(line.call_id, told)

    def _on_dtmf(self, message: AmiMessage) -> None:
        line = self._living(message["Uniqueid"])
        if line is None or message["Direction"] != "Received":
            return
        digit = message["Digit"]
        if line.injected and digit == "#":
            line.injected -= 1
            return
        self._inbox.tell(line.call_id, inputs.DigitPressed(digit=digit, at=self._clock.now()))
        if line.keys_wanted:
            line.keys_wanted = 0 if digit == "#" else line.keys_wanted - 1
            if line.keys_wanted == 0 and line.nudge is None:
                self._nudge_later(line)

    def _on_agent_called(self, message: AmiMessage) -> None:
        line = self._living(message["Uniqueid"])
        if line is not None:
            self._inbox.tell(line.call_id, inputs.AgentOffered(agent=_agent(message), at=self._clock.now()))

    def _on_agent_connect(self, message: AmiMessage) -> None:
        line = self._living(message["Uniqueid"])
        if line is not None:
            self._inbox.tell(line.call_id, inputs.AgentAnswered(agent=_agent(message), at=self._clock.now()))

    def _on_user_event(self, message: AmiMessage) -> None:
        if message["UserEvent"] != "CallrouterBridged":
            return
        line = self.lines.get(message["Call"])
        if line is not None:
            self.settle(line)
            leg = message["Leg"]
            told = inputs.LegAnswered(leg=int(leg) if leg.isdecimal() else 0, at=self._clock.now())
            self._inbox.tell(line.call_id, told)

    def _on_rename(self, message: AmiMessage) -> None:
        line = self._by_uniqueid.get(message["Uniqueid"])
        if line is not None:
            line.channel = ChannelActions(message["Newname"])

    def _on_result(self, line: Line, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None:
        line.awaited -= 1
        if line.awaited == 0:
            line.outstanding.clear()
        if isinstance(outcome, AmiError):
            # The channel has gone (its end is on the way as an event), or the link has (`resync` asks again).
            return
        if kind is Kind.STATE and outcome.kind not in NOT_CONTROLLED:
            self._on_measured(line, step, outcome)
            return
        if outcome.kind is ResultKind.LOST_SYNC:
            self._give_back(line, f"Asterisk's results are out of step: {outcome.text[:80]}")
            return
        if kind is line.kind and step == line.step:
            line.stop_nudging()
            line.keys_wanted = 0
        seconds = self._recorded_seconds(line, outcome) if kind is Kind.RECORD else 0.0
        told = result(kind, outcome, step, seconds, self._clock.now())
        if told is not None and not line.lost:
            self._inbox.tell(line.call_id, told)

    def _give_back(self, line: Line, reason: str) -> None:
        """Leave the channel to Asterisk's dialplan, which goes to the fallback."""
        if line.lost or line.left or self.link is None:
            return
        self._give_up(line.channel)
        self.lose(line, reason)

    def _give_up(self, channel: ChannelActions) -> None:
        """At once: without a word from us the caller would hear it ring until the lease ends."""
        if self.link is None:
            return
        batch = self.link.batch()
        batch.agi(channel, commands.leave(), lambda _: None)
        batch.raw(channel.wake(1.0))
        batch.write()

    # ------------------------------------------------------------------------------------ while others are asked

    def _on_looks(self, line: Line, step: int, looks: Mapping[str, inputs.QueueLook]) -> None:
        if not line.lost:
            self._inbox.tell(line.call_id, inputs.QueuesSeen(step=step, looks=looks, at=self._clock.now()))

    def _music_later(self, line: Line, timeout_seconds: float) -> None:
        if timeout_seconds <= MUSIC_AFTER_SECONDS:
            return
        # The last lease written is the one that counts: what is left of this wait, from then on.
        lease = timeout_seconds - MUSIC_AFTER_SECONDS + LEASE_MARGIN_SECONDS
        loop = asyncio.get_running_loop()
        line.music = loop.call_later(MUSIC_AFTER_SECONDS, self._start_music, line, lease)

    def _start_music(self, line: Line, lease_seconds: float) -> None:
        line.music = None
        if self.link is None or line.lost or line.hanging_up:
            return
        line.music_plays = True
        batch = self.link.batch()
        self.add(line, batch, MUSIC_ON)
        batch.raw(line.channel.wake(lease_seconds))
        line.lease(lease_seconds, perf_counter())
        batch.write()

    # ------------------------------------------------------------------------------------------------------- keys

    def _nudge_later(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        line.nudge = loop.call_later(KEY_GRACE_SECONDS, self._nudge, line)

    def _nudge(self, line: Line) -> None:
        """Read did not see the key that we saw: end it with a `#` of our own."""
        line.nudge = None
        if self.link is None or line.lost or line.hanging_up or line.kind not in (Kind.PLAY, Kind.COLLECT):
            return
        line.injected += 1
        batch = self.link.batch()
        headers = {"Channel": line.channel.channel, "Digit": "#", "Duration": "80", "Receive": "yes"}
        batch.post("PlayDTMF", headers, about=line.channel.channel)
        batch.write()

    def _recorded_seconds(self, line: Line, found: AgiResult) -> float:
        """How long the recording is, from the file if it can be seen from here, else by the clock, unless it failed."""
        path = Path(self._places.recordings_dir) / f"{line.recording}.wav"
        try:
            return max(0.0, (path.stat().st_size - WAV_HEADER_BYTES) / WAV_BYTES_PER_SECOND)
        except OSError:
            if record_outcome(found.value or "") is RecordOutcome.FAILED:
                return 0.0
            began = line.recording_at or self._clock.now()
            return (self._clock.now() - began).total_seconds()

    # --------------------------------------------------------------------------------------------- after a gap

    async def resync(self) -> None:
        """After the link was away: end what ended meanwhile, and ask again for the results that were missed."""
        await Gap(self, self._inbox, self._clock).close()


def _agent(message: AmiMessage) -> str:
    return message["MemberName"] or message["Interface"]
