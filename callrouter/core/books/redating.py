"""A call whose instants were dated by a clock that has been set since: all of them move by as much. Pure.

Whoever sets a clock knows better than it did. So what was dated before is wrong by the same step, and a time that began
before it and ends after it would be longer or shorter by the step than it was.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct, structs

from callrouter.core.call import Call, replace

T = TypeVar("T", bound=Struct)


def redated(call: Call, by: timedelta) -> Call:
    """The same call with every instant moved, as a correction of what was told of it."""
    moved = _moved(call, by)
    return replace(moved, revision=call.revision.next())


def _moved(one: T, by: timedelta) -> T:
    """Every instant below it, in whatever part of it: a field that is new is not forgotten."""
    changes: dict[str, object] = {}
    for name in one.__struct_fields__:
        value = getattr(one, name)
        if isinstance(value, datetime):
            changes[name] = value + by
        elif isinstance(value, Struct):
            changes[name] = _moved(value, by)
        elif isinstance(value, tuple) and value and isinstance(value[0], Struct):
            changes[name] = tuple(_moved(part, by) for part in value)
    return structs.replace(one, **changes) if changes else one
