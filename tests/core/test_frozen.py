"""Frozen values behave as the standard library's frozen dataclasses do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from callrouter.core.frozen import frozen


@frozen(slots=True)
class Slotted:
    """With slots."""

    name: str
    size: int = 3
    parts: tuple[str, ...] = field(default_factory=tuple)


@frozen()
class Open:
    """Without."""

    kind: ClassVar[str] = "open"
    name: str
    size: int = 3
    parts: tuple[str, ...] = field(default_factory=tuple)


@frozen()
class Larger(Open):
    """Takes the fields of its base, too."""

    more: float = 0.5
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.more < 0:
            raise ValueError("less than nothing")


@frozen(slots=True)
class Empty:
    """Has no field at all."""


@dataclass(frozen=True, kw_only=True)
class Standard:
    """What all is compared with."""

    name: str
    size: int = 3
    parts: tuple[str, ...] = field(default_factory=tuple)


@pytest.mark.parametrize("kind", [Slotted, Open])
def test_as_the_standard_library_has_it(kind: Any) -> None:
    """Fields, defaults, text, equality and hash."""
    one: Any = kind(name="a", parts=("x",))
    standard = Standard(name="a", parts=("x",))

    assert [each.name for each in fields(kind)] == [each.name for each in fields(Standard)]
    assert asdict(one) == asdict(standard)
    assert repr(one) == repr(standard).replace("Standard", kind.__name__)
    assert one == copy.copy(one)
    assert one != replace(one, size=4)
    assert one != standard
    assert hash(one) == hash(standard)
    assert {one: 1}[copy.copy(one)] == 1
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one


@pytest.mark.parametrize("kind", [Slotted, Open])
def test_nothing_changes(kind: Any) -> None:
    """Neither set nor deleted; a new name neither."""
    one = kind(name="a")

    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        one.name = "b"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        one.other = 1
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del one.name
    assert one.name == "a"


def test_given_by_name_only_and_all_of_them() -> None:
    """The sentences are Python's own, at the first instance as at the second."""
    for _ in range(2):
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'name'"):
            Open()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            Slotted(name="a", colour="red")  # type: ignore[call-arg]


def test_inherited() -> None:
    """Fields of the base come first; the base stays another class."""
    one = Larger(name="a", secret="s")

    assert repr(one) == "Larger(name='a', size=3, parts=(), more=0.5)"
    assert one.kind == "open"
    assert one != Open(name="a")
    with pytest.raises(ValueError, match="less than nothing"):
        Larger(name="a", more=-1)


def test_without_fields() -> None:
    """All of them are equal."""
    assert Empty() == Empty()
    assert len({Empty(), Empty()}) == 1
    assert not hasattr(Slotted(name="a"), "__dict__")
