"""`play`, as the documents write it."""

from collections.abc import Mapping
from typing import ClassVar

from callrouter.core.nodes import Node, PlayNode
from callrouter.dialplan.language.fields import Block, Flag, Target
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb


class PlayBlock(Block):
    """Play prompts."""

    missing: ClassVar[Mapping[str, str]] = {
        "prompt": 'write what is said, as in { say: "…" }',
        "next": "say which node follows",
    }

    prompt: Prompts
    """What is said: one text or sound, or a sequence."""
    interruptible: Flag = True
    """Whether a key cuts it short."""
    next: Target
    """The node that follows."""


def build(names: Names, name: str, block: PlayBlock) -> Node:
    """Its prompts, with the places of the variables that are read aloud."""
    return PlayNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "play", ("next", block.next, ("next",))),
        sounds=names.voices(block.prompt, "nodes", name, "play", "prompt"),
        interruptible=block.interruptible,
    )


def describe(node: PlayNode) -> str:
    """What is said."""
    return said(node.sounds)


PLAY = Verb(name="play", node=PlayNode, block=PlayBlock, build=build, describe=describe)
