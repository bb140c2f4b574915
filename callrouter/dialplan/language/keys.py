"""Keys of a telephone, and where each of them leads."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from callrouter.dialplan.language.fields import Before, Target, as_mapping

KEYS: Final = frozenset("0123456789*#")


class _NotEmpty:
    """Lets editors know that a mapping holds something."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """At least one entry."""
        return {**handler(core_schema), "minProperties": 1}


class _Keys:
    """Lets editors know which keys a telephone has."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """One of them each."""
        return {**handler(core_schema), "propertyNames": {"pattern": "^[0-9*#]$"}}


KeyTargets = Annotated[dict[str, Target], Before(as_mapping), Field(min_length=1), _NotEmpty(), _Keys()]
"""Node by key."""
