"""`answer`, as the documents write it."""

from collections.abc import Mapping
from typing import ClassVar

from callrouter.core.nodes import AnswerNode, Node
from callrouter.dialplan.language.fields import Block, Target
from callrouter.dialplan.verbs._base import Names, Verb


class AnswerBlock(Block):
    """Take the call off the hook."""

    missing: ClassVar[Mapping[str, str]] = {"next": "say which node follows"}

    next: Target
    """The node that follows."""


def build(names: Names, name: str, block: AnswerBlock) -> Node:
    """Its one exit."""
    exits = names.leads(name, "answer", ("next", block.next, ("next",)))
    return AnswerNode(name=name, line=names.line("nodes", name), exits=exits)


def describe(node: AnswerNode) -> str:
    """There is nothing to add."""
    return ""


ANSWER = Verb(name="answer", node=AnswerNode, block=AnswerBlock, build=build, describe=describe)
