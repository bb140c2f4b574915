"""Tells people of messages by telephone: rings them when a telling of theirs is due, once; learns what they pressed.

The row of a call is written before the call is placed, in the transaction that marks the telling as on its way. From
then on the switch does it alone (`asterisk/pbx/message_calls.py`): it says the message, asks for a key, and writes down
what was pressed, so that an engine that dies loses nothing, and the one that follows places nothing twice. Whatever
cannot be placed has failed, and what follows it begins: there is no second try. A call that an engine wrote down and
died before it placed it is due again where the switch knows that it never was (`was_never_placed`): else it has failed.

Few are rung at a time, those of urgent messages first; one number not more often than `MOST_CALLS`.

What is said is spoken by programs, which may take a minute: that is done beside the rounds, which go on to follow the
calls that are under way. A round places a call once its sounds are there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from callrouter.errors import ActionFailed, AmiError, EncodingError, SpeechError, StoreError
from callrouter.logs import Outage
from callrouter.outgoing.message_ports import (
    Dialler,
    DueTelling,
    MessageBook,
    MessageSounds,
    MessageSwitch,
    PlacedTelling,
)
from callrouter.outgoing.order import NOTHING_YET, MessageOrder, Outcome, Progress, outcome_of
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

ROUND_SECONDS: Final = 2.0
KEEP_SECONDS: Final = 15.0
"""How often it is written down that calls are still under way."""
LOST_SECONDS: Final = 4.0
"""What was asked for right now begins in an instant; on a busy machine, in a moment."""
PUT_OFF_SECONDS: Final = 10.0
"""What waits for a line is looked at again after so long."""
RING_SECONDS: Final = 30.0
"""A voicemail picks up a little earlier, or a little later: both are known by that nobody presses a key."""
MOST_CALLS: Final = 7
WITHIN_SECONDS: Final = 3600.0
"""So many in so long to one number, as GoAlert has it (its default limits for calls)."""
OLD_FILES: Final = "Asterisk's extensions.conf is of an earlier release: render it, and have it read again"
NO_LINE: Final = "waits for a line: as many are rung as may be at a time"
SOUNDS_AT_ONCE: Final = 2
"""For so many is spoken at a time: the engine has calls to answer."""
SLOW_SECONDS: Final = 10.0
"""Whoever waits for their sounds for so long is put off: nobody is to think that no engine has taken it."""
NO_SOUNDS: Final = "waits for what is said in the call: it is being spoken"
IN_USE: Final = "waits: their telephone rings for another message"
TOO_MANY: Final = f"no more than {MOST_CALLS} calls in {WITHIN_SECONDS / 60:g} minutes go to one number"


@dataclass(kw_only=True)
class _UnderWay:
    """A call, and what we know of it."""

    placed: PlacedTelling
    progress: Progress = NOTHING_YET
    withdrawn: bool = False
    unseen_since: float | None = None
    """Since when nothing is left of it at the switch, by the loop's clock; None: it was seen."""
    is_taken_over: bool = False
    """Whether it is of a session before this, and it is still to be asked if it was placed at all."""

    def best(self, seen: Mapping[str, Progress]) -> Progress:
        """How far it is, by what the switch has written down, and by what it had before."""
        found = seen.get(self.placed.outgoing_id, NOTHING_YET)
        return self.progress if found.knows_less_than(self.progress) else found


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A call that is to be placed once its sounds are there: they are being made."""

    outgoing_id: str
    telling: DueTelling
    pin: str
    """By which it opens, as the sounds say; empty: by none."""
    since: float
    """By the loop's clock."""
    folder: asyncio.Task[str]


