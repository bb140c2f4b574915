"""What is commanded on a caller's channel in AsyncAGI: batches, each with its wake-up and its lease.

What is decided leaves as one batch, in one write: the call's state, the commands, the wake-up with the lease of all
that is outstanding. It is `unsent` while the link is away, and while a measured command is on its way. The tables of
`state` say what may be sent at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import inf
from time import perf_counter
from typing import Final

from callrouter.asterisk import commands
from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.asyncagi import AgiResult
from callrouter.asterisk.batch import Batch, OnResult
from callrouter.asterisk.line.hold_music import MUSIC_AFTER_SECONDS, HoldMusic
from callrouter.asterisk.line.read_keys import ReadKeys
from callrouter.asterisk.line.recordings import Recording
from callrouter.asterisk.line.round_trips import MEASURED_STEP, RoundTrips
from callrouter.asterisk.line.state import LineState, Sent, Standing
from callrouter.asterisk.line.translate import (
    LEASE_MARGIN_SECONDS,
    MUSIC_ON,
    ROUTINE_LEASE_SECONDS,
    SYNC,
    Command,
    Kind,
    Order,
    Places,
    keys_variable,
    order,
    state_command,
)
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.waiting.looks import Derived, look, none_derived
from callrouter.asterisk.waiting.wait import Wait
from callrouter.asterisk.waiting.waits import Waits
from callrouter.core import inputs
from callrouter.core.call import Call, CallState
from callrouter.core.effects import (
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Play,
    Record,
)
from callrouter.errors import AmiError, EncodingError

LEASE_GUARD_SECONDS: Final = 0.25
"""What is written so shortly before the end of a lease may come too late. A result is there 5 s before."""
ASKED_AGAIN_LEASE_SECONDS: Final = 60.0
GIVEN_BACK_LEASE_SECONDS: Final = 1.0
NORMAL_CLEARING: Final = 16
PEOPLE: Final = frozenset({Kind.QUEUE, Kind.DIAL})
"""Commands by which somebody may answer the caller."""
FOLLOWED: Final = frozenset({Record, LookAtQueues, Lookup, EnterQueue})
"""Effects with which something goes on beside the channel."""
HEARD: Final = frozenset({Play, CollectDigits, EnterQueue, Dial, Record})
"""Effects of which the caller hears something."""
ROUTINES: Final = PEOPLE | {Kind.RECORD}
"""Commands that run as a routine of Asterisk's dialplan; the result is read after it."""
_COMMANDS, _ROUTINE, _HANGUP = Sent.COMMANDS, Sent.ROUTINE, Sent.HANGUP
_ANSWER: Final = Kind.ANSWER
"""Bound once: asked for at every step."""
READ_STATUS: Final = "READSTATUS"
"""How the last Read ended (app_read.c): OK, and not one key, when it was ended by `#`."""
TOO_LATE_REASON: Final = "the engine was held up for longer than the lease: Asterisk took the call back"


KINDS: Final[Mapping[type[Effect], Kind]] = {
    Play: Kind.PLAY,
    CollectDigits: Kind.COLLECT,
    EnterQueue: Kind.QUEUE,
    Dial: Kind.DIAL,
    Record: Kind.RECORD,
}
"""By the last effect of a wait: the command that ends it. Others are asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """What another engine has left on a channel."""

    call: Call
    effects: Sequence[Effect]
    """What the call waits for."""
    once_more: Callable[[], None]
    """Has it asked for once more."""
    in_routine: bool
    """A routine of Asterisk's dialplan runs there."""
    runs: bool
    """One of the other engine's commands still runs."""
    over_at: datetime | None = None
    """When the routine ended that runs no more."""
    lease_seconds: float | None
    """After which Asterisk takes the channel back; None: no lease runs."""
    joined_with: int = 0
    """The priority with which the caller joined the queue that they wait in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePorts:
    """What all lines share."""

    link: AmiLink
    tell: Callable[[str, inputs.Input], None]
    """`Inbox.tell`."""
    now: Callable[[], datetime]
    places: Places
    round_trips: RoundTrips
    waits: Waits
    derived: Derived = none_derived
    """The queues derived from a team's."""


