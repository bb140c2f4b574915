"""Whose number is shown when somebody outside is rung, as the documents write it: of a client, or of one node."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, ClassVar

from callrouter.dialplan.language import values
from callrouter.dialplan.language.fields import Block, Line, OneOf, Read

_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-03-01"]}


class IdentityBlock(Block):
    """Whose number is shown when somebody outside is rung for this client."""

    missing: ClassVar[Mapping[str, str]] = {"show": "write operator, client or caller"}

    show: Annotated[str, OneOf("operator", "client", "caller")]
    """`operator`: the number of `shared/trunk.yaml`; `client`: one of the client's own; `caller`: the caller's, and the
    operator's where they show none and in callbacks. `client` and `caller` only where `also_shows` of that file names
    them."""
    number: Line | None = None
    """With `client`: the number shown; by default the first of `numbers`."""
    mandate: Annotated[date, Read(values.day, _DAY)] | None = None
    """With `client`: since when it has given its mandate to show its number, such as `2026-03-01`."""
