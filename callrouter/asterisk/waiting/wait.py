"""One caller who waits in a queue: what they are told, and when their priority rises, as long as they are in line.

One timer for each kind of announcement, of ten seconds at least; nothing is asked in between. Whoever is not in line
any more, as Asterisk has it, is told nothing: they may be talking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.say import sounds_of
from callrouter.asterisk.waiting.stands import Stands
from callrouter.asterisk.waiting.whisper import Whisper
from callrouter.core.effects import EnterQueue, Part, Reading
from callrouter.core.waiting.announcing import NOTHING_TOLD, Told, announcement
from callrouter.core.waiting.estimate import expected_seconds
from callrouter.errors import EncodingError
from callrouter.outgoing.ports import QueueStand

log = structlog.get_logger(__name__)

FRESH_SECONDS: Final = 1.0
"""How old may be what is known of a queue that hundreds of callers are told of."""
LATER_SECONDS: Final = 2.0
"""After a sentence, before the next one that was due meanwhile."""


def change_priority(link: AmiLink, queue: str, channel: str, priority: int) -> None:
    """A caller who waits gets it, and a better place at once (app_queue.c, change_priority_caller_on_queue)."""
    wanted = {"Queue": queue, "Caller": channel, "Priority": str(priority), "Immediate": "yes"}
    batch = link.batch()
    batch.post("QueueChangePriorityCaller", wanted, about=channel)
    batch.write()


class Wait:
    """See the module; begins at once, and ends with `stop`."""

    def __init__(
        self,
        link: AmiLink,
        stands: Stands,
        whisper: Whisper,
        channel: Callable[[], str],
        channel_id: str,
        wanted: EnterQueue,
        told: Told = NOTHING_TOLD,
    ) -> None:
        """`channel` is the caller's by name, `channel_id` by its id; `wanted` says what they hear, `told` what they
        were told last when they waited in this queue before."""
        self.told = told
        """For the next wait of the same call in the same queue."""
        self._link = link
        self._stands = stands
        self._whisper = whisper
        self._channel = channel
        self._channel_id = channel_id
        self._wanted = wanted
        self._turn = 0
        self._timers: dict[Callable[[int, QueueStand], None], asyncio.TimerHandle] = {}
        self._stopped = False
        self._rises: asyncio.TimerHandle | None = None
        if rising := wanted.rising:
            self._rises = asyncio.get_running_loop().call_later(rising.after_seconds, self._rise, rising.to)
        if wanted.announced:
            self._after(wanted.announced.every_seconds, self._announce)
        if wanted.comfort:
            self._after(wanted.comfort.every_seconds, self._comfort)

    def stop(self) -> None:
        """They wait no more: what is being said ends, and nothing follows."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        if self._rises is not None:
            self._rises.cancel()
        self._whisper.stop()

    def _rise(self, priority: int) -> None:
        change_priority(self._link, self._wanted.pbx_queue, self._channel(), priority)

    def _after(self, seconds: float, what: Callable[[int, QueueStand], None]) -> None:
        self._timers[what] = asyncio.get_running_loop().call_later(seconds, self._due, what)

    def _due(self, what: Callable[[int, QueueStand], None]) -> None:
        if self._whisper.speaks:
            self._after(LATER_SECONDS, what)
            return
        every = self._wanted.announced if what == self._announce else self._wanted.comfort
        assert every is not None
        self._after(every.every_seconds, what)
        self._stands.ask(self._wanted.pbx_queue, partial(self._seen, what), fresh_seconds=FRESH_SECONDS)

    def _seen(self, what: Callable[[int, QueueStand], None], stand: QueueStand | None) -> None:
        if self._stopped or stand is None:
            return
        places = (place for place, one in enumerate(stand.waiting, 1) if one.channel_id == self._channel_id)
        if place := next(places, 0):
            what(place, stand)

    def _announce(self, place: int, stand: QueueStand) -> None:
        wanted = self._wanted
        assert wanted.announced is not None
        wrap_up = wanted.briefing.wrap_up.answered_seconds if wanted.briefing else 0.0
        handling = stand.talk_seconds + wrap_up if stand.talk_seconds else 0.0
        expected = expected_seconds(place, stand.agents, handling)
        sounds, self.told = announcement(wanted.announced, place, expected, self.told)
        self._say(sounds)

    def _comfort(self, _place: int, _stand: QueueStand) -> None:
        assert self._wanted.comfort is not None
        messages = self._wanted.comfort.messages
        self._turn += 1
        self._say(messages[(self._turn - 1) % len(messages)])

    def _say(self, parts: Sequence[Part]) -> None:
        if not parts:
            return
        files = [file for part in parts for file in (sounds_of(part) if isinstance(part, Reading) else (part.file,))]
        try:
            self._whisper.say(self._channel(), files, sum(part.seconds for part in parts))
        except EncodingError as error:
            log.warning("a caller who waits is told nothing", reason=str(error))