class CommandedLine(Standing, ABC):
    """The half of a line that sends; `line.Line` is the whole."""

    __slots__ = (
        *(
            "_answering_since",
            "_awaited",
            "_cause",
            "_keys",
            "_kind",
            "_latest",
            "_lease_ends_at",
            "_link",
            "_music",
            "_now",
            "_once_more",
            "_outstanding",
            "_over_at",
            "_ports",
            "_quiet",
        ),
        *("_ran", "_recording", "_step", "_taken", "_tell", "_unheard", "_unsent", "_written", "_written_at"),
        *("_wait", "channel", "uniqueid"),
    )

    def __init__(self, call_id: str, uniqueid: str, channel: str, ports: LinePorts) -> None:
        super().__init__(call_id)
        self.uniqueid = uniqueid
        self.channel = ChannelActions(channel)
        self._ports = ports
        self._link, self._tell, self._now = ports.link, ports.tell, ports.now
        self._step = 0
        self._kind: Kind | None = None
        """What the last command of the present batch is."""
        self._latest = b""
        """The call's state that an order is to be written with which still waits, or that its end was."""
        self._unsent: Order | None = None
        """What was decided and is still to be done: when the link is back, or the measured command has its result."""
        self._written: Order | None = None
        """The last one that was written; with the link away it may not have arrived."""
        self._lease_ends_at = inf
        """When Asterisk takes the channel back, should nothing be written before (`perf_counter`)."""
        self._written_at = 0.0
        """When the measured command was written (`perf_counter`)."""
        self._quiet = True
        """They have heard nothing of us yet."""
        self._taken = False
        """The channel shows that an engine has the call."""
        self._answering_since: datetime | None = None
        """When ANSWER was written, while its result is awaited."""
        self._cause = NORMAL_CLEARING
        """With which its end was asked for (Q.850)."""
        self._keys: ReadKeys | None = None
        self._music: HoldMusic | None = None
        self._recording: Recording | None = None
        self._wait: Wait | None = None
        """What they are told while they wait in a queue, if anything."""
        self._outstanding: list[bytes] = []
        """Commands since there was none whose result had not come."""
        self._awaited = 0
        """How many of them have no result yet."""
        self._once_more: Callable[[], None] | None = None
        """Has what another engine asked for asked for once more."""
        self._unheard = False
        """What another engine asked for had ended before this one came."""
        self._over_at: datetime | None = None
        """Since when the routine is over that ended while nobody listened."""
        self._ran = ""
        """The step of the routine that ran last, as the channel says."""

    @abstractmethod
    def lose(self, reason: str) -> None:
        """Asterisk has the caller, or will have them."""

    @abstractmethod
    def _on_result(self, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None: ...

    @abstractmethod
    def _on_read(self, name: str, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None: ...

    @abstractmethod
    def _on_ran(self, step: int, outcome: AgiResult | AmiError) -> None: ...

    @abstractmethod
    def _on_routine(self, kind: Kind, step: int, outcome: AgiResult | AmiError) -> None: ...

    @abstractmethod
    def _on_measured(self, step: int, outcome: AgiResult | AmiError) -> None: ...

    @abstractmethod
    def _on_looks(self, step: int, looks: Mapping[str, inputs.QueueLook]) -> None: ...

    def perform(self, call: Call, encoded: bytes, effects: Sequence[Effect]) -> None:
        """Write the effects as one batch; the result comes back as an input that names the step."""
        last = effects[-1]
        if type(last) is EnterQueue and last.turn_at is not None:
            # Where their place is now, Asterisk says within the lease that is left.
            self._latest = encoded
            waits, go_on = self._ports.waits, partial(self._perform_placed, call, effects)
            waits.find_place(last, last.turn_at, self._now(), go_on)
        else:
            self._perform(call, encoded, effects, 0)

    def _perform_placed(self, call: Call, effects: Sequence[Effect], position: int) -> None:
        """With the state of now: what was learnt while the place was looked for is not taken back."""
        self._perform(call, self._latest, effects, position)

    def _perform(self, call: Call, encoded: bytes, effects: Sequence[Effect], position: int) -> None:
        """`position`: the caller's place in the queue that they join, from 1; 0: the last one."""
        last = effects[-1]
        what = _HANGUP if type(last) is Hangup else _COMMANDS
        if what not in self._may_send:
            return
        now = perf_counter()
        # (With the link away nothing leaves; who has them is seen when it is back, be it that Asterisk was killed.)
        if now > self._lease_ends_at and self._link.connected:
            # This process was held up: what it decides from old results would reach a caller whom the fallback has,
            # and a wake-up, or a hang-up, would cut the conversation they may have there.
            self.lose(TOO_LATE_REASON)
            return
        if type(last) is Hangup:
            self.hang_up(last.cause, encoded)
            return
        self._step = call.step
        music = self._music
        try:
            plays = music is not None and music.plays
            places, quiet = self._ports.places, self._quiet
            ordered = order(effects, encoded, places, step=call.step, music=plays, quiet=quiet, position=position)
        except EncodingError as error:
            self._tell(self.call_id, inputs.CommandFailed(step=call.step, reason=str(error), at=self._now()))
            return
        if music is not None:
            music.stop()
            self._music = None
        if quiet:
            self._quiet = not any(type(effect) in HEARD for effect in effects)
        if call.step >= MEASURED_STEP and _shows_that_it_ran(ordered) and self._ports.round_trips.take(now):
            self._measure(ordered)
        else:
            self._write(ordered, now)
        if type(last) in FOLLOWED:
            self._follow(last, call)

    def _channel_name(self) -> str:
        """What the channel is called now."""
        return self.channel.channel

    def stop_waiting(self) -> None:
        """They wait in a queue no more."""
        if self._wait is not None:
            self._wait.stop()
            self._wait = None

    def _follow(self, last: Effect, call: Call) -> None:
        """What goes on while the channel is busy, or waits."""
        match last:
            case EnterQueue():
                name = self._channel_name
                self._wait = self._ports.waits.begin(self.call_id, self.uniqueid, name, last, self._now())
            case Record():
                self._recording = self._recording_of(last, self._now())
            case LookAtQueues(queues=queues):
                look(self._link, queues, partial(self._on_looks, call.step), self._ports.derived)
            case Lookup(music=True, timeout_seconds=seconds) if seconds > MUSIC_AFTER_SECONDS:
                if call.clocks.answered_at is not None:
                    self._music = HoldMusic(seconds, self._play_music)
            case _:
                pass

    def _recording_of(self, asked: Record, began_at: datetime) -> Recording:
        return Recording(self._ports.places.recordings_dir, asked.recording, began_at, asked.silence_seconds)

    def _write(self, ordered: Order, now: float) -> None:
        """Write a batch: the call's state first, and the wake-up with its lease last."""
        self._kind = kind = ordered.commands[-1].kind if ordered.commands else None
        if ordered.keys or self._keys is not None:
            self._expect(ordered.keys)
        link, channel = self._link, self.channel
        if not link.connected:  # nothing would leave, and nobody hear what it led to
            self._unsent = ordered
            return
        if not self._sends(_ROUTINE if kind in ROUTINES else _COMMANDS):
            return
        self._taken, self._unsent, self._written = True, None, ordered
        batch = link.batch()
        if ordered.state:
            batch.raw(channel.set_state(ordered.state))
        for name, value in ordered.variables:
            batch.raw(channel.set_variable(name, value))
        for command in ordered.commands:
            self._add(batch, command)
            if command.kind is _ANSWER:
                self._answering_since = self._now()
        self._wake(batch, ordered.lease_seconds, now)

    def _measure(self, ordered: Order) -> None:
        """Write the call's state alone, as a command, and all else when its result is there: one there and back.

        The lease is this command's, and short: that of a routine outlasts any call, and only the routine takes it away.
        """
        self._kind, self._unsent = ordered.commands[-1].kind, ordered
        self._expect(ordered.keys)  # they may come before it is written
        if self._link.connected and self._sends(Sent.COMMANDS):
            self._taken = True
            batch = self._link.batch()
            text = state_command(ordered.state).text
            self._outstanding.append(batch.agi(self.channel, text, partial(self._on_measured, self._step)))
            self._awaited += 1
            self._written_at = perf_counter()  # what led to it is no part of the way there and back
            self._wake(batch, LEASE_MARGIN_SECONDS, self._written_at)

    def _expect(self, keys: int) -> None:
        if self._keys is None:
            self._keys = ReadKeys(self._end_read)
        self._keys.expect(keys)

    def _add(self, batch: Batch, command: Command) -> None:
        """Put a command into a batch, and remember who waits for its result."""
        on_result = partial(self._on_result, command.kind, self._step)
        self._outstanding.append(batch.agi(self.channel, command.text, on_result))
        self._awaited += 1

    def _wake(self, batch: Batch, lease_seconds: float, now: float) -> None:
        """Write the batch with the wake-up at its end: that lease counts from now on; in a routine none runs."""
        self._lease(batch, lease_seconds, now)
        batch.write()

    def _lease(self, batch: Batch, lease_seconds: float, now: float) -> None:
        batch.raw(self.channel.wake(lease_seconds))
        self._lease_ends_at = (
            now + lease_seconds - LEASE_GUARD_SECONDS if lease_seconds < ROUTINE_LEASE_SECONDS else inf
        )

    def _end_read(self) -> bool:
        if self._kind not in (Kind.PLAY, Kind.COLLECT) or not self._sends(Sent.COMMANDS):
            return False
        batch, channel = self._link.batch(), self.channel.channel
        batch.post("PlayDTMF", {"Channel": channel, "Digit": "#", "Duration": "80", "Receive": "yes"}, about=channel)
        batch.write()
        return True

    def _play_music(self, lease_seconds: float) -> bool:
        if not (self._link.connected and self._sends(Sent.COMMANDS)):
            return False
        batch = self._link.batch()
        self._add(batch, MUSIC_ON)
        self._wake(batch, lease_seconds, perf_counter())
        return True

    def hang_up(self, cause: int, encoded: bytes) -> None:
        """End the call. What it has come to goes before: the hangup handler leaves it to whoever makes the record."""
        if not self._sends(_HANGUP):
            return
        self._cause, self._latest = cause, encoded
        batch = self._link.batch()
        if encoded:
            batch.raw(self.channel.set_state(encoded))
        elif not self._taken:
            # It is too long to be written. Whatever the handler finds: an engine had the call.
            batch.raw(self.channel.set_variable("CR_LOST", "taken"))
        batch.raw(self.channel.hang_up(cause))
        batch.write()

    def keep(self, encoded: bytes) -> None:
        """Write the call's state to the channel, past the channel's loop: a conversation is not disturbed."""
        self._latest = encoded
        if self._sends(Sent.STATE):
            self._link.post_batch(self.channel.set_state(encoded))

    def ran(self, step: str) -> bool:
        """Whether the routine that the channel says ran last (CR_RAN) is the one that this line waits for."""
        return self._kind in ROUTINES and self._unsent is None and step == str(self._step)

    def resume(self, over_at: datetime | None = None) -> None:
        """The link is back, and the fallback has not got the channel: do what was not done, ask what was not heard.

        `over_at`: when the routine ended that was ordered.
        """
        if self.state is LineState.ENDING:
            self.hang_up(self._cause, self._latest)
        elif self._unsent is not None:
            self._write(self._unsent, perf_counter())
        elif self._kind is not None and self._sends(Sent.QUESTION):
            self._over_at = over_at
            batch = self._link.batch()
            self._ask_again(batch, self._kind)
            batch.write()

    def take_up(self, found: TakenUp, batch: Batch) -> None:
        """Another engine has commanded the channel until now: what it asked for is waited for, and asked after."""
        call, last = found.call, found.effects[-1]
        self._step, self._kind, self._taken = call.step, KINDS.get(type(last)), True
        self._quiet = call.clocks.answered_at is None
        self._once_more, self._unheard = found.once_more, not found.runs
        if found.lease_seconds is not None:
            self._lease_ends_at = perf_counter() + found.lease_seconds - LEASE_GUARD_SECONDS
        if self._kind in ROUTINES:
            self._over_at = found.over_at
            if found.in_routine:
                self._sends(_ROUTINE)
            if isinstance(last, Record):
                began_at = call.recording_at or self._now()
                self._recording = self._recording_of(last, began_at)
            elif isinstance(last, EnterQueue) and found.in_routine and call.state is CallState.QUEUED:
                self._follow(last, call)
                if last.priority > found.joined_with:
                    self._ports.waits.raise_late(last, self.uniqueid, self._channel_name)
        elif self._kind in (Kind.PLAY, Kind.COLLECT):
            # Its state stands on the channel.
            self._written = order(found.effects, b"", self._ports.places, step=call.step)
            self._expect(self._written.keys)
        else:
            found.once_more()
            return
        if self._sends(Sent.QUESTION):
            self._ask_again(batch, self._kind)

    def _ask_again(self, batch: Batch, kind: Kind) -> None:
        """Queued after a running command, it is answered when that is done; at once, when it was done before."""
        if kind in ROUTINES:
            self._ask(batch, "CR_RAN", partial(self._on_ran, self._step))
            self._ask(batch, "CR_RESULT", partial(self._on_routine, kind, self._step))
            return
        if self._keys is not None and self._written is not None and self._written.keys:
            self._keys.asked()
            for name in (READ_STATUS, keys_variable(self._step)):
                self._ask(batch, name, partial(self._on_read, name, kind, self._step))
        else:
            asked = Kind.ASKED_AGAIN if kind is Kind.PLAY else kind
            self._add(batch, Command(text=SYNC, kind=asked))
        # What was ordered may have just begun: its own lease covers it, however long it is.
        lease_seconds = self._written.lease_seconds if self._written is not None else ASKED_AGAIN_LEASE_SECONDS
        self._lease(batch, lease_seconds, perf_counter())

    def _ask(self, batch: Batch, variable: str, on_result: OnResult) -> None:
        self._outstanding.append(batch.agi(self.channel, commands.get_variable(variable), on_result))
        self._awaited += 1

    def _repeat(self) -> None:
        """What was ordered never ran, or ended while nobody listened: once more."""
        if self._written is not None:
            self._write(self._written, perf_counter())
        elif self._once_more is not None:
            self._once_more()


def _shows_that_it_ran(ordered: Order) -> bool:
    """Whether the channel shows it: of an order whose state goes before, alone, a successor has to know."""
    return bool(ordered.commands) and (ordered.keys > 0 or ordered.commands[-1].kind in ROUTINES)


def give_back(link: AmiLink, channel: ChannelActions) -> None:
    """Have Asterisk's dialplan go on at once: without a word the caller would hear it ring until the lease ends."""
    link.agi(channel, commands.leave(), lambda _: None, lease_seconds=GIVEN_BACK_LEASE_SECONDS)
