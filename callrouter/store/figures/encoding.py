"""How journeys stand in rows of days: by a byte of their kind, and eight of each time.

The numbers are kept in the database: none may ever change its meaning (a test has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callrouter.core.call import Disposition, QueueOutcome

Seconds = NDArray[np.float64]
Bytes = NDArray[np.uint8]

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
