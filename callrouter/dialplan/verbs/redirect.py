"""`redirect`, as the documents write it; into another client's tree it is resolved by the assembly."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, model_validator

from callrouter.core import numbers
from callrouter.core.nodes import Node, RedirectNode
from callrouter.dialplan.issues import shown
from callrouter.dialplan.language import bounds
from callrouter.dialplan.language.fields import Block, Line, Name, Positive, Target, missing_key
from callrouter.dialplan.language.identities import IdentityBlock
from callrouter.dialplan.language.words import length
from callrouter.dialplan.verbs._base import Names, Verb, as_whom


class RedirectBlock(Block):
    """Send the call to a number for good, or on to another client's tree."""

    missing: ClassVar[Mapping[str, str]] = {"failed": "say where the call goes when the number does not answer"}

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["number", "failed"]}, {"required": ["client"]}, {"required": ["did"]}]
        }
    )

    number: Line | None = None
    """The number to ring; it must be one that may be dialled (`shared/dialling.yaml`)."""
    client: Name | None = None
    """Another client: the call goes on at the start of its tree, with its hours, lists and language."""
    did: Line | None = None
    """A number of another client, instead of its name."""
    ring: Annotated[Positive, bounds.RING] = 30.0
    """How long `number` rings."""
    identity: IdentityBlock | None = None
    """Whose number `number` sees; by default what the client's `identity` says."""
    failed: Target | None = None
    """Where the call goes when `number` does not answer; a tree needs none."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(value is not None for value in (self.number, self.client, self.did)) != 1:
            raise ValueError('must name exactly one of "number", "client" and "did"')
        if self.number is not None and self.failed is None:
            raise missing_key("failed")
        if self.number is None and self.failed is not None:
            raise ValueError('"failed" is for a number only: a tree always goes on somewhere')
        if self.number is None and self.identity is not None:
            raise ValueError('"identity" is for a number only: a tree rings whom its own client says')
        return self


def build(names: Names, name: str, block: RedirectBlock) -> Node | None:
    """Its number must be one that may be dialled."""
    assert block.number is not None, "a redirect into a tree is no node: the assembly resolves it"
    exits = names.leads(name, "redirect", ("failed", block.failed, ("failed",)))
    number = numbers.written(block.number, names.country)
    if number is None:
        wrong = f"{shown(block.number)} {numbers.wrong_number(block.number, names.country)}"
        names.fail(wrong, "nodes", name, "redirect", "number")
        return None
    names.may_dial(number, "nodes", name, "redirect", "number")
    return RedirectNode(
        name=name,
        line=names.line("nodes", name),
        exits=exits,
        number=number,
        ring_seconds=block.ring,
        identity=names.identity(block.identity, "nodes", name, "redirect", "identity") if block.identity else None,
    )


def describe(node: RedirectNode) -> str:
    """Where to."""
    return f"to {node.number}, {length(node.ring_seconds)}{as_whom(node.identity)}"


REDIRECT = Verb(name="redirect", node=RedirectNode, block=RedirectBlock, build=build, describe=describe)
