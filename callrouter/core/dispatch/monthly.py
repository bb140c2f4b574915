"""Reports that somebody of a client's is sent each month."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LANGUAGES: Final = ("fr", "en")
"""In which reports are written."""


class MonthlyReport(Struct, frozen=True, kw_only=True):
    """One that a contact is sent on the first of each month, of the month that is over."""

    to: str
    """The contact."""
    minute: int
    """Of the first day of the month, by the client's clock, from which on it is sent."""
    language: str
    """`fr` or `en`."""
    line: int = 0
    """Where it is written in the client's file."""
