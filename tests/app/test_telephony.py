"""What is declared when the link goes and comes, and when no call advances beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from callrouter.app.telephony import Telephony
from callrouter.asterisk.link import LinkState
from callrouter.asterisk.pbx.frozen import REASON

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Declared:
    """As Observation, and what telephony hears of: the link's states, and a frozen PBX."""

    def __init__(self) -> None:
        self.told: list[tuple[str, datetime, str]] = []
        self.on_state: Callable[[LinkState, str], None] = lambda *_: None
        self.on_change: Callable[[bool, float], None] = lambda *_: None
        self.watch = SimpleNamespace(tells=self._watched, frozen=False)
        nothing = cast(Any, None)
        Telephony(
            cast(Any, SimpleNamespace(tells=self._linked, state=LinkState.UP)),
            cast(Any, SimpleNamespace(hold=lambda: None)),
            nothing,
            nothing,
            journal=nothing,
            collecting=nothing,
            watches=cast(Any, SimpleNamespace(frozen=self.watch)),
            fallbacks=nothing,
            callbacks=nothing,
            tellings=nothing,
            listen=nothing,
            plans=nothing,
            observation=cast(Any, self),
            clock=cast(Any, SimpleNamespace(now=lambda: NOW)),
            taken_over=asyncio.Event(),
            tasks=cast(Any, SimpleNamespace(start=lambda work, _: work.close())),
            aside=nothing,
        )

    def _linked(self, *, on_state: Callable[[LinkState, str], None]) -> None:
        self.on_state = on_state

    def _watched(self, on_change: Callable[[bool, float], None]) -> None:
        self.on_change = on_change

    def begins(self, at: datetime) -> None:
        """As Observation."""
        self.told.append(("seen", at, ""))

    def ends(self, at: datetime, reason: str) -> None:
        """As Observation."""
        self.told.append(("unseen", at, reason))


def test_a_frozen_asterisk_is_a_gap_from_the_probe_on_that_did_not_come() -> None:
    """Until one comes."""
    declared = Declared()
    declared.on_state(LinkState.UP, "")
    declared.on_change(True, 3.0)
    declared.on_change(False, 20.0)

    assert declared.told == [("seen", NOW, ""), ("unseen", NOW - timedelta(seconds=3), REASON), ("seen", NOW, "")]


def test_a_log_in_to_a_frozen_asterisk_sees_nothing() -> None:
    """Not before a call advances."""
    declared = Declared()
    declared.watch.frozen = True
    declared.on_state(LinkState.UP, "")

    assert declared.told == []
