"""How a command's options look in its help, and how the texts that are given for them are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from callrouter.periods import Moment, Period

T = TypeVar("T")

WHEN = "Day (2026-11-24, today, yesterday) or time, in the client's zone; of all clients, in the one most have"
"""What `--from` takes; `--to` likewise, not included."""


class Command(TyperCommand):
    """A command whose flags are shown as what they are: Typer writes <bool> beside each, and a flag takes no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Those of Typer."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """The same for a command that has others below it."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Those of Typer."""
        return _without_types(super().get_params(ctx))


def argument(read: Callable[[str], T], text: str) -> T:
    """The value of an option; what it cannot read is a wrong use of the command."""
    try:
        return read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def period_of(from_: str | None, to: str | None) -> Period:
    """Of `--from` and `--to`."""
    start, end = (argument(Moment.parse, text) if text else None for text in (from_, to))
    return Period(start, end)


class Asked(NamedTuple):
    """The words that say a period, as options give them."""

    from_: str | None = None
    to: str | None = None
    month: str | None = None
    last: str | None = None
    yesterday: bool = False


def period_asked(words: Asked) -> Period | None:
    """Of `--from`, `--to`, `--month`, `--last` and `--yesterday`; None where none is given."""
    return argument(lambda _: Period.asked(**words._asdict()), "")


def _without_types(parameters: list[Any]) -> list[Any]:
    for one in parameters:
        if getattr(one, "is_flag", False):
            one.metavar = ""
    return parameters
