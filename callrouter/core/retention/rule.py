"""For how long each kind of what callers leave is kept, as the operator and the clients' files say it. Pure.

Nothing is deleted that nobody has said: a kind without a rule is kept until somebody deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from callrouter.core.books.recordings import MOST_KEEP_DAYS


class Kind(StrEnum):
    """What is kept."""

    CALLS = "calls"
    RECORDINGS = "recordings"
    MESSAGES = "messages"
    TRANSCRIPTS = "transcripts"
    TRACES = "traces"


MOST_DAYS: Final = 3650
MONTH_DAYS: Final = 31
"""A month that a rule names: never shorter than one of the calendar."""
LEAST_DAYS: Final[Mapping[Kind, int]] = {
    Kind.CALLS: 2 * MONTH_DAYS,
    Kind.RECORDINGS: 1,
    Kind.MESSAGES: 7,
    Kind.TRANSCRIPTS: 1,
    Kind.TRACES: 1,
}
"""The shortest that may be said."""
WHY_LEAST: Final[Mapping[Kind, str]] = {
    Kind.CALLS: "a month that is open, and the one before it, are reported and invoiced from the calls",
    Kind.MESSAGES: "whoever is told of one has to have read it by then",
}
CNIL_DAYS: Final = MOST_KEEP_DAYS
"""In France, for recordings: six months at most."""


class Retention(Struct, frozen=True, kw_only=True):
    """What a client's file says, in days; None: as the operator has set it."""

    calls: int | None = None
    recordings: int | None = None
    messages: int | None = None
    transcripts: int | None = None
    traces: int | None = None

    def days(self, kind: Kind) -> int | None:
        """Of a kind."""
        found: int | None = getattr(self, kind.value)
        return found

    @property
    def said(self) -> Mapping[Kind, int]:
        """The kinds of which it says something."""
        return {kind: days for kind in Kind if (days := self.days(kind)) is not None}


NOTHING_SAID: Final = Retention()


def why_refused(kind: Kind, days: int) -> str:
    """What is wrong with a number of days, as a sentence that says how to mend it; empty: nothing."""
    if days == 0:
        return f"0 would delete all {kind} at once: leave {kind} out to keep them, or write {LEAST_DAYS[kind]} or more"
    if days < LEAST_DAYS[kind]:
        why = f": {WHY_LEAST[kind]}" if kind in WHY_LEAST else ""
        return f"{kind} are kept for {LEAST_DAYS[kind]} days at least{why}"
    if days > MOST_DAYS:
        return (
            f"{kind} are kept for {MOST_DAYS} days at most: leave {kind} out to keep them until somebody deletes them"
        )
    return ""


WITHIN: Final[Mapping[Kind, Kind]] = {
    Kind.TRACES: Kind.CALLS,
    Kind.RECORDINGS: Kind.MESSAGES,
    Kind.TRANSCRIPTS: Kind.RECORDINGS,
}
"""What goes with what: a trace with its call, a recording with its message, a transcript with its recording."""


def without_effect(retention: Retention) -> Mapping[Kind, Kind]:
    """Kinds of which a file says longer than the kind that takes them along, by name: it could not act."""
    said = retention.said
    return {one: other for one, other in WITHIN.items() if one in said and other in said and said[one] > said[other]}
