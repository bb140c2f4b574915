"""`notify`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from callrouter.core.nodes import Node, NotifyNode
from callrouter.core.templates import parse
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language.fields import Before, Block, Line, Name, Target, as_mapping
from callrouter.dialplan.language.templates import TemplateText
from callrouter.dialplan.verbs._base import Names, Verb


class NotifyBlock(Block):
    """Tell a client's own system something."""

    missing: ClassVar[Mapping[str, str]] = {
        "contact": "name a contact with a url",
        "next": "say which node follows",
    }

    contact: Name
    """A contact with a `url`."""
    data: Annotated[dict[Line, TemplateText], Before(as_mapping)] = Field(default_factory=dict)
    """What is sent besides the call itself: names, and texts with `{variables}`."""
    next: Target
    """Where the call goes on, at once."""


def build(names: Names, name: str, block: NotifyBlock) -> Node | None:
    """Its contact must have an address."""
    here = ("nodes", name, "notify")
    exits = names.leads(name, "notify", ("next", block.next, ("next",)))
    contact = names.contact(block.contact, *here, "contact")
    if contact is None:
        return None
    if contact.url is None:
        names.fail(f'contact {shown(block.contact)} has no "url" to be told at', *here, "contact")
        return None
    return NotifyNode(
        name=name,
        line=names.line("nodes", name),
        exits=exits,
        contact=block.contact,
        url=contact.url,
        data=tuple((key, parse(value)) for key, value in block.data.items()),
    )


def describe(node: NotifyNode) -> str:
    """Who is told."""
    return node.contact


NOTIFY = Verb(name="notify", node=NotifyNode, block=NotifyBlock, build=build, describe=describe)
