"""`queue`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.nodes import Node, QueueNode
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Count, Name, Positive, Target
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import length
from callrouter.dialplan.verbs._base import Names, Verb


class QueueBlock(Block):
    """Put the caller in a team's line."""

    missing: ClassVar[Mapping[str, str]] = {
        "max_wait": "say how long a caller may wait, as in 3m",
        "overflow": "say where a caller goes when nobody answers in time",
    }

    name: Name
    """A queue of `shared/queues.yaml`."""
    priority: Count = 0
    """Callers with a higher one are answered first."""
    max_wait: Annotated[Positive, bounds.WAIT]
    """The longest a caller waits."""
    brief: Prompts | None = None
    """Whispered to the agent before they are connected."""
    overflow: Target
    """Where the call goes when nobody answers in time, the queue is full, or nobody is logged in."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


def build(names: Names, name: str, block: QueueBlock) -> Node:
    """Its queue must be known."""
    here = ("nodes", name, "queue")
    preference = names.line_of(block.name, *here, "name")
    return QueueNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "queue", ("overflow", block.overflow, ("overflow",)), ("done", block.done, ("done",))),
        queue=block.name,
        priority=block.priority,
        max_wait_seconds=block.max_wait,
        brief=names.voices(block.brief, *here, "brief"),
        preference=preference,
    )


def describe(node: QueueNode) -> str:
    """The team's line, and how long a caller waits."""
    who = f" ({node.preference})" if node.preference else ""
    return f"{node.queue}{who}, priority {node.priority}, at most {length(node.max_wait_seconds)}"


QUEUE = Verb(name="queue", node=QueueNode, block=QueueBlock, build=build, describe=describe)
