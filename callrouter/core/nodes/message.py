"""Take a voice message.

```yaml
message:
  prompt: { say: "Laissez votre message après le bip." }
  max: 2m
  silence: 5s
  min: 2s
  deliver: email_doctor
  done: goodbye
```

A message ends by a key, by silence, at `max`, or when the caller hangs up, and is kept in each case; with less than
`min` from its first sound to its last, or without a sound that can be heard, it is none, and the call goes to `empty`
(or to `done`). What a recording that failed holds is kept likewise. Its length is that of its file, with the silence in
it.
`deliver` names a contact, who is told at once by e-mail and webhook as far as they have them, or a policy of the
client's `delivery`. Without it nobody is told, and the message stands on the agents' list.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from callrouter.core.call import Call, CallState, Message, RecordOutcome, replace
from callrouter.core.effects import Play, Record
from callrouter.core.inputs import MessageTaken, RecordingEnded, RecordingFound, Result
from callrouter.core.nodes._base import Leave, Node, Stay, Step, read_in, sounds_in, spoken
from callrouter.core.nodes.about import About, Effort, Family, LeftBy, Reads, Uses, Variables
from callrouter.core.read_aloud import PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan

_SPEECH_OR_SILENCE = LeftBy.SPEECH | LeftBy.SILENCE


class MessageNode(Node, frozen=True, kw_only=True):
    """Record a message; exits are `done` and, if wanted, `empty`."""

    kind: ClassVar[str] = "message"
    exit_names: ClassVar[frozenset[str]] = frozenset({"done"})
    optional_exits: ClassVar[frozenset[str]] = frozenset({"empty"})

    sounds: tuple[PromptPart, ...]
    max_seconds: float = 120.0
    silence_seconds: float = 5.0
    min_seconds: float = 2.0
    deliver: str = ""

    def about(self) -> About:
        """Who says nothing, or too little, leaves by `empty`, or like everybody else."""
        record = Record(recording="", max_seconds=self.max_seconds, silence_seconds=self.silence_seconds)
        return About(
            family=Family.KEEPS,
            left_by={"done": LeftBy.SPEECH, "empty": _SPEECH_OR_SILENCE}
            if "empty" in self.exits
            else {"done": _SPEECH_OR_SILENCE},
            does=(*((Play(sounds=sounds_in(self.sounds), interruptible=True),) if self.sounds else ()), record),
            reads=Reads(),
            variables=Variables(needed=read_in(self.sounds)),
            uses=Uses(delivers=self.deliver),
            effort=Effort(),
            unheard={
                "silence_seconds": "the silence that ends a recording",
                "min_seconds": "the shortest message that is kept",
            },
        )

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """Say what to do; a key skips it."""
        if not self.sounds:
            return self._record(call, at)
        return self.wait_again(plan, call, at)

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """Record after the prompt; go on after the recording."""
        if not isinstance(result, RecordingEnded):
            return self._record(replace(call, digits=""), at)
        because = f"{result.outcome.value}, {result.seconds:.0f} s{'' if result.heard else ', nothing heard'}"
        # A disk that is full: what was spoken until then is a message all the same, and somebody must hear of it.
        failed = result.outcome is RecordOutcome.FAILED
        troubles = (f"a message was cut off or not recorded ({because})",) if failed else ()
        if not self._is_one(result):
            exit_name = "empty" if "empty" in self.exits else "done"
            return Leave(call=replace(call, recording_at=None), exit=exit_name, because=because, troubles=troubles)
        return Leave(call=self._keep(call, result.seconds), exit="done", because=because, troubles=troubles)

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """What to do, or the same recording."""
        if call.recording_at is not None:
            return self._record(call, call.recording_at)
        parts, troubles = spoken(plan, call, self.sounds)
        play = Play(sounds=parts, interruptible=True)
        return Stay(call=call, state=CallState.PLAYING, effects=(play,), troubles=troubles)

    def on_hangup(self, call: Call, at: datetime) -> Call:
        """A caller who hangs up instead of pressing a key has left their message all the same.

        Here by the clock, for who cannot see the file: who can has told `on_recording_found` before.
        """
        if call.recording_at is None:
            return call
        seconds = (at - call.recording_at).total_seconds()
        if seconds < 0:  # the system clock was set back: how long it is nobody knows, but there is one
            return self._keep(call, self.min_seconds)
        return self._keep(call, seconds) if seconds >= self.min_seconds else call

    def on_recording_found(self, call: Call, found: RecordingFound) -> Call:
        """What its file holds is the message, whoever has the caller now."""
        if call.recording_at is None:
            return call
        return self._keep(call, found.seconds) if self._is_one(found) else replace(call, recording_at=None)

    def on_message_taken(self, call: Call, taken: MessageTaken) -> Call:
        """As if we had taken it ourselves."""
        return kept(call, taken, deliver=self.deliver) if self._is_one(taken) else call

    def _is_one(self, ended: RecordingEnded | RecordingFound | MessageTaken) -> bool:
        """Whether it is a message at all."""
        spoken = ended.seconds if ended.spoken_seconds is None else ended.spoken_seconds
        return ended.heard and spoken >= self.min_seconds

    def _keep(self, call: Call, seconds: float) -> Call:
        message = Message(
            recording=recording_of(call),
            node=self.name,
            deliver=self.deliver,
            started_at=call.recording_at or call.clocks.ringing_at,
            seconds=seconds,
        )
        return replace(call, messages=(*call.messages, message), recording_at=None)

    def _record(self, call: Call, at: datetime) -> Stay:
        record = Record(
            recording=recording_of(call),
            max_seconds=self.max_seconds,
            silence_seconds=self.silence_seconds,
        )
        call = replace(call, recording_at=at)
        return Stay(call=call, state=CallState.RECORDING, effects=(record,))


def recording_of(call: Call) -> str:
    """The name of the recording that a call is making."""
    return f"{call.call_id}-{len(call.messages)}"


def kept(call: Call, taken: MessageTaken, *, deliver: str = "") -> Call:
    """The call with a message that Asterisk's fallback took."""
    message = Message(
        recording=taken.recording,
        node=taken.node,
        deliver=deliver,
        started_at=taken.began_at,
        seconds=taken.seconds,
    )
    return replace(call, messages=(*call.messages, message))
