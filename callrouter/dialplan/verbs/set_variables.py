"""`set`, as the documents write it."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from callrouter.core.nodes import Node, SetNode
from callrouter.dialplan.language.fields import Before, Block, Name, Target, Value, as_mapping, missing_key
from callrouter.dialplan.verbs._base import Names, Verb, own_name


class SetBlock(Block):
    """Give variables a value."""

    missing: ClassVar[Mapping[str, str]] = {"next": "say which node follows"}

    variables: Annotated[dict[Name, Value], Before(as_mapping), Field(min_length=1)] | None = None
    """Variables and their values."""
    language: Name | None = None
    """One of the client's languages: what follows is spoken in it."""
    next: Target
    """The node that follows."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.variables is None and self.language is None:
            raise missing_key("variables")
        return self


def build(names: Names, name: str, block: SetBlock) -> Node:
    """Its variables must be its own; its language is the assembly's to see to."""
    exits = names.leads(name, "set", ("next", block.next, ("next",)))
    for variable in block.variables or {}:
        own_name(names, variable, "nodes", name, "set", "variables", variable)
    return SetNode(name=name, line=names.line("nodes", name), exits=exits, variables=dict(block.variables or {}))


def describe(node: SetNode) -> str:
    """Variables and values."""
    return ", ".join(f"{name} = {value}" for name, value in node.variables.items())


SET = Verb(name="set", node=SetNode, block=SetBlock, build=build, describe=describe)
