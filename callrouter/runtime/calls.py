"""The live calls, by call id: what the driver steps and the console lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callrouter.core.call import Call
from callrouter.core.plan import Plan


@dataclass(slots=True)
class LiveCall:
    """A call in progress and the plan it keeps to its end."""

    call: Call
    plan: Plan


class LiveCalls:
    """All calls in progress."""

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(list(self._calls.values()))

    def __contains__(self, call_id: object) -> bool:
        return call_id in self._calls

    def add(self, live: LiveCall) -> None:
        """A call has begun."""
        self._calls[live.call.call_id] = live

    def get(self, call_id: str) -> LiveCall | None:
        """The call of that id, while it lives."""
        return self._calls.get(call_id)

    def call_of(self, call_id: str) -> Call | None:
        """What is known of the call of that id, while it lives."""
        live = self._calls.get(call_id)
        return None if live is None else live.call

    def remove(self, call_id: str) -> None:
        """A call has ended."""
        self._calls.pop(call_id, None)
