"""What a node is.

A node is entered, and either waits (`Stay`: a state, and the effects to perform) or is left by one of its named
exits (`Leave`), or finishes the call (`Finish`). While it waits, the result of its effects is handed to
`resume`, which answers in the same three words. A node keeps nothing: what it must remember between two
waits stands in `Call.memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from msgspec import Struct, field

from callrouter.core.call import Call, CallState, Disposition, Notification, replace
from callrouter.core.effects import CollectDigits, Effect, Part, Sound
from callrouter.core.inputs import MessageTaken, RecordingFound, Result
from callrouter.core.nodes.about import About, Needed, Question
from callrouter.core.read_aloud import OF_EVERY_CALL, NotReadable, PromptPart

if TYPE_CHECKING:
    from callrouter.core.plan import Plan


class Stay(Struct, frozen=True, kw_only=True, gc=False):
    """The node waits, in `state`, for the result of the last of its effects."""

    call: Call
    state: CallState
    effects: tuple[Effect, ...]
    troubles: tuple[str, ...] = ()
    """What went wrong on the way, and was survived."""
    instead: Leave | None = None
    """How the node is left without this wait, when the next one takes the call off the hook by itself."""


class Leave(Struct, frozen=True, kw_only=True, gc=False):
    """The node is left by an exit, because of a value a person can read."""

    call: Call
    exit: str
    because: str = ""
    troubles: tuple[str, ...] = ()
    notification: Notification | None = None
    """What is to be delivered to a client's own system because of it."""


class Finish(Struct, frozen=True, kw_only=True, gc=False):
    """The tree ends here."""

    call: Call
    verdict: Disposition | None = None
    cause: int = 16
    because: str = ""


Step = Stay | Leave | Finish


class Node(Struct, frozen=True, kw_only=True, dict=True):
    """A step of the tree. A verb adds typed fields, and says how it is entered and resumed, and what it is."""

    kind: ClassVar[str]
    """The verb, as the document writes it."""
    exit_names: ClassVar[frozenset[str]]
    """Exits every node of this kind must have."""
    optional_exits: ClassVar[frozenset[str]] = frozenset()
    """Exits it may have: without them the call ends there, or leaves by another one."""

    name: str
    line: int = 0
    """Where it stands in its file, from 1."""
    source: str = ""
    """Its file, where that is not the client's own: a snippet's, or another client's."""
    included_at: str = ""
    """The place that put it into this tree (`cabinet-moreau.yaml:45`), where it was not written here."""
    exits: Mapping[str, str] = field(default_factory=dict)
    """Exit name to node name."""

    def __init_subclass__(cls) -> None:
        """Refuse a verb that leaves out a part no other one could have said for it.

        Raises:
            TypeError: which one.
        """
        super().__init_subclass__()
        for part in ("kind", "exit_names", "enter", "about"):
            if getattr(cls, part, None) is getattr(Node, part, None):
                raise TypeError(f"{cls.__name__} leaves out {part}")

    def enter(self, plan: Plan, call: Call, at: datetime) -> Step:
        """The call arrives at this node."""
        raise NotImplementedError

    def about(self) -> About:
        """What this node does, reads and needs, for whoever looks at the tree."""
        raise NotImplementedError

    def question(self, asked: CollectDigits) -> Question:
        """What may be keyed at one of its waits for keys; a node that never asks has no answer."""
        raise NotImplementedError(f"{self.kind} asks for keys and does not say which")

    def resume(self, plan: Plan, call: Call, result: Result, at: datetime) -> Step:
        """The result of what the node waited for; by default the wait was all there was to do."""
        return Leave(call=call, exit="next")

    def wait_again(self, plan: Plan, call: Call, at: datetime) -> Stay:
        """The wait that the call is in, as it is asked for once more where it may have been lost: no try is counted,
        and nothing is remembered. A node that never waits has no answer.
        """
        raise NotImplementedError(f"{self.kind} waits and does not say how it does so again")

    def on_hangup(self, call: Call, at: datetime) -> Call:
        """The call is over while this node waits: what is worth keeping is kept."""
        return call

    def on_recording_found(self, call: Call, found: RecordingFound) -> Call:
        """The node had something recorded, and will not be resumed: what is worth keeping is kept."""
        return call

    def on_message_taken(self, call: Call, taken: MessageTaken) -> Call:
        """Asterisk's fallback took a message in the node's place: whether it is one, and whose."""
        return call

    def leave_or_finish(self, call: Call, exit: str, because: str) -> Step:  # noqa: A002
        """Leave by an optional exit, or finish where the document does not use it."""
        if exit in self.exits:
            return Leave(call=call, exit=exit, because=because)
        return Finish(call=call, because=because)


def keyed(call: Call) -> Call:
    """The call without a `#` in front of what was keyed ahead: it ended a number that had ended by its length."""
    return replace(call, digits=call.digits.lstrip("#")) if call.digits.startswith("#") else call


def remember(call: Call, **values: int) -> Call:
    """The call with `values` put into the waiting node's memory."""
    return replace(call, memory={**call.memory, **values})


def spoken(plan: Plan, call: Call, prompt: tuple[PromptPart, ...]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """A prompt with the values of its variables, and what had to be left out of it."""
    if all(type(part) is Sound for part in prompt):
        return cast("tuple[Part, ...]", prompt), ()
    parts: list[Part] = []
    troubles: list[str] = []
    for part in prompt:
        if isinstance(part, Sound):
            parts.append(part)
            continue
        value = _value(call, part.variable)
        if value is None and part.variable in OF_EVERY_CALL:
            continue  # a caller who withholds their number: nothing is wrong
        if value is None:
            troubles.append(f"{part.variable} was not read aloud: it is not set")
            continue
        try:
            parts.append(part.read(value, plan.timezone))
        except NotReadable as error:
            troubles.append(f"{part.variable} was not read aloud: {error}")
    return tuple(parts), tuple(troubles)


def _value(call: Call, variable: str) -> str | None:
    if (value := call.variables.get(variable)) is not None:
        return value
    return {"caller": call.caller.number, "did": call.did}.get(variable)


def sounds_in(*prompts: tuple[PromptPart, ...]) -> tuple[Sound, ...]:
    """What is heard of prompts whatever the call's values are."""
    return tuple([part for prompt in prompts for part in prompt if isinstance(part, Sound)])


def usual_seconds(prompt: tuple[PromptPart, ...]) -> float:
    """How long callers listen to a prompt, values of the usual length supposed."""
    return sum([part.seconds if isinstance(part, Sound) else part.usual_seconds for part in prompt])


def read_in(*prompts: tuple[PromptPart, ...]) -> tuple[Needed, ...]:
    """The variables that prompts read aloud, each once; what every call has is none."""
    names = {part.variable for prompt in prompts for part in prompt if not isinstance(part, Sound)}
    return tuple([Needed(variable=name) for name in sorted(names.difference(OF_EVERY_CALL))])
