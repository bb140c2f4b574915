"""What the commands that read the record share: reading a period."""

from __future__ import annotations

from datetime import date, datetime, time

import typer


def instant(text: str) -> datetime:
    """A day or an instant of the command line, in this machine's zone unless it names its own.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        if len(text) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(text), time()).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-24 or 2026-11-24T10:00") from None
