"""Circuit breakers: who has failed several times in a row is left alone for a while.

Nobody then waits for a service that is known to be away. After the rest one request tries whether it is back: if it is,
all may ask again; if not, the rest begins anew. Instants are those of a monotonic clock, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAILURES_TO_OPEN: Final = 5
OPEN_SECONDS: Final = 30.0


@dataclass(slots=True)
class Breaker:
    """One service's circuit breaker."""

    failures: int = 0
    """In a row."""
    open_until: float = 0.0
    """Until then the service is not asked."""
    trying: bool = False
    """One request is out to see whether it is back."""

    def rests(self, now: float) -> bool:
        """Whether nobody may ask now."""
        return self.failures >= FAILURES_TO_OPEN and (now < self.open_until or self.trying)

    def claim(self, now: float) -> bool:
        """Take the right to ask, if there is one. Whoever has it must `note` how it went, or `release` it."""
        if self.rests(now):
            return False
        self.trying = self.failures >= FAILURES_TO_OPEN
        return True

    def note(self, *, ok: bool, now: float) -> None:
        """How it went; the right to ask is used up."""
        self.trying = False
        if ok:
            self.failures = 0
            return
        self.failures += 1
        self.open_until = now + OPEN_SECONDS

    def release(self) -> None:
        """Nothing was learnt about the service: the request was not made, or given up by us."""
        self.trying = False

    def refusal(self, service: str) -> str:
        """The sentence for whoever got no right to ask."""
        return f"{service} has failed {self.failures} times in a row: it is not asked for a while"
