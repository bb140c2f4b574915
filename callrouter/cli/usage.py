"""How a command's options look in its help."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


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


def _without_types(parameters: list[Any]) -> list[Any]:
    for one in parameters:
        if getattr(one, "is_flag", False):
            one.metavar = ""
    return parameters
