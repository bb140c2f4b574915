"""What Asterisk alone can do with a caller, when no engine takes a call or control of it was lost.

Its own dialplan (`[callrouter-fallback]` of extensions.conf) can put a caller into a queue, ring a number, take a
message, or say that nobody can answer. The proof refuses a fallback that is none of these; `questions.alone` says which
of them a tree comes to at an instant, and `asterisk.provision` publishes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from callrouter.core.conditions import DateWithin
from callrouter.core.effects import Dial, Effect, EnterQueue, Play, Record, Sound
from callrouter.core.identity import Identity
from callrouter.core.nodes._base import Node
from callrouter.core.nodes.about import About, Family
from callrouter.core.plan import MAX_MESSAGES


class Alone(StrEnum):
    """What Asterisk does with a caller."""

    QUEUE = "queue"
    NUMBER = "number"
    MESSAGE = "message"
    CLOSED = "closed"
    """A sentence that nobody can answer, and the end."""
    REFUSED = "refused"
    """The end, without an answer: as the tree refuses a caller."""


class Ready(Struct, frozen=True, kw_only=True):
    """A ready-made answer: what Asterisk does with a caller without asking anybody."""

    does: Alone
    whom: str = ""
    """The queue at the PBX, the number in E.164, or the node whose message it is."""
    priority: int = 0
    """In the queue."""
    sounds: tuple[Sound, ...] = ()
    """Said before a message is taken, or before the end; without any, Asterisk's own sentence."""
    max_seconds: float = 0.0
    silence_seconds: float = 0.0
    """Of a message: how long it may be, and the silence that ends it."""
    cause: int = 0
    """Q.850, of who is refused."""
    identity: Identity | None = None
    """What whoever is rung sees, where that is not what the client's other calls show."""

    def __str__(self) -> str:
        """`queue:medical`, `number:+33140000099`, `message:night`, `closed`."""
        return f"{self.does}:{self.whom}" if self.whom else str(self.does)


CLOSED = Ready(does=Alone.CLOSED)
"""Where nothing else is known."""


def ready_of(node: Node) -> Ready | None:
    """What Asterisk does where it is sent to a node by itself; None where it can do nothing like it."""
    about = node.about()
    sounds = said_by(about.does)
    for effect in about.does:
        # Of several people, and of those who take turns, an engine knows who is rung.
        if isinstance(effect, Dial) and not any(isinstance(ring.whom, str) for ring in about.uses.rings):
            continue
        if (found := ready_by(node.name, effect, sounds)) is not None:
            return found
    if about.family in (Family.ENDS, Family.REFUSES):
        return Ready(does=Alone.CLOSED, sounds=sounds)
    return None


def ready_by(node: str, effect: Effect, sounds: tuple[Sound, ...]) -> Ready | None:
    """What Asterisk does where a node asks for this; None where that does not decide it. `sounds` were said before."""
    match effect:
        case EnterQueue():
            return Ready(does=Alone.QUEUE, whom=effect.pbx_queue, priority=effect.priority)
        case Dial() if effect.numbers:
            return Ready(does=Alone.NUMBER, whom=effect.numbers[0], identity=effect.identity)
        case Record():
            return Ready(
                does=Alone.MESSAGE,
                whom=node,
                sounds=sounds,
                max_seconds=effect.max_seconds,
                silence_seconds=effect.silence_seconds,
            )
    return None


def said_by(effects: Iterable[Effect]) -> tuple[Sound, ...]:
    """What is said, without what is asked, and without values that are read aloud."""
    plays = (one for one in effects if isinstance(one, Play))
    return tuple(sound for play in plays for sound in play.sounds if isinstance(sound, Sound))


def recording_alone(call_id: str) -> str:
    """The name of the recording that Asterisk makes (extensions.conf): a tree's own are numbered up to this one."""
    return f"{call_id}-{MAX_MESSAGES}"


def out_of_hours(about: About, exit_name: str) -> bool:
    """Whether a node was left by this exit because the client is closed: by its hours, or by a date."""
    if about.reads.hours:
        return exit_name != "open"
    kind, _, index = exit_name.partition(":")
    return kind == "when" and isinstance(about.reads.conditions[int(index)], DateWithin)
