"""A parser for commands that answer at once: the standard library's, since typer takes as long to load as they do."""

from __future__ import annotations

import os
from argparse import ArgumentParser, HelpFormatter
from collections.abc import Iterable
from typing import Any


class Parser(ArgumentParser):
    """Speaks as the other commands do: `Usage: …`; a mistake ends with 2."""

    def __init__(self, prog: str, description: str, **others: Any) -> None:
        others.setdefault("formatter_class", _Formatter)
        super().__init__(prog=prog, description=description, allow_abbrev=False, **others)


class _Formatter(HelpFormatter):
    def __init__(self, prog: str) -> None:
        # Left to itself it asks shutil, which loads all kinds of archives; and one is made for each argument.
        super().__init__(prog, width=_columns() - 2)

    def add_usage(
        self, usage: str | None, actions: Iterable[Any], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or "Usage: ")


def _columns() -> int:
    """Of the terminal, as `shutil.get_terminal_size` finds them."""
    if (written := os.environ.get("COLUMNS", "")).isdecimal() and int(written):
        return int(written)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80
