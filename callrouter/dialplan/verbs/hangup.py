"""`hangup`, as the documents write it."""

from collections.abc import Mapping
from typing import ClassVar

from callrouter.core.nodes import HangupNode, Node
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb


class HangupBlock(Block):
    """End the call."""

    missing: ClassVar[Mapping[str, str]] = {}

    prompt: Prompts | None = None
    """Said first."""


def build(names: Names, name: str, block: HangupBlock) -> Node:
    """Its last word."""
    sounds = names.voices(block.prompt, "nodes", name, "hangup", "prompt")
    return HangupNode(name=name, line=names.line("nodes", name), sounds=sounds)


def describe(node: HangupNode) -> str:
    """What is said."""
    return said(node.sounds)


HANGUP = Verb(name="hangup", node=HangupNode, block=HangupBlock, build=build, describe=describe)
