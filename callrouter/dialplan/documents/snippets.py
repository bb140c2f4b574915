"""Snippets and their parameters as the documents write them; their nodes are read when they are filled in."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, WithJsonSchema, model_validator

from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.language.fields import Before, Block, Line, Name, OneOf, as_mapping

PARAMETER_TYPES = ("node", "text", "queue", "contact", "number", "duration", "count", "hours", "list")
ParameterType = Annotated[str, OneOf(*PARAMETER_TYPES)]


class OrType:
    """Lets editors accept a parameter's type alone."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The type, or the mapping."""
        return {"anyOf": [{"enum": list(PARAMETER_TYPES)}, handler(schema)]}


class ParameterBlock(Block):
    """A parameter of a snippet."""

    missing: ClassVar[Mapping[str, str]] = {"type": f"write one of {', '.join(PARAMETER_TYPES)}"}

    type: ParameterType
    """What it stands for."""
    default: Annotated[Any, WithJsonSchema({})] = None
    """Its value when the place of inclusion gives none."""
    about: Line = ""
    """What a person should know of it."""


def _parameter(value: object) -> object:
    """`after: node` for `after: { type: node }`."""
    return {"type": value} if isinstance(value, str) else value


class SnippetBlock(Block):
    """A sub-tree that several clients use; `$name` stands for the value of a parameter."""

    missing: ClassVar[Mapping[str, str]] = {
        "start": "say at which node it begins",
        "nodes": "write its nodes, as in a client's file",
    }

    about: Line = ""
    """What it does, for people."""
    parameters: dict[Name, Annotated[ParameterBlock, Before(_parameter), OrType()]] = Field(default_factory=dict)
    """Its parameters by name, each with its type: node, text, queue, contact, number, duration, count, hours, list."""
    start: Name
    """The node at which it begins."""
    nodes: Annotated[dict[Name, Any], Before(as_mapping), Field(min_length=1, max_length=100)]
    """Its nodes, as in a client's file; a parameter of type node is a way out."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in self.parameters:
            if name in self.nodes:
                raise ValueError(f"{shown(name)} is a parameter and a node: give one of them another name")
        if self.start not in self.nodes:
            hint = closest(self.start, self.nodes)
            meant = f' (did you mean "{hint}"?)' if hint else ""
            raise ValueError(f"start {shown(self.start)} does not exist{meant}")
        return self
