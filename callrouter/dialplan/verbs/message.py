"""`message`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from callrouter.core.nodes import MessageNode, Node
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Duration, Name, Positive, Target
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import length, said
from callrouter.dialplan.verbs._base import Names, Verb


class MessageBlock(Block):
    """Take a voice message."""

    missing: ClassVar[Mapping[str, str]] = {"done": "say where the call goes after the message"}

    prompt: Prompts | None = None
    """Said before the tone."""
    max: Annotated[Positive, bounds.MESSAGE] = 120.0
    """The longest message."""
    silence: Annotated[Positive, bounds.TIMEOUT] = 5.0
    """Silence that ends it."""
    min: Duration = 2.0
    """Who speaks for less, from their first sound to their last, leaves no message."""
    deliver: Name | None = None
    """The contact who gets it, told at once by e-mail and webhook; or a policy of `delivery`."""
    done: Target
    """Where the call goes after the message."""
    empty: Target | None = None
    """Where it goes when nothing was said; by default where `done` leads."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min >= self.max:
            raise PydanticCustomError("bounds", "min is not shorter than max: no message could be kept")
        return self


def build(names: Names, name: str, block: MessageBlock) -> Node:
    """Whoever the message is for must be known."""
    here = ("nodes", name, "message")
    deliver = names.deliver(block.deliver, *here, "deliver") if block.deliver is not None else ""
    return MessageNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "message", ("done", block.done, ("done",)), ("empty", block.empty, ("empty",))),
        sounds=names.voices(block.prompt, *here, "prompt"),
        max_seconds=block.max,
        silence_seconds=block.silence,
        min_seconds=block.min,
        deliver=deliver,
    )


def describe(node: MessageNode) -> str:
    """What is said, how long a message may be, and for whom it is."""
    to = f", for {node.deliver}" if node.deliver else ""
    return f"{said(node.sounds)}, at most {length(node.max_seconds)}{to}"


MESSAGE = Verb(name="message", node=MessageNode, block=MessageBlock, build=build, describe=describe)
