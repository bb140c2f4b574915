"""All we can ask of the switch for one call, in the imperative.

The effects of one step are performed in order, as one batch; only the last one ends the wait (its result
carries the step), except that `Answer` reports `CallAnswered` wherever it stands. `longest_seconds` bounds how
long the switch may take for it, or is None where only people decide (a conversation).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One audio file the switch can play."""

    file: str
    """Path or name without suffix, as the switch plays it."""
    seconds: float
    """How long it lasts."""
    text: str = ""
    """What is said in it, for a reader of the plan; empty for music and noises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Take the call off the hook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play sounds one after the other; any key cuts them short if `interruptible`."""

    sounds: tuple[Sound, ...]
    interruptible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectDigits:
    """Play sounds and collect up to `max_digits` keys; `#` ends early; a key cuts the sounds short."""

    sounds: tuple[Sound, ...]
    max_digits: int
    timeout_seconds: float
    """Longest silence after the sounds, and between two keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterQueue:
    """Put the caller in a team's line; music plays until an agent answers."""

    queue: str
    priority: int
    max_wait_seconds: float
    brief: tuple[Sound, ...] = ()
    """Played to the agent alone before he is connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Ring numbers, all at once; the first to accept is connected."""

    numbers: tuple[str, ...]
    """E.164."""
    ring_seconds: float
    screen: tuple[Sound, ...] = ()
    """Played to the called party, who must press 1 to accept; empty: answering accepts."""
    names: tuple[str, ...] = ()
    """What the document calls them, for the record; empty: the numbers say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Record the caller after a beep until a key, silence or the longest time; hanging up keeps it."""

    recording: str
    """Opaque name, [A-Za-z0-9_.-]+."""
    max_seconds: float
    silence_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """End the call with this Q.850 cause (16 normal, 17 busy, 21 rejected)."""

    cause: int


Effect = Answer | Play | CollectDigits | EnterQueue | Dial | Record | Hangup


def in_words(effect: Effect) -> str:
    """An effect on one line, for a person: transcripts of tests and the rehearsed call on the command line."""
    match effect:
        case Answer():
            return "answer"
        case Play(sounds=sounds):
            return f"play {_heard(sounds)}"
        case CollectDigits(sounds=sounds, max_digits=wanted):
            return f"collect {wanted}: {_heard(sounds)}" if sounds else f"collect {wanted}"
        case EnterQueue(queue=queue, priority=priority):
            return f"queue {queue}" + (f" priority {priority}" if priority else "")
        case Dial(numbers=numbers, screen=screen):
            return f"dial {' + '.join(numbers)}" + (" screened" if screen else "")
        case Record(max_seconds=seconds):
            return f"record at most {seconds:g} s"
        case Hangup(cause=cause):
            return f"hang up {cause}"


def _heard(sounds: tuple[Sound, ...]) -> str:
    return " + ".join(sound.text or sound.file for sound in sounds)
