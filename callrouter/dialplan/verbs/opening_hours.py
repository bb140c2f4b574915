"""`opening_hours`, as the documents write it."""

from collections.abc import Mapping
from typing import ClassVar

from callrouter.core.nodes import Node, OpeningHoursNode
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language.fields import Block, Name, Target
from callrouter.dialplan.verbs._base import Names, Verb


class OpeningHoursBlock(Block):
    """Branch on opening hours."""

    missing: ClassVar[Mapping[str, str]] = {
        "open": "say when it is open, or where the call goes then",
        "closed": "say where the call goes outside opening hours",
    }

    hours: Name | None = None
    """Which of the client's hours, when there are several."""
    open: Target
    """Where the call goes in opening hours."""
    closed: Target
    """Where it goes outside them."""
    holiday: Target | None = None
    """Where it goes on public holidays; by default where `closed` leads."""


def build(names: Names, name: str, block: OpeningHoursBlock) -> Node | None:
    """Its hours, which may be left out where the client has one set."""
    here = ("nodes", name, "opening_hours")
    exits = names.leads(
        name,
        "opening_hours",
        ("open", block.open, ("open",)),
        ("closed", block.closed, ("closed",)),
        ("holiday", block.holiday, ("holiday",)),
    )
    hours = block.hours
    if not names.schedules:
        names.fail('the client has no hours: write them under "hours"', *here)
        return None
    if hours is None:
        if len(names.schedules) > 1:
            known = ", ".join(names.schedules)
            names.fail(f'"hours" is missing: say which of the client\'s hours ({known})', *here)
            return None
        hours = next(iter(names.schedules))
    elif hours not in names.schedules:
        suggestion = closest(hours, names.schedules)
        names.fail(f"the client has no hours called {shown(hours)}", *here, "hours", suggestion=suggestion)
        return None
    return OpeningHoursNode(name=name, line=names.line("nodes", name), exits=exits, hours=names.hours_prefix + hours)


def describe(node: OpeningHoursNode) -> str:
    """Which hours."""
    return node.hours


OPENING_HOURS = Verb(
    name="opening_hours", node=OpeningHoursNode, block=OpeningHoursBlock, build=build, describe=describe
)
