"""A form: what a client wants to be asked of its callers, and for which calls. Plain data, compiled from its file."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct


class FieldType(StrEnum):
    """What a field holds, and by what it is checked."""

    NAME = "name"
    """Who called, or whom it is about."""
    NUMBER = "number"
    """A telephone number, kept in E.164."""
    CHOICE = "choice"
    """One of the field's choices."""
    DATE = "date"
    """A day, kept as ISO 8601 writes it: `2026-12-24`."""
    TEXT = "text"
    """Anything, on one line."""
    URGENCY = "urgency"
    """Whether somebody must hear of it at once."""


class Urgency(StrEnum):
    """The values of a field of that type."""

    NORMAL = "normal"
    URGENT = "urgent"


class Field(Struct, frozen=True, kw_only=True):
    """One thing to be asked."""

    name: str
    label: str
    """What a person calls it."""
    type: FieldType
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    """Of a choice: the value that is kept, and what a person calls it."""


class HoursAre(Struct, frozen=True, kw_only=True):
    """A set of the client's hours must be open, or closed."""

    hours: str
    """Its name in the plan."""
    open: bool


class When(Struct, frozen=True, kw_only=True):
    """For which calls a form is: all that is said must hold; nothing said: for every call."""

    hours: tuple[HoursAre, ...] = ()
    lists: tuple[str, ...] = ()
    """Lists of callers, one of which must hold the caller."""
    kinds: tuple[str, ...] = ()
    """Nodes of the plan, one of which must have put the caller through."""

    def holds(self, *, is_open: Callable[[str], bool], in_list: Callable[[str], bool], kind: str) -> bool:
        """Whether it is for a call, by which hours are open, which lists hold the caller, and of which kind it is."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.lists or any(map(in_list, self.lists)))
            and all(is_open(one.hours) is one.open for one in self.hours)
        )


class Form(Struct, frozen=True, kw_only=True):
    """What is to be asked for a message, in order, and who gets it."""

    name: str
    title: str
    """What a person calls it."""
    fields: tuple[Field, ...]
    deliver: str
    """Name of the policy or the contact that its messages are for."""
    when: When = When()

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Of each field its name, and what a person calls it: kept with a message, for a form may change."""
        return tuple((field.name, field.label) for field in self.fields)
