"""Rows under one promise, summed up: what is read of days and of months alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from msgspec import Struct

from callrouter.core.service_level import Promise
from callrouter.store.figures.asking import Grouping
from callrouter.store.promises import promise_of_row

PROMISE: Final = (*("promise_id", "within_seconds", "target", "short_abandon_seconds", "formula", "clock", "timezone"),)
"""The columns of a promise."""
OF_DAYS: Final = frozenset({Grouping.DAY, Grouping.WEEKDAY, Grouping.MONTH, Grouping.HOUR})
"""Groupings for which it matters on which day a journey rang."""
APART: Final[Mapping[Grouping, str]] = {Grouping.DID: "did", Grouping.QUEUE: "queue"}
"""Groupings by which rows are apart, beside client and version."""


class Summed(Struct, frozen=True, kw_only=True, gc=False):
    """Rows under one promise, summed up as far as they are alike in what is asked for."""

    client: str
    """As its calls name it; empty: it is not asked for."""
    keys: tuple[Any, ...]
    """The values of the groupings that stand in rows, in their order."""
    changing_day: date | None
    """With hours: which day it is of, where the clocks change on it."""
    promise_id: int | None
    promise: Promise | None
    """None: none is known for the version."""
    first_at: datetime
    """When the first journey rang, or its quarter of an hour."""
    sums: Sequence[Any]
    joined: Sequence[bytes]
    """Bytes of all of them, one after the other."""


class Promises:
    """Those of some rows: each is made once."""

    def __init__(self) -> None:
        self._known: dict[int, Promise] = {}

    def of(self, columns: Sequence[Any]) -> tuple[int | None, Promise | None]:
        """Number and promise, by the values of `PROMISE`."""
        promise_id: int | None = columns[0]
        if promise_id is None:
            return None, None
        if promise_id not in self._known:
            self._known[promise_id] = promise_of_row(dict(zip(PROMISE, columns, strict=True)))
        return promise_id, self._known[promise_id]
