"""What `make run` shows: calls as they live and end, in a table on a terminal and as plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, Any]
_SHOWN_ENDED = 12
_WIDE = 130
_COLOURS = {
    "answered": "green",
    "redirected": "green",
    "message_left": "cyan",
    "self_served": "cyan",
    "abandoned": "yellow",
    "left_early": "yellow",
    "rejected": "magenta",
    "failed": "red",
}


class Screen:
    """Use as a context; `show` may be called as often as one likes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._told: set[str] = set()

    def __enter__(self) -> Screen:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, live: Sequence[Row], ended: Sequence[Row], headline: str) -> None:
        """Calls in progress, and rows of calls that are over, the oldest first."""
        if self._live is not None:
            narrow = self._console.width < _WIDE
            self._live.update(_table(live, ended[-_SHOWN_ENDED:], headline, narrow=narrow))
            return
        for row in ended:
            if row["call_id"] not in self._told:
                self._told.add(row["call_id"])
                self._console.print(_line(row), markup=False, highlight=False, soft_wrap=True)


def _table(live: Sequence[Row], ended: Sequence[Row], headline: str, *, narrow: bool) -> Table:
    """On a narrow terminal the caller's number and the beginning of the path give way."""
    table = Table(title=headline, expand=True)
    for column in ("began", "caller", "client"):
        table.add_column(column, no_wrap=True)
    table.add_column("path", ratio=1, no_wrap=True)
    table.add_column("state", no_wrap=True)
    for row in ended:
        colour = _COLOURS.get(row["disposition"], "white")
        table.add_row(*_cells(row, narrow), f"[{colour}]{row['disposition']}[/]{_by(row)}")
    for row in live:
        table.add_row(*_cells(row, narrow), f"[bold]{row['state']}[/]{_by(row)}", style="bold")
    return table


def _cells(row: Row, narrow: bool) -> tuple[str, str, str, str]:
    path = row["path"][-1:] if narrow else row["path"]
    caller = (row["caller"]["name"] or _caller(row))[:18] if narrow else _caller(row)
    return _began(row), escape(caller), row["client"], " → ".join(path)


def _by(row: Row) -> str:
    return f" {row['agent']}" if row["agent"] else ""


def _began(row: Row) -> str:
    """The caller's clock in Paris, as the trees see it."""
    at = row["ringing_at"] if "ringing_at" in row else row["clocks"]["ringing_at"]
    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo('Europe/Paris')):%H:%M:%S}"


def _caller(row: Row) -> str:
    caller = row["caller"]
    return f"{caller['name']} {caller['number'] or '(withheld)'}".strip()


def _line(row: Row) -> str:
    path = " → ".join(row["path"])
    return f"{_began(row)}  {row['disposition']:<12} {row['client']:<18} {_caller(row):<34} {path}{_by(row)}"
