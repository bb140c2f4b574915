"""How many cases each entrance gets, and how many it had."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
"""What draws from a strategy, inside another or in the middle of a test."""

CASES: Final = int(os.environ.get("FUZZ_CASES", "0"))
"""Of all entrances together, in the long form; 0: the short one."""

counted: Final[Counter[str]] = Counter()
"""Cases of this process, by entrance."""


def cases(short: int, share: float) -> Callable[[Any], Any]:
    """So many cases in the short form, and this share of all in the long one."""
    return settings(
        max_examples=max(short, round(CASES * share)) if CASES else short,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def count(entrance: str, many: int = 1) -> None:
    """One more case."""
    counted[entrance] += many
