"""Methods whose answers are kept: a compiled tree does not change, so the same question has the same answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple

_Asked = TypeVarTuple("_Asked")
_Of = TypeVar("_Of")
_Answer = TypeVar("_Answer")


def found_once(method: Callable[[_Of, *_Asked], _Answer]) -> Callable[[_Of, *_Asked], _Answer]:
    """The same method; each answer is found once, and kept as long as the object that was asked."""
    place = f"_{method.__name__}_found"

    @wraps(method)
    def find(of: Any, *asked: *_Asked) -> _Answer:
        found: dict[tuple[*_Asked], _Answer] = of.__dict__.setdefault(place, {})
        if asked not in found:
            found[asked] = method(of, *asked)
        return found[asked]

    return find
