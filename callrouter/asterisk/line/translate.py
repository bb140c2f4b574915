"""Two tables: effect to AGI commands, result to input (`switch` and `line` translate events). Pure.

A batch of effects becomes one `Order`: channel variables that act at once, AGI commands that run one after the
other, and the lease that is written after them and wakes the channel. The lease is the sum of the longest times
of everything outstanding, because the last one written is the one that counts; what only people can end
(a conversation, a recording) runs in a routine of Asterisk's dialplan that switches the lease off by itself, and is
woken with a value so long that it never matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from msgspec import Struct

from callrouter.asterisk import briefing, commands
from callrouter.asterisk.asyncagi import AgiResult, ResultKind
from callrouter.asterisk.causes import dial_outcome, queue_key, queue_outcome, record_outcome
from callrouter.asterisk.commands import AgiCommand
from callrouter.asterisk.line import given
from callrouter.asterisk.line.recordings import NOTHING, Recorded
from callrouter.asterisk.say import sounds_of
from callrouter.asterisk.waiting.looks import LOOK_SECONDS
from callrouter.core import inputs
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Part,
    Play,
    Reading,
    Record,
    Sound,
)
from callrouter.core.identity import Presented
from callrouter.errors import EncodingError
from callrouter.runtime.ports import NOBODY, Directory

LEASE_MARGIN_SECONDS = 10.0
"""What a batch is given beyond its longest time: whoever dies at its end must be succeeded within that, or Asterisk's
fallback takes the call. An engine that is started again takes over within three seconds, on a busy machine within six;
a link that stands still for eight is found to be dead after four, and is back after them."""
ROUTINE_LEASE_SECONDS = 14_400.0
"""The wake-up of a routine: it switches the lease off itself; one that is woken late must not be cut."""
AFTER_ROUTINE_LEASE_SECONDS = LEASE_MARGIN_SECONDS
"""How long an engine, or its successor, has to go on after a routine, however the routine was left: as after any
other command, for the same reasons."""
ANSWER_LONGEST_SECONDS = 1.0
"""ANSWER waits up to half a second for the first audio frame (res_agi.c, handle_answer; __ast_answer)."""


class Kind(StrEnum):
    """What a command's result means to us."""

    STATE = "state"
    """Our own note on the channel: its result is the measure of the control round trip."""
    ANSWER = "answer"
    PLAY = "play"
    ASKED_AGAIN = "asked_again"
    """What stands for the end of prompts when the link was away: they may have been lost with it."""
    COLLECT = "collect"
    ROUTINE = "routine"
    """GOSUB itself; how it went stands in CR_RESULT, read after it."""
    QUEUE = "queue"
    DIAL = "dial"
    RECORD = "record"
    MUSIC = "music"
    """Hold music on or off, while somebody else is asked."""


class Command(Struct, frozen=True, kw_only=True, gc=False):
    """One AGI command and the meaning of its result."""

    text: AgiCommand
    kind: Kind


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """One batch for one channel."""

    state: bytes
    """The call's own state, which goes first; empty when it has been written."""
    variables: tuple[tuple[str, str], ...]
    commands: tuple[Command, ...]
    lease_seconds: float
    keys: int = 0
    """After how many keys the last command ends by itself; 0: no key ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What differs from one PBX to another."""

    recordings_dir: str
    """Folder of the recordings, as Asterisk sees it."""
    dial_pattern: str = "PJSIP/{number}@trunk-out"
    """How a number outside is dialled."""
    directory: Directory = NOBODY
    """Where agents are, for those whom a colleague gives a caller to."""
    pause: Sound | None = None
    """Silence before the first sound that somebody hears who has just been connected: until the way there is through,
    what is said to them is lost. It goes with that sound, as a file before its own, and costs no command."""


GET_RESULT = commands.get_variable("CR_RESULT")
SYNC = commands.noop()


