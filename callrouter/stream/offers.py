"""Which agents' telephones ring for which caller now."""

from __future__ import annotations


class Offers:
    """By call, in the order in which the telephones began to ring; nothing is kept of a call once none rings."""

    def __init__(self) -> None:
        self._ringing: dict[str, dict[str, str]] = {}

    def __len__(self) -> int:
        return len(self._ringing)

    def began(self, call_id: str, agent: str, queue: str) -> None:
        """An agent's telephone begins to ring; said again, nothing changes."""
        self._ringing.setdefault(call_id, {})[agent] = queue

    def ended(self, call_id: str, agent: str) -> str | None:
        """One rings no more: the queue it rang for, or None when it did not ring."""
        ringing = self._ringing.get(call_id, {})
        queue = ringing.pop(agent, None)
        if not ringing:
            self._ringing.pop(call_id, None)
        return queue

    def all_ended(self, call_id: str) -> None:
        """None rings for this call any more."""
        self._ringing.pop(call_id, None)

    def of(self, call_id: str) -> list[str]:
        """The agents whose telephones ring."""
        return list(self._ringing.get(call_id, ()))
