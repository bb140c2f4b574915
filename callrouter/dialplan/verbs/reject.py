"""`reject`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.nodes import Node, RejectNode
from callrouter.dialplan.language.fields import Block, OneOf
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import said
from callrouter.dialplan.verbs._base import Names, Verb

CAUSES = {"rejected": 21, "busy": 17, "unallocated": 1}
"""Q.850 causes by the words of the language."""

Cause = Annotated[str, OneOf(*CAUSES)]


class RejectBlock(Block):
    """Refuse the call."""

    missing: ClassVar[Mapping[str, str]] = {}

    cause: Cause = "rejected"
    """What the caller's telephone is told: `rejected`, `busy` or `unallocated`."""
    prompt: Prompts | None = None
    """Said first; without it the call is refused unanswered."""


def build(names: Names, name: str, block: RejectBlock) -> Node:
    """Its cause, as Q.850 has it."""
    sounds = names.voices(block.prompt, "nodes", name, "reject", "prompt")
    return RejectNode(name=name, line=names.line("nodes", name), sounds=sounds, cause=CAUSES[block.cause])


def describe(node: RejectNode) -> str:
    """What is said."""
    return said(node.sounds)


REJECT = Verb(name="reject", node=RejectNode, block=RejectBlock, build=build, describe=describe)