def order(
    effects: Sequence[Effect],
    state: bytes,
    places: Places,
    *,
    step: int = 0,
    music: bool = False,
    quiet: bool = False,
    position: int = 0,
) -> Order:
    """The batch for all effects of the step but `Hangup`, which is no AGI command.

    The call's state goes first, so that it explains what follows. `music`: hold music plays since an earlier order, and
    ends before this one. `quiet`: the caller has not heard anything yet. `position`: their place in a queue, from 1;
    0: the last one.

    Raises:
        EncodingError: a value cannot be written; nothing has been sent.
    """
    variables: list[tuple[str, str]] = []
    batch: list[Command] = []
    if music:
        batch.append(MUSIC_OFF)
    lease, keys = LEASE_MARGIN_SECONDS, 0
    before: tuple[Sound, ...] = (places.pause,) if quiet and places.pause else ()
    for effect in effects:
        match effect:
            case Answer():
                batch.append(_ANSWER)
                lease += ANSWER_LONGEST_SECONDS
            case Play(sounds=sounds, interruptible=interruptible):
                play = _play(_files((*before, *sounds)), interruptible)
                batch.append(_read_of(step, play) if interruptible else play)
                lease += _seconds((*before, *sounds))
                before = ()
                keys = 1 if interruptible else 0
            case CollectDigits(sounds=sounds, max_digits=max_digits, timeout_seconds=timeout_seconds):
                sounds = (*before, *sounds)
                batch.append(_read_of(step, _collect(_files(sounds), max_digits, timeout_seconds)))
                # The time-out counts anew after the prompt, and after each key but the last (app.c, ast_app_getdata).
                lease += _seconds(sounds) + timeout_seconds * max_digits
                keys, before = max_digits, ()
            case EnterQueue():
                variables += _queue_variables(effect, places, position)
                batch += _of_step(step, _QUEUE)
                lease = ROUTINE_LEASE_SECONDS
            case Dial(agent=agent) if agent:
                variables += given.variables(effect, places.directory, _files(_after_pause(effect.screen, places)))
                batch += _of_step(step, _COLLEAGUE)
                lease = ROUTINE_LEASE_SECONDS
            case Dial():
                variables += _dial_variables(effect, places)
                batch += _of_step(step, _DIAL)
                lease = ROUTINE_LEASE_SECONDS
            case Record():
                variables += _record_variables(effect, places)
                batch += _of_step(step, _RECORD)
                lease = ROUTINE_LEASE_SECONDS
            case LookAtQueues():
                lease += LOOK_SECONDS
            case Lookup(timeout_seconds=timeout_seconds):
                lease += timeout_seconds
            case Hangup():
                raise ValueError("Hangup is not performed by AGI")
            case _:
                assert_never(effect)
    return Order(state=state, variables=tuple(variables), commands=tuple(batch), lease_seconds=lease, keys=keys)


def state_command(state: bytes) -> Command:
    """The call's own state through the channel's loop, not past it: a command that Asterisk answers at once."""
    return Command(text=commands.set_variable("CR_STATE", state.decode("ascii")), kind=Kind.STATE)


def result(kind: Kind, found: AgiResult, step: int, at: datetime, recorded: Recorded = NOTHING) -> inputs.Input | None:
    """The input that the result of a command is for the core; None when it is none.

    A negative result says that the channel hung up or that Asterisk took it back: the events say which. `recorded` is
    what was recorded.
    """
    if found.kind is not _OK:
        if found.kind in _NO_NEWS:
            return None
        return inputs.CommandFailed(step=step, reason=f"Asterisk refused a command: {found.text}", at=at)
    if kind is Kind.ASKED_AGAIN:
        return inputs.PromptEnded(step=step, at=at, is_sure=False)
    if (plain := _PLAIN.get(kind)) is not None:
        return plain(step=step, at=at)
    status = found.value or ""
    if status.startswith(given.GIVEN_AWAY):
        return given.transferred(status, step, at)
    match kind:
        case Kind.QUEUE:
            return inputs.QueueLeft(step=step, outcome=queue_outcome(status), at=at, key=queue_key(status))
        case Kind.DIAL:
            return inputs.DialEnded(step=step, outcome=dial_outcome(status), at=at)
        case Kind.RECORD:
            return inputs.RecordingEnded(
                step=step,
                outcome=record_outcome(status),
                seconds=recorded.seconds,
                heard=recorded.heard,
                spoken_seconds=recorded.spoken_seconds,
                at=at,
            )
        case _:
            return None


