"""How journeys stand in rows of days and months: by a byte of their kind, and eight of each time.

The numbers are kept in the database: none may ever change its meaning (a test has them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callrouter.core.call import Disposition, QueueOutcome

Seconds = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Which = NDArray[np.bool_]

DISPOSITIONS: Final[Mapping[Disposition, int]] = {
    Disposition.ANSWERED: 0,
    Disposition.REDIRECTED: 1,
    Disposition.MESSAGE_LEFT: 2,
    Disposition.SELF_SERVED: 3,
    Disposition.ABANDONED: 4,
    Disposition.LEFT_EARLY: 5,
    Disposition.REJECTED: 6,
    Disposition.FAILED: 7,
}
OFFERED: Final = 8
"""Added to the number of a journey that entered human service."""
REACHED_LATER: Final = 16
"""Added to that of one whose caller was reached afterwards."""

OUTCOMES: Final[Mapping[QueueOutcome, int]] = {
    QueueOutcome.ANSWERED: 0,
    QueueOutcome.ABANDONED: 1,
    QueueOutcome.TIMEOUT: 2,
    QueueOutcome.FULL: 3,
    QueueOutcome.EMPTY: 4,
    QueueOutcome.EXITED: 5,
    QueueOutcome.FAILED: 6,
}
UNSEEN: Final = 15
"""Of a visit whose end nobody saw."""

QUARTER_SECONDS: Final = 900
LAST_QUARTER: Final = 255
"""That of whatever is later than a byte can say: a journey entered a queue three days after it rang."""


def seconds_of(kept: bytes) -> Seconds:
    """Times as they are kept: PostgreSQL's float8send, the most significant byte first."""
    return np.frombuffer(kept, dtype=">f8").astype(np.float64)


def bytes_of(kept: bytes) -> Bytes:
    """Kinds, or quarters of an hour."""
    return np.frombuffer(kept, dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Each:
    """A column that has something for each journey, or for each of some."""

    dtype: str
    """Of what is kept of one, as numpy names it."""
    whose: Callable[[Bytes], Which]
    """By the kinds of journeys: which of them it has something of."""


def _all(kinds: Bytes) -> Which:
    return np.ones(len(kinds), dtype=np.bool_)


def _reached(kinds: Bytes) -> Which:
    return np.isin(kinds & (OFFERED - 1), [DISPOSITIONS[Disposition.ANSWERED], DISPOSITIONS[Disposition.REDIRECTED]])


def _abandoned(kinds: Bytes) -> Which:
    return np.isin(kinds & (OFFERED - 1), [DISPOSITIONS[Disposition.ABANDONED]])


def _reached_later(kinds: Bytes) -> Which:
    return kinds & REACHED_LATER > 0


EACH_JOURNEY: Final[Mapping[str, Each]] = {
    "waits": Each(">f8", _reached),
    "lost": Each(">f8", _abandoned),
    "talks": Each(">f8", _reached),
    "quarters": Each("u1", _all),
    "kinds": Each("u1", _all),
    "reached_after": Each(">f8", _reached_later),
}
EACH_VISIT: Final[Mapping[str, Each]] = {
    "waits": Each(">f8", lambda kinds: kinds == OUTCOMES[QueueOutcome.ANSWERED]),
    "lost": Each(">f8", lambda kinds: kinds == OUTCOMES[QueueOutcome.ABANDONED]),
    "quarters": Each("u1", _all),
    "kinds": Each("u1", _all),
    "rings": Each(">i2", _all),
}


def journeys_counted(kept: Mapping[str, bytes]) -> list[Any]:
    """What the columns of their numbers say: received, offered, each disposition, talk in seconds."""
    kinds = bytes_of(kept["kinds"])
    counts = np.bincount(kinds & (OFFERED - 1), minlength=len(DISPOSITIONS))
    offered = int(np.count_nonzero(kinds & OFFERED))
    by_disposition = [int(counts[DISPOSITIONS[one]]) for one in Disposition]
    return [len(kinds), offered, *by_disposition, float(np.frombuffer(kept["talks"], ">f8").sum())]


def visits_counted(kept: Mapping[str, bytes]) -> list[Any]:
    """What the columns of their numbers say: entered, each outcome, offers to agents."""
    kinds = bytes_of(kept["kinds"])
    counts = np.bincount(kinds, minlength=UNSEEN + 1)
    rings = int(np.frombuffer(kept["rings"], ">i2").sum(dtype=np.int64))
    return [len(kinds), *(int(counts[OUTCOMES[one]]) for one in QueueOutcome), rings]


def split(
    each: Mapping[str, Each], kept: Mapping[str, bytes], labels: NDArray[np.int16]
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Journeys apart by a label of each: the label, and what is kept of those that have it.

    Args:
        each: what the columns have.
        kept: by column; those that are not there are not asked for, but `kinds` must be.
        labels: of each journey; those of whom it is negative are left out.
    """
    kinds = bytes_of(kept["kinds"])
    found = [one for one in np.unique(labels).tolist() if one >= 0]
    columns = {}
    for name, value in kept.items():
        values = np.frombuffer(value, each[name].dtype)
        columns[name] = values, labels[each[name].whose(kinds)]
    for label in found:
        yield label, {name: values[its == label].tobytes() for name, (values, its) in columns.items()}
