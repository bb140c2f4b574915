"""All we can ask of the switch for one call, in the imperative.

The effects of one step are performed in order, as one batch; only the last one ends the wait (its result
carries the step), except that `Answer` reports `CallAnswered` wherever it stands. How long the switch may take for
them is bounded by the lease that is written after them (`asterisk.translate`).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from callrouter.core.agents.preference import Preference
from callrouter.core.agents.standing import WrapUp
from callrouter.core.identity import Identity, Presented


class Sound(Struct, frozen=True, kw_only=True, gc=False):
    """One audio file the switch can play."""

    file: str
    """Path or name without suffix, as the switch plays it."""
    seconds: float
    """How long it lasts."""
    text: str = ""
    """What is said in it, for a reader of the plan; empty for music and noises."""


class ReadAs(StrEnum):
    """How a value is read aloud."""

    DIGITS = "digits"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    TELEPHONE = "telephone"


class Reading(Struct, frozen=True, kw_only=True, gc=False):
    """A value read aloud by the switch; `core.read_aloud` makes it, and lets nothing else into it."""

    read_as: ReadAs
    value: str
    """`0612` for digits and telephone numbers, `-42` for a number, `2026-11-24` for a date, `14:30` for a time."""
    language: str
    seconds: float
    """No longer than this."""
    figures: tuple[str, ...] = ()
    """Sounds of the figures, where the switch has none for the language: 0 to 9, then 00 to 99 figure by figure."""

    @property
    def text(self) -> str:
        """What is said, for a reader."""
        return self.value

    @property
    def file(self) -> str:
        """No single file; what stands for it where sounds are listed."""
        return f"{self.read_as}/{self.value}"


Part = Sound | Reading
"""What a prompt is made of."""


class Answer(Struct, frozen=True, kw_only=True, gc=False):
    """Take the call off the hook."""


class Play(Struct, frozen=True, kw_only=True, gc=False):
    """Play sounds one after the other; any key cuts them short if `interruptible`."""

    sounds: tuple[Part, ...]
    interruptible: bool


class CollectDigits(Struct, frozen=True, kw_only=True, gc=False):
    """Play sounds and collect up to `max_digits` keys; `#` ends early; a key cuts the sounds short."""

    sounds: tuple[Part, ...]
    max_digits: int
    timeout_seconds: float
    """Longest silence after the sounds, and between two keys."""


class Briefing(Struct, frozen=True, kw_only=True, gc=False):
    """For whom an agent answers, as their telephone shows it, and how long they are left alone afterwards."""

    client: str
    """The client's identifier."""
    name: str
    """What a person calls the client."""
    phrase: str = ""
    """How the agent answers for this client."""
    wrap_up: WrapUp = WrapUp()


class Announced(Struct, frozen=True, kw_only=True, gc=False):
    """What callers are told of the line they wait in (`core.waiting.announcing`)."""

    every_seconds: float
    places: tuple[Sound, ...] = ()
    """By place, from 1; the last one is said of all further back. Empty: the place is not told."""
    minutes: tuple[Sound, ...] = ()
    """By minutes that it may take, rounded up, from 1; the last one is said of all that is longer. Empty: not told."""


class Comfort(Struct, frozen=True, kw_only=True, gc=False):
    """Messages played in turn to callers who wait."""

    every_seconds: float
    messages: tuple[tuple[Part, ...], ...]


class Rising(Struct, frozen=True, kw_only=True, gc=False):
    """A caller who has waited so long gets this priority."""

    after_seconds: float
    to: int


class EnterQueue(Struct, frozen=True, kw_only=True, gc=False):
    """Put the caller in a team's line; music plays until an agent answers."""

    queue: str
    """The team's."""
    priority: int
    max_wait_seconds: float
    brief: tuple[Part, ...] = ()
    """Played to the agent alone before they are connected."""
    briefing: Briefing | None = None
    """None: nothing is shown, and no wrap-up follows."""
    keys: tuple[str, ...] = ()
    """Keys by which the caller leaves the line; all others do nothing."""
    turn_at: datetime | None = None
    """Since when they have waited in this line, where they come back to it: they get the place of that instant."""
    announced: Announced | None = None
    comfort: Comfort | None = None
    rising: Rising | None = None
    """What is left of it; None: their priority stays."""
    preference: Preference | None = None
    """Whom of the team the client wants; None: as the team does."""
    recording: str = ""
    """Opaque name under which the conversation is recorded, [A-Za-z0-9_.-]+; empty: it is not."""
    objection: str = ""
    """The key by which the caller ends that for good."""

    @property
    def pbx_queue(self) -> str:
        """The queue at the PBX: the team's, or one derived from it."""
        return self.preference.queue if self.preference else self.queue