class TelephoneTellings:
    """One for each engine.

    Args:
        book: what is due, and what was placed.
        switch: places calls.
        sounds: makes what is said in them.
        dialler: who may be rung, and what they see.
        at_once: how many calls at a time.
        now: the time of day, aware.
        link_up: whether the switch can be asked.
    """

    def __init__(
        self,
        book: MessageBook,
        switch: MessageSwitch,
        sounds: MessageSounds,
        dialler: Dialler,
        *,
        at_once: int,
        now: Callable[[], datetime],
        link_up: Callable[[], bool],
    ) -> None:
        self._book = book
        self._switch = switch
        self._sounds = sounds
        self._dialler = dialler
        self._at_once = at_once
        self._now = now
        self._link_up = link_up
        self._under_way: dict[str, _UnderWay] = {}
        """By id, as far as we know."""
        self._made: dict[str, _Made] = {}
        """By the delivery's id; nothing of them is written down yet."""
        self._speaking = asyncio.Semaphore(SOUNDS_AT_ONCE)
        self._is_sure = False
        """Whether that is all; else the book is asked, and the switch, for what may be left there."""
        self._kept_at: datetime | None = None
        self._wake = asyncio.Event()
        self._outcomes: Counter[Outcome] = Counter()
        self._failure = ""
        """What Asterisk said when it did not do what it was asked."""
        self._unknown = Outage(log, "nobody is rung for messages", "people are rung for messages again")
        self._away = Outage(
            log, "nobody is rung for messages: PostgreSQL is away", "people are rung again: PostgreSQL is back"
        )
        self._fails = Outage(
            log, "Asterisk refuses what calls for messages need", "Asterisk does what calls for messages need again"
        )

    @property
    def trouble(self) -> str | None:
        """Why nobody is rung though somebody is to be, as a sentence; None when nothing is wrong."""
        if self._unknown.since is not None:
            return f"nobody is rung for messages: {OLD_FILES}"
        if self._fails.since is not None:
            return f"Asterisk refuses what calls for messages need ({self._failure})"
        return None

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How many calls came to each outcome since this engine began."""
        return {outcome.value: self._outcomes[outcome] for outcome in Outcome}

    @property
    def under_way(self) -> int:
        """How many are rung, or listen."""
        return len(self._under_way)

    def logged_in(self) -> None:
        """The switch is ours, perhaps since now only: whoever had it before may have calls under way."""
        self._is_sure = False
        self._wake.set()

    def heard(self) -> None:
        """Something became of a call of ours, or there is somebody to be told."""
        self._wake.set()

    async def run(self) -> None:
        """Look every few seconds, and whenever something was heard, until cancelled."""
        try:
            while True:
                self._wake.clear()
                await self._round()
                await pause(ROUND_SECONDS, self._wake)
        finally:
            left = [one.folder for one in self._made.values()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _round(self) -> None:
        try:
            await self.once()
            self._away.ended()
            self._fails.ended()
        except StoreError as error:
            self._away.failed(str(error))
        except ActionFailed as error:
            self._failure = str(error)
            self._fails.failed(self._failure)
        except AmiError:
            pass  # the next round, or the one after the next log-in, does it again

    async def once(self) -> None:
        """One round.

        Raises:
            StoreError: PostgreSQL does not answer.
            AmiError: the link went away.
        """
        if not self._link_up():
            return
        if not self._is_sure:
            taken = {one.outgoing_id: one for one in await self._book.take_over()}
            known = self._under_way
            self._under_way = {key: known.get(key) or _UnderWay(placed=one) for key, one in taken.items()}
            for one in self._under_way.values():
                one.is_taken_over = True
            await self._keep_sounds()
            self._kept_at = None
            await self._follow()
            self._is_sure = True
        elif self._under_way:
            await self._follow()
        await self._start_due()

    # ------------------------------------------------------------------------------------------- what is under way

    async def _follow(self) -> None:
        seen = await self._switch.progress()
        if self._under_way:
            await self._keep()
            await self._take_back(await self._book.needless(list(self._under_way)))
        for outgoing_id, one in list(self._under_way.items()):
            found = one.best(seen)
            if found != one.progress:
                await self._book.note(outgoing_id, found, self._now())
                one.progress = found
            if found.complete:
                await self._conclude(one)
            else:
                await self._look_for(one)
        # What was recorded, and the switch was not told to forget.
        over = [outgoing_id for outgoing_id, it in seen.items() if it.complete and outgoing_id not in self._under_way]
        await self._switch.forget(over)

    async def _keep(self) -> None:
        now = self._now()
        if self._kept_at is None or now - self._kept_at >= timedelta(seconds=KEEP_SECONDS) or now < self._kept_at:
            await self._book.keep(list(self._under_way), now)
            self._kept_at = now

    async def _take_back(self, needless: set[str]) -> None:
        """Hang up what rings; who listens is told that somebody took it on."""
        for outgoing_id in needless:
            one = self._under_way[outgoing_id]
            if not one.withdrawn:
                await self._switch.take_back(outgoing_id, self._now())
                one.withdrawn = True
            if one.progress.answered_at is None:
                await self._switch.hang_up(outgoing_id)

    async def _look_for(self, one: _UnderWay) -> None:
        """A call that the switch has lost is concluded."""
        outgoing_id = one.placed.outgoing_id
        if await self._switch.lives(outgoing_id):
            one.unseen_since = None
            return
        if one.is_taken_over:
            one.is_taken_over = False
            if await self._is_given_back(one):
                return
        seconds = asyncio.get_running_loop().time()
        if one.unseen_since is None:
            one.unseen_since = seconds
        if seconds - one.unseen_since < LOST_SECONDS:
            return
        one.progress = one.best(await self._switch.progress())
        await self._conclude(one)

    async def _is_given_back(self, one: _UnderWay) -> bool:
        """Whether it was never placed, and is due again."""
        outgoing_id = one.placed.outgoing_id
        if one.progress != NOTHING_YET or one.withdrawn or not await self._switch.was_never_placed(outgoing_id):
            return False
        if not await self._book.give_back(outgoing_id, self._now()):
            return False
        log.warning(
            "a call for a message was written down and never placed: it is due again",
            outgoing_id=outgoing_id,
            delivery=one.placed.delivery_id,
            client=one.placed.client,
            contact=one.placed.contact,
        )
        del self._under_way[outgoing_id]
        await self._keep_sounds()
        await self._switch.forget([outgoing_id])
        return True

    async def _conclude(self, one: _UnderWay) -> None:
        outgoing_id, outcome = one.placed.outgoing_id, outcome_of(one.progress, withdrawn=one.withdrawn)
        await self._book.conclude(outgoing_id, one.progress, outcome, self._now())
        self._outcomes[outcome] += 1
        log.info(
            "somebody was rung for a message",
            outgoing_id=outgoing_id,
            delivery=one.placed.delivery_id,
            client=one.placed.client,
            contact=one.placed.contact,
            outcome=outcome.value,
            heard=one.progress.heard_at is not None,
            key=one.progress.key.value if one.progress.key else None,
        )
        del self._under_way[outgoing_id]
        await self._keep_sounds()
        await self._switch.forget([outgoing_id])

    # ----------------------------------------------------------------------------------------------- what is to be

    async def _start_due(self) -> None:
        # Two pages, so that some of them may be held back.
        found = await self._book.due(self._now(), 2 * self._at_once + len(self._made))
        if (found or self._made) and not await self._switch.can_place():  # they are the worker's to give up
            self._unknown.failed(OLD_FILES)
            return
        self._unknown.ended()
        due = await self._within_limits([one for one in found if one.delivery_id not in self._made])
        free = max(0, self._at_once - len(self._under_way) - len(self._made))
        await self._put_off([one.delivery_id for one in due[free:]], NO_LINE)
        seconds = asyncio.get_running_loop().time()
        slow = {key for key, one in self._made.items() if seconds - one.since >= SLOW_SECONDS}
        await self._put_off([one.delivery_id for one in found if one.delivery_id in slow], NO_SOUNDS)
        for one in due[:free]:
            await self._prepare(one)
        for made in [one for one in self._made.values() if one.folder.done()]:
            del self._made[made.telling.delivery_id]
            await self._start(made)

    async def _put_off(self, delivery_ids: Sequence[str], why: str) -> None:
        if delivery_ids:
            now = self._now()
            await self._book.put_off(delivery_ids, now + timedelta(seconds=PUT_OFF_SECONDS), why, now)

    async def _within_limits(self, due: Sequence[DueTelling]) -> list[DueTelling]:
        """Those that may be rung now; the others are held back: one number is rung for one message after the other."""
        if not due:
            return []
        now, within = self._now(), timedelta(seconds=WITHIN_SECONDS)
        used = await self._book.rung_lately({one.number for one in due}, now - within)
        rung = {one.placed.number for one in self._under_way.values()}
        rung.update(one.telling.number for one in self._made.values())
        left: list[DueTelling] = []
        for one in due:
            use = used.get(one.number)
            if use is not None and use.calls >= MOST_CALLS:
                await self._book.put_off([one.delivery_id], use.first_at + within, TOO_MANY, now)
            elif one.number in rung:  # they would be busy
                await self._book.put_off([one.delivery_id], now + timedelta(seconds=PUT_OFF_SECONDS), IN_USE, now)
            else:
                rung.add(one.number)
                left.append(one)
        return left

    async def _prepare(self, telling: DueTelling) -> None:
        """Have what is said in their call made, or say why nobody rings them."""
        if await self._is_refused(telling):
            return
        pin = self._dialler.pin(telling.client, telling.contact) if telling.confidential else ""
        outgoing_id = f"{int(self._now().timestamp())}-{secrets.token_hex(6)}"
        loop = asyncio.get_running_loop()
        making = self._make(outgoing_id, telling, opens=bool(pin))
        task = loop.create_task(making, name=f"sounds of {outgoing_id}")
        task.add_done_callback(lambda _: self._wake.set())
        self._made[telling.delivery_id] = _Made(
            outgoing_id=outgoing_id, telling=telling, pin=pin, since=loop.time(), folder=task
        )

    async def _make(self, outgoing_id: str, telling: DueTelling, *, opens: bool) -> str:
        async with self._speaking:
            return await self._sounds.make(outgoing_id, telling, opens=opens)

    async def _is_refused(self, telling: DueTelling) -> bool:
        refusal = self._dialler.refusal(telling.client, telling.number)
        if refusal:
            await self._book.refuse(telling.delivery_id, refusal, self._now())
        return bool(refusal)

    async def _keep_sounds(self) -> None:
        """Those of calls that are under way, and of those that are to be."""
        await self._sounds.keep_only({*self._under_way, *(one.outgoing_id for one in self._made.values())})

    async def _start(self, made: _Made) -> None:
        """Ring them, or say why not. The sounds are there before anything is written down."""
        telling, outgoing_id, pin = made.telling, made.outgoing_id, made.pin
        try:
            folder = made.folder.result()
        except SpeechError as error:
            await self._book.refuse(telling.delivery_id, f"it cannot be said: {error}", self._now())
            await self._keep_sounds()
            return
        if await self._is_refused(telling):  # by what has gone live meanwhile
            await self._keep_sounds()
            return
        order = MessageOrder(
            outgoing_id=outgoing_id,
            client=telling.client,
            number=telling.number,
            shown=self._dialler.shown(telling.client, telling.did),
            ring_seconds=RING_SECONDS,
            folder=folder,
            pin=pin,
        )
        await self._switch.announce(outgoing_id)
        if await self._claim(telling, order):
            placed = PlacedTelling(
                outgoing_id=outgoing_id,
                delivery_id=telling.delivery_id,
                client=telling.client,
                contact=telling.contact,
                number=telling.number,
            )
            self._under_way[outgoing_id] = _UnderWay(placed=placed)
            await self._place(order)
        else:
            await self._keep_sounds()
            await self._switch.forget([outgoing_id])

    async def _claim(self, telling: DueTelling, order: MessageOrder) -> bool:
        try:
            return await self._book.claim(telling, order, self._now())
        except StoreError:
            self._is_sure = False  # perhaps it is in the book, and only the answer was lost: the next round asks
            raise

    async def _place(self, order: MessageOrder) -> None:
        try:
            await self._switch.place(order)
        except (EncodingError, ActionFailed) as error:
            log.exception("somebody cannot be rung for a message", client=order.client, reason=str(error))
            await self._book.conclude(order.outgoing_id, NOTHING_YET, Outcome.FAILED, self._now())
            self._outcomes[Outcome.FAILED] += 1
            del self._under_way[order.outgoing_id]
            await self._keep_sounds()
            await self._switch.forget([order.outgoing_id])
