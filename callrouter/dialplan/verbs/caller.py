"""`caller`, as the documents write it."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import ConfigDict

from callrouter.core.nodes import CallerNode, Node
from callrouter.dialplan.language.fields import Block, Target
from callrouter.dialplan.verbs._base import Names, Verb


class CallerBlock(Block):
    """Branch on lists of callers: every key but `otherwise` is the name of a list, the client's or a shared one."""

    missing: ClassVar[Mapping[str, str]] = {"otherwise": "say where the call goes when nothing else fits"}

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Target]

    otherwise: Target
    """Where callers go whom none of the lists holds."""

    @property
    def lists(self) -> dict[str, str]:
        """Targets by list, in the order written."""
        return self.__pydantic_extra__


def build(names: Names, name: str, block: CallerBlock) -> Node:
    """Its lists must be the client's, or shared."""
    here = ("nodes", name, "caller")
    exits = names.leads(
        name,
        "caller",
        *((f"list:{key}", target, (key,)) for key, target in block.lists.items()),
        ("otherwise", block.otherwise, ("otherwise",)),
    )
    for key in block.lists:
        if key not in names.lists:
            names.unknown_list(key, *here, key)
    lists = tuple(names.lists[key] for key in block.lists if key in names.lists)
    return CallerNode(name=name, line=names.line("nodes", name), exits=exits, lists=lists)


def describe(node: CallerNode) -> str:
    """Its exits say it."""
    return ""


CALLER = Verb(name="caller", node=CallerNode, block=CallerBlock, build=build, describe=describe)
