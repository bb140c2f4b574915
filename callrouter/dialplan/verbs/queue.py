"""`queue`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from callrouter.core.nodes import Node, QueueNode
from callrouter.dialplan.language import bounds, values
from callrouter.dialplan.language.fields import Block, Count, Name, OneOf, Positive, Read, Target
from callrouter.dialplan.language.prompts import Prompts
from callrouter.dialplan.language.words import length
from callrouter.dialplan.verbs._base import Names, Verb

KEYS = "0123456789*#"
MOST_DAYS = 183
"""Six months: the CNIL's limit for recordings of conversations."""


def _days(value: object) -> int:
    """A number of days for which a recording may be kept.

    Raises:
        ValueError: it is none.
    """
    days = values.count(value)
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"must be a number of days from 1 to {MOST_DAYS}, not {days}")
    return days


class RecordBlock(Block):
    """Record the conversation."""

    missing: ClassVar[Mapping[str, str]] = {
        "announcement": "say that the call is recorded, and by which key the caller objects",
    }

    announcement: Prompts
    """Said before the caller waits, to its end: that the call is recorded, and by which key one objects."""
    objection: Annotated[str, OneOf(*KEYS)] = "9"
    """The key by which the caller objects, from the announcement to the end of the conversation, in quotes."""
    keep: Annotated[int, Read(_days, {"type": "integer", "minimum": 1, "maximum": MOST_DAYS})] = 30
    """Days for which the recording is kept, six months at most."""


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
    record: RecordBlock | None = None
    """Record the conversation, after an announcement; by default nothing is recorded."""
    overflow: Target
    """Where the call goes when nobody answers in time, the queue is full, or nobody is logged in."""
    done: Target | None = None
    """Where it goes after the conversation; by default it ends."""


def build(names: Names, name: str, block: QueueBlock) -> Node:
    """Its queue must be known."""
    here = ("nodes", name, "queue")
    names.queue(block.name, *here, "name")
    record = block.record
    return QueueNode(
        name=name,
        line=names.line("nodes", name),
        exits=names.leads(name, "queue", ("overflow", block.overflow, ("overflow",)), ("done", block.done, ("done",))),
        queue=block.name,
        priority=block.priority,
        max_wait_seconds=block.max_wait,
        brief=names.voices(block.brief, *here, "brief"),
        announcement=names.voices(record.announcement if record else None, *here, "record", "announcement"),
        objection=record.objection if record else "",
        keep_days=record.keep if record else 0,
    )


def describe(node: QueueNode) -> str:
    """The team's line, how long a caller waits, and whether the conversation is recorded."""
    recorded = f"; recorded, {node.objection} objects" if node.announcement else ""
    return f"{node.queue}, priority {node.priority}, at most {length(node.max_wait_seconds)}{recorded}"


QUEUE = Verb(name="queue", node=QueueNode, block=QueueBlock, build=build, describe=describe)
