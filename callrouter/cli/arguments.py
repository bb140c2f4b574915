"""A parser for commands that answer at once: the standard library's, since typer takes as long to load as they do."""

from __future__ import annotations

from argparse import ArgumentParser, HelpFormatter
from collections.abc import Iterable
from typing import Any


class Parser(ArgumentParser):
    """Speaks as the other commands do: `Usage: …`; a mistake ends with 2."""

    def __init__(self, prog: str, description: str, **others: Any) -> None:
        others.setdefault("formatter_class", _Formatter)
        super().__init__(prog=prog, description=description, allow_abbrev=False, **others)


class _Formatter(HelpFormatter):
    def add_usage(
        self, usage: str | None, actions: Iterable[Any], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or "Usage: ")
