"""Frozen values: what `dataclass(frozen=True, kw_only=True)` makes of a class, in a fifth of the time.

The standard decorator writes and compiles six methods for each class, which takes half a millisecond. A command that
answers at once (`callrouter route`) loads more than a hundred such classes: that was a quarter of all it did. Here only
`__init__` is compiled, at its first use; the other methods are the same few functions for every class. What the module
`dataclasses` does with a dataclass it does with these, and type checkers see one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen(*, slots: bool = False) -> Callable[[_Class], _Class]:
    """Make a class one of frozen values, compared by their fields; fields are given by name.

    With `slots`, instances take less room and have no dictionary.
    """

    def make(cls: _Class) -> _Class:
        made: Any = dataclass(init=False, repr=False, eq=False, kw_only=True, slots=slots)(cls)
        names = tuple(one.name for one in fields(made))
        values = _values(names)
        made.__init__ = _initialiser_when_needed(made)
        made.__eq__ = lambda self, other: values(self) == values(other) if type(self) is type(other) else NotImplemented
        made.__hash__ = lambda self: hash(values(self))
        made.__repr__ = _represent
        made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
        if slots:
            made.__getstate__ = lambda self: values(self)  # the getter alone would not be bound like a method
            made.__setstate__ = _restore
        found: _Class = made
        return found

    return make


def _values(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """What reads all fields at once; `attrgetter` makes no tuple of fewer than two."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _initialiser_when_needed(cls: Any) -> Callable[..., None]:
    """Compiles the initialiser when the first instance is made: most classes of a short command never have one."""

    def first(self: object, /, **given: object) -> None:
        cls.__init__ = _initialiser(cls)
        cls.__init__(self, **given)

    return first


def _initialiser(cls: Any) -> Callable[..., None]:
    """The one method that is worth compiling: values are made all the time."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": MISSING}
    parameters, body = [], []
    for one in fields(cls):
        name, parameter, value = one.name, one.name, one.name
        if one.default is not MISSING:
            known[f"_default_{name}"] = one.default
            parameter += f"=_default_{name}"
        elif one.default_factory is not MISSING:
            known[f"_make_{name}"] = one.default_factory
            parameter += "=_MISSING"
            value = f"_make_{name}() if {name} is _MISSING else {name}"
        parameters.append(parameter)
        body.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    signature = ", ".join(("self", "*", *parameters) if parameters else ("self",))
    # As the standard decorator does it; the text holds nothing but the names of our own fields.
    exec(f"def __init__({signature}):\n" + "\n".join(body or [" pass"]), known)  # noqa: S102
    initialiser: Callable[..., None] = known["__init__"]
    initialiser.__qualname__ = f"{cls.__qualname__}.__init__"
    return initialiser


def _represent(self: Any) -> str:
    written = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({written})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: object, state: tuple[Any, ...]) -> None:
    """For `copy` and `pickle`: an instance with slots has no dictionary to be filled."""
    for one, value in zip(fields(self), state, strict=True):  # type: ignore[arg-type]
        object.__setattr__(self, one.name, value)
