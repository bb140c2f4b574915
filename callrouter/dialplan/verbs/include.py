"""`include`, as the documents write it: no node of its own, but the beginning of a snippet."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, WithJsonSchema

from callrouter.dialplan.language.fields import Block, Name
from callrouter.dialplan.verbs._base import Verb


class IncludeBlock(Block):
    """Go on in a snippet of `shared/snippets.yaml`.

    ```yaml
    include: { snippet: take_a_message, with: { to: post_box, after: bye } }
    ```

    The snippet's nodes become nodes of this tree, under this node's name (`message/ask`); `with` gives its parameters.
    """

    missing: ClassVar[Mapping[str, str]] = {"snippet": "name one of shared/snippets.yaml"}

    snippet: Name
    """The snippet's name."""
    with_: Annotated[dict[Name, Annotated[Any, WithJsonSchema({})]], Field(alias="with")] = Field(default_factory=dict)
    """A value for each of the snippet's parameters that has no default."""


INCLUDE = Verb(name="include", node=None, block=IncludeBlock, build=None, describe=None)
