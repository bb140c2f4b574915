"""For how long what is kept, for a person."""

from __future__ import annotations

from callrouter.core.retention.rule import Retention


def described(retention: Retention) -> str:
    """`calls 744 days, recordings 30 days`."""
    return ", ".join(f"{kind} {days} day{'' if days == 1 else 's'}" for kind, days in retention.said.items())
