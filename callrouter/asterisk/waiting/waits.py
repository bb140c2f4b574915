"""Everybody's turn in the queues of one PBX, as far as this engine put them there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.waiting.stands import Stands
from callrouter.core.effects import EnterQueue
from callrouter.core.waiting.turns import place_of
from callrouter.outgoing.ports import QueueStand

OnPlace = Callable[[int], None]


class Waits:
    """Of all callers of one engine."""

    def __init__(self, link: AmiLink) -> None:
        self.stands = Stands(link)
        self._turns: dict[str, datetime] = {}
        """By channel: app_queue knows only since when somebody is there this time, and in whole seconds."""

    def enters(self, channel_id: str, turn_at: datetime) -> None:
        """Somebody joins a queue, with a turn that may have begun before."""
        self._turns[channel_id] = turn_at

    def gone(self, channel_id: str) -> None:
        """Their call is over."""
        self._turns.pop(channel_id, None)

    def find_place(self, wanted: EnterQueue, turn_at: datetime, now: datetime, on_place: OnPlace) -> None:
        """The place in a queue of a caller who has had their turn since `turn_at`; `on_place` is told once, soon: from 1,
        or 0 where it cannot be known: the last one.
        """
        self.stands.ask(wanted.queue, partial(self._found, wanted.priority, turn_at, now, on_place))

    def _found(
        self, priority: int, turn_at: datetime, now: datetime, on_place: OnPlace, stand: QueueStand | None
    ) -> None:
        if stand is None:
            on_place(0)
            return
        others = (
            (one.priority, self._turns.get(one.channel_id, now - timedelta(seconds=one.waited_seconds)))
            for one in stand.waiting
        )
        on_place(place_of(turn_at, priority, others))