class Dial(Struct, frozen=True, kw_only=True, gc=False):
    """Ring numbers, all at once; the first to accept is connected."""

    numbers: tuple[str, ...]
    """E.164."""
    ring_seconds: float
    screen: tuple[Part, ...] = ()
    """Played to the called party, who must press 1 to accept; empty: answering accepts."""
    names: tuple[str, ...] = ()
    """What the document calls them, for the record; empty: the numbers say it."""
    identity: Identity | None = None
    """What this one shows; None: what all of the client's calls do. The engine makes `presented` of it."""
    presented: Presented | None = None
    """Who calls, as they see it; the engine adds it. None: nothing is declared."""
    agent: str = ""
    """Instead of numbers: the agent whose telephone is rung, wherever they are logged in; `screen` is then what is
    whispered to them."""
    briefing: Briefing | None = None
    """What that agent is shown."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """Record the caller after a beep until a key, silence or the longest time; hanging up keeps it."""

    recording: str
    """Opaque name, [A-Za-z0-9_.-]+."""
    max_seconds: float
    silence_seconds: float


class LookAtQueues(Struct, frozen=True, kw_only=True, gc=False):
    """Ask for the state of these queues; `QueuesSeen` answers at once, or soon without their state."""

    queues: tuple[str, ...]


class Lookup(Struct, frozen=True, kw_only=True, gc=False):
    """Ask a web service, while the caller waits; `HttpRequest` is complete but for its secrets."""

    request: HttpRequest
    timeout_seconds: float
    fields: tuple[LookupField, ...]
    music: bool
    """Hold music once it takes longer than a short silence, if the call was answered."""


class HttpRequest(Struct, frozen=True, kw_only=True, gc=False):
    """What is sent to a web service."""

    method: str
    """GET or POST."""
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    """Name and value; a value `env:NAME` stands for a secret of the environment, which only the performer knows."""
    body: str = ""
    """JSON; empty: none."""


class LookupField(Struct, frozen=True, kw_only=True, gc=False):
    """A value wanted from an answer in JSON."""

    variable: str
    path: tuple[str, ...]
    """Keys and positions from the outside in: `customer.phones.0`."""
    longest: int
    """Bytes the value may take at most."""


class Hangup(Struct, frozen=True, kw_only=True, gc=False):
    """End the call with this Q.850 cause (16 normal, 17 busy, 21 rejected)."""

    cause: int


Effect = Answer | Play | CollectDigits | EnterQueue | Dial | Record | LookAtQueues | Lookup | Hangup


def describe_effect(effect: Effect) -> str:
    """An effect on one line, for a person: transcripts of tests and the rehearsed call on the command line."""
    match effect:
        case Answer():
            return "answer"
        case Play(sounds=sounds):
            return f"play {_heard(sounds)}"
        case CollectDigits(sounds=sounds, max_digits=wanted):
            return f"collect {wanted}: {_heard(sounds)}" if sounds else f"collect {wanted}"
        case EnterQueue(queue=queue, priority=priority, preference=preference, recording=recording):
            who = f" ({preference})" if preference else ""
            ranked = f" priority {priority}" if priority else ""
            return f"queue {queue}{who}{ranked}" + (" recorded" if recording else "")
        case Dial(agent=agent) if agent:
            return f"ring {agent}"
        case Dial(numbers=numbers, screen=screen, presented=presented):
            as_whom = f" as {presented.number}" if presented else ""
            return f"dial {' + '.join(numbers)}{as_whom}" + (" screened" if screen else "")
        case Record(max_seconds=seconds):
            return f"record at most {seconds:g} s"
        case LookAtQueues(queues=queues):
            return f"look at {' + '.join(queues)}"
        case Lookup(request=request):
            return f"look up {request.method} {request.url}"
        case Hangup(cause=cause):
            return f"hang up {cause}"


def _heard(sounds: tuple[Part, ...]) -> str:
    return " + ".join(sound.text or sound.file for sound in sounds)
