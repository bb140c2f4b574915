"""When what failed is tried again, and when it is given up: after growing pauses, some nine hours long."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

PAUSES_SECONDS: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 21_600.0)
"""After the first failed attempt, the second …; after the last of them it is given up."""
MAX_RETRY_AFTER_SECONDS: Final = PAUSES_SECONDS[-1]
"""No receiver can have itself put off for longer."""


def next_attempt(now: datetime, attempts: int, retry_after_seconds: float = 0.0) -> datetime | None:
    """When to try again after so many failed attempts; None: it is given up.

    A pause is up to a tenth shorter or longer than said, so that what failed together is not tried again together.
    """
    if attempts > len(PAUSES_SECONDS):
        return None
    pause = PAUSES_SECONDS[attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries
    return now + timedelta(seconds=max(pause, min(retry_after_seconds, MAX_RETRY_AFTER_SECONDS)))