def recording_path(places: Places, recording: str) -> str:
    """Where Asterisk writes a recording. Raises EncodingError for a name that is not opaque."""
    return f"{places.recordings_dir}/{commands.opaque_id(recording)}.wav"


# Members of an enumeration are bound once where every step asks for them: up to Python 3.11 each access by name takes
# as long as three of an ordinary attribute.
_OK = ResultKind.OK
_NO_NEWS = frozenset({ResultKind.FAILED, ResultKind.DEAD})
_PLAIN: Mapping[Kind, type[inputs.CallAnswered | inputs.PromptEnded | inputs.CollectEnded]] = {
    Kind.ANSWER: inputs.CallAnswered,
    Kind.PLAY: inputs.PromptEnded,
    Kind.COLLECT: inputs.CollectEnded,
}
"""What the end of a command says that has no more to say."""
_ANSWER = Command(text=commands.answer(), kind=Kind.ANSWER)
MUSIC_ON = Command(text=commands.music(on=True), kind=Kind.MUSIC)
MUSIC_OFF = Command(text=commands.music(on=False), kind=Kind.MUSIC)


def _routine(context: str, kind: Kind) -> tuple[Command, Command, Command]:
    # A routine that is left by a transfer never reaches its own last steps, and AsyncAGI goes on with the lease off:
    # what stands in its queue runs even when the engine is dead, so the lease is put back there.
    return (
        Command(text=commands.gosub(context), kind=Kind.ROUTINE),
        Command(text=commands.lease(AFTER_ROUTINE_LEASE_SECONDS), kind=Kind.ROUTINE),
        Command(text=GET_RESULT, kind=kind),
    )


_QUEUE = _routine("callrouter-queue", Kind.QUEUE)
_DIAL = _routine("callrouter-dial", Kind.DIAL)
_COLLEAGUE = _routine("callrouter-colleague", Kind.DIAL)
_RECORD = _routine("callrouter-record", Kind.RECORD)


def _of_step(step: int, routine: tuple[Command, Command, Command]) -> tuple[Command, Command, Command]:
    """The routine with its step, which it leaves on the channel (CR_RAN), so that another engine knows that it ran."""
    gosub = Command(text=commands.AgiCommand(b"%b %d" % (routine[0].text, step)), kind=Kind.ROUTINE)
    return gosub, routine[1], routine[2]


_KEYS = "CR_KEYS"
_KEYS_ARGUMENT = b"CR_KEYS,"


def keys_variable(step: int) -> str:
    """Where the Read of a step leaves the keys that it took; the variable is not set while that Read has not run."""
    return f"{_KEYS}_{step}"


def _read_of(step: int, read: Command) -> Command:
    text = read.text.replace(_KEYS_ARGUMENT, b"CR_KEYS_%d," % step, 1)
    return Command(text=commands.AgiCommand(text), kind=read.kind)


@lru_cache(maxsize=8192)
def _play(files: tuple[str, ...], interruptible: bool) -> Command:
    # Background would leave for an extension named like the key; Read takes any key and goes on.
    if interruptible:
        return Command(text=commands.read(_KEYS, files, max_digits=1, timeout_seconds=0.001), kind=Kind.PLAY)
    return Command(text=commands.playback(files), kind=Kind.PLAY)


@lru_cache(maxsize=8192)
def _collect(files: tuple[str, ...], max_digits: int, timeout_seconds: float) -> Command:
    text = commands.read(_KEYS, files, max_digits=max_digits, timeout_seconds=timeout_seconds)
    return Command(text=text, kind=Kind.COLLECT)


def _files(sounds: Sequence[Part]) -> tuple[str, ...]:
    files: list[str] = []
    for sound in sounds:
        if type(sound) is Reading:
            files += sounds_of(sound)
        else:
            files.append(sound.file)
    return tuple(files)


