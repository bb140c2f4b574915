"""Everybody's turn in the queues of one PBX, as far as this engine put them there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.waiting.stands import Stands
from callrouter.asterisk.waiting.wait import Wait, change_priority
from callrouter.asterisk.waiting.whisper import Whisper
from callrouter.core.effects import EnterQueue
from callrouter.core.waiting.announcing import NOTHING_TOLD
from callrouter.core.waiting.turns import place_of
from callrouter.outgoing.ports import QueueStand

OnPlace = Callable[[int], None]


class Waits:
    """Of all callers of one engine."""

    def __init__(self, link: AmiLink) -> None:
        self.stands = Stands(link)
        self._link = link
        self._last: dict[str, tuple[str, Wait]] = {}
        """By channel: the queue and the wait of those who are told something, also when it is over: what a caller was
        told before a menu holds after it."""
        self._turns: dict[str, datetime] = {}
        """By channel: app_queue knows only since when somebody is there this time, and in whole seconds."""

    def begin(
        self, call_id: str, channel_id: str, channel: Callable[[], str], wanted: EnterQueue, now: datetime
    ) -> Wait | None:
        """Somebody joins a queue; None: nobody need do anything for them while they wait.

        `channel` is their channel by name, which may change, `channel_id` by its id.
        """
        self._turns[channel_id] = wanted.turn_at or now
        if wanted.announced is None and wanted.comfort is None and wanted.rising is None:
            return None
        queue, before = self._last.get(channel_id, ("", None))
        returns = before is not None and wanted.turn_at is not None and queue == wanted.queue
        told = before.told if before is not None and returns else NOTHING_TOLD
        wait = Wait(self._link, self.stands, Whisper(self._link, call_id), channel, channel_id, wanted, told)
        self._last[channel_id] = wanted.queue, wait
        return wait

    def raise_late(self, wanted: EnterQueue, channel_id: str, channel: Callable[[], str]) -> None:
        """Somebody whose priority was to rise while nobody was there has it from now on, unless they have it."""
        self.stands.ask(wanted.pbx_queue, partial(self._raise, wanted, channel_id, channel))

    def _raise(self, wanted: EnterQueue, channel_id: str, channel: Callable[[], str], stand: QueueStand | None) -> None:
        if stand is not None and any(
            one.channel_id == channel_id and one.priority < wanted.priority for one in stand.waiting
        ):
            change_priority(self._link, wanted.pbx_queue, channel(), wanted.priority)

    def redate(self, by: timedelta) -> None:
        """The clock was set: turns are dated by the new one, as what app_queue says of others is."""
        self._turns = {channel_id: turn_at + by for channel_id, turn_at in self._turns.items()}

    def gone(self, channel_id: str) -> None:
        """Their call is over."""
        self._turns.pop(channel_id, None)
        self._last.pop(channel_id, None)

    def find_place(self, wanted: EnterQueue, turn_at: datetime, now: datetime, on_place: OnPlace) -> None:
        """The place in a queue of a caller who has had their turn since `turn_at`.

        `on_place` is told once, soon: from 1, or 0 where it cannot be known: the last one.
        """
        self.stands.ask(wanted.pbx_queue, partial(self._found, wanted.priority, turn_at, now, on_place))

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