def _seconds(sounds: Sequence[Part]) -> float:
    return sum([sound.seconds for sound in sounds])


def _after_pause(sounds: Sequence[Part], places: Places) -> Sequence[Part]:
    """What somebody hears who has just picked up."""
    return (places.pause, *sounds) if sounds and places.pause else sounds


def _queue_variables(effect: EnterQueue, places: Places, position: int) -> list[tuple[str, str]]:
    return [
        ("CR_QUEUE", commands.opaque_id(effect.pbx_queue)),
        # c: come back here when the agent hangs up first. m: music of this class, over which sentences are understood.
        ("CR_QUEUE_OPTIONS", "cm(callrouter-soft)" if effect.announced or effect.comfort else "c"),
        ("CR_QUEUE_WAIT", _whole(effect.max_wait_seconds)),
        ("CR_QUEUE_BRIEF", "&".join(_files(_after_pause(effect.brief, places)))),
        ("QUEUE_PRIO", str(effect.priority)),
        *([("CR_QUEUE_KEYS", _keys(effect.keys))] if effect.keys else []),
        *([("CR_QUEUE_POSITION", str(position))] if position else []),
        *_recorded_variables(effect, places),
        *([(briefing.VARIABLE, briefing.offer(effect.briefing, effect.brief))] if effect.briefing else []),
    ]


def _recorded_variables(effect: EnterQueue, places: Places) -> list[tuple[str, str]]:
    """The routine forgets them by itself: no caller is recorded by what an earlier queue wanted."""
    if not effect.recording:
        return []
    key = commands.opaque_id(_KEY_NAMES.get(effect.objection, effect.objection))
    return [("CR_RECORD", recording_path(places, effect.recording)), ("CR_OBJECTION", key)]


_KEY_NAMES = {"*": "star", "#": "pound"}
"""Keys that cannot stand in the name of a feature (features.conf)."""


def _dial_variables(effect: Dial, places: Places) -> list[tuple[str, str]]:
    legs = [places.dial_pattern.format(number=_dialable(number)) for number in effect.numbers]
    return [
        ("CR_DIAL", "&".join(f"Local/{index}@callrouter-leg/n" for index in range(len(legs)))),
        *((f"__CR_LEG_{index}", leg) for index, leg in enumerate(legs)),
        ("__CR_RING", _whole(effect.ring_seconds)),
        ("__CR_SCREEN", "&".join(_files(_after_pause(effect.screen, places)))),
        *presented_variables(effect.presented),
    ]


def presented_variables(presented: Presented | None) -> list[tuple[str, str]]:
    """Who calls, for callrouter-present. Where nothing is declared nothing is set: no call of the plan has any."""
    if presented is None:
        return []
    return [
        ("__CR_SHOWN", _dialable(presented.number)),
        ("__CR_FORWARDED_BY", _dialable(presented.forwarded_by) if presented.forwarded_by else ""),
        ("__CR_FORWARDING", presented.forwarding.value),
    ]


def _record_variables(effect: Record, places: Places) -> list[tuple[str, str]]:
    return [
        ("CR_FILE", recording_path(places, effect.recording)),
        ("CR_MAX", _whole(effect.max_seconds)),
        ("CR_SILENCE", _whole(effect.silence_seconds) if effect.silence_seconds else "0"),
        ("CR_RECORD_OPTIONS", ""),
    ]


def _whole(seconds: float) -> str:
    """Whole seconds, at least one: to the applications 0 means no bound at all."""
    return str(max(1, math.ceil(seconds)))


def _keys(keys: Sequence[str]) -> str:
    """Keys as they stand in a pattern of Asterisk's dialplan, between brackets. Raises EncodingError."""
    if wrong := [key for key in keys if len(key) != 1 or key not in "0123456789*#"]:
        raise EncodingError(f"{wrong[0][:40]!r} is no key of a telephone")
    return "".join(keys)


def _dialable(number: str) -> str:
    """A number that can be nothing but a number, whatever its source."""
    return number[:1] + commands.opaque_id(number[1:]) if number.startswith("+") else commands.opaque_id(number)
