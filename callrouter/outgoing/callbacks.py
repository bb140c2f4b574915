"""Calls back whoever asked for it, when it is their turn and an agent is free.

A callback waits at the switch, in the queue, in its caller's place (`asterisk/pbx/outgoing.py`): so it is the switch
that offers it to an agent who is free, and callers are never rung by more calls than agents have taken. Here is decided
which callbacks wait there, and what follows from what became of each; the row of a call is written before it is placed,
and settled by what the switch has written down. An engine that begins takes over the calls that are under way.

Rules (attempts, pause, hours …) are those of the client's tree in service. A queue holds as many callbacks at once as
it has agents: more would not be rung sooner, and would look like callers who wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from callrouter.core.call import Call
from callrouter.core.facts import Bridged, Fact
from callrouter.core.plan import Plan
from callrouter.errors import ActionFailed, AmiError, EncodingError, StoreError
from callrouter.logs import Outage
from callrouter.outgoing.due import is_due, order_of, place_in, placed_of, settled_by
from callrouter.outgoing.order import NOTHING_YET, Order, Outcome, Progress, Settlement, outcome_of
from callrouter.outgoing.ports import Answered, CallbackBook, OpenCallback, OutgoingSwitch, PlacedCall
from callrouter.outgoing.rules import Rule, Rules
from callrouter.outgoing.trouble import Trouble
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

ROUND_SECONDS: Final = 2.0
SWEEP_SECONDS: Final = 60.0
"""The record is looked through for callers who rang again, in case nobody told us."""
REFUSED_SECONDS: Final = 60.0
"""After Asterisk refused to place calls at all."""
OLDEST: Final = timedelta(days=31)
"""Callbacks older than that are not looked at: no rule lasts so long."""
MOST_ANSWERED: Final = 10_000
"""Callers who were answered, and are not looked up yet."""


@dataclass(kw_only=True)
class _UnderWay:
    """A call of ours, and what we know of it."""

    placed: PlacedCall
    progress: Progress = NOTHING_YET
    withdrawn: bool = False
    unseen: int = 0
    """Rounds in a row in which nothing was left of it at the switch."""

    def best(self, seen: Mapping[str, Progress]) -> Progress:
        """How far it is, by what the switch has written down, and by what it had before."""
        found = seen.get(self.placed.outgoing_id, NOTHING_YET)
        return self.progress if found.knows_less_than(self.progress) else found


class Callbacks:
    """One for each engine.

    Args:
        book: what is open, and what was placed.
        switch: places calls.
        plans: those in service, by client.
        live: the calls in progress.
        now: the time of day, aware.
        link_up: whether the switch can be asked.
        on_refused: told a callback whose number may not be dialled any more.
    """

    interests: Final[frozenset[type[Fact]]] = frozenset({Bridged})

    def __init__(
        self,
        book: CallbackBook,
        switch: OutgoingSwitch,
        *,
        plans: Callable[[], Mapping[str, Plan]],
        live: Callable[[], Sequence[Call]],
        now: Callable[[], datetime],
        link_up: Callable[[], bool],
        on_refused: Callable[[OpenCallback], None],
    ) -> None:
        self._book = book
        self._switch = switch
        self._plans = plans
        self._rules = Rules({})
        self._live = live
        self._now = now
        self._link_up = link_up
        self._on_refused = on_refused
        self._under_way: dict[str, _UnderWay] = {}
        """By id, as far as we know."""
        self._is_sure = False
        """Whether that is all; else the book is asked."""
        self._answered: list[Answered] = []
        """Not looked up yet."""
        self._wake = asyncio.Event()
        self._swept_at = self._refused_until = datetime.min.replace(tzinfo=UTC)
        self._away = Outage(
            log, "callbacks wait: PostgreSQL is away", "callbacks go on: PostgreSQL is back", level="warning"
        )
        self._outcomes: Counter[Outcome] = Counter()
        self._trouble = Trouble()

    @property
    def trouble(self) -> str | None:
        """Why none is placed, or carried out, though some could be, as a sentence; None when nothing is wrong."""
        return self._trouble.sentence

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How many calls for callbacks came to each outcome since this engine began."""
        return {outcome.value: self._outcomes[outcome] for outcome in Outcome}

    @property
    def under_way(self) -> int:
        """How many callbacks wait at the switch, or are rung, or talk."""
        return len(self._under_way)

    @property
    def outgoing_ids(self) -> Collection[str]:
        """Those."""
        return self._under_way.keys()

    def observe(self, facts: Sequence[Fact]) -> None:
        """A caller was answered: they need not be called back."""
        for fact in facts:
            number = fact.call.caller.number if type(fact) is Bridged else None
            if number and number.startswith("+") and len(self._answered) < MOST_ANSWERED:
                at = _last_answer(fact.call) or self._now()
                self._answered.append((fact.call.client, number, at))
                if any(one.placed.number == number for one in self._under_way.values()):
                    self._wake.set()  # what waits for them, or rings, is taken back at once

    def logged_in(self) -> None:
        """The switch is ours, perhaps since now only: whoever had it before may have calls under way."""
        self._is_sure = False
        self._wake.set()

    def heard(self) -> None:
        """The switch says that something became of a call of ours."""
        self._wake.set()

    async def run(self) -> None:
        """Look every few seconds, and whenever something was heard, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.once()
                self._away.ended()
                self._trouble.answered()
            except StoreError as error:
                self._away.failed(str(error))
            except ActionFailed as error:
                self._trouble.failed(str(error))
            except AmiError:
                pass  # the next round, or the one after the next log-in, does it again
            await pause(ROUND_SECONDS, self._wake)

    async def once(self) -> None:
        """One round.

        Raises:
            StoreError: PostgreSQL does not answer.
            AmiError: the link went away.
        """
        link_up = self._link_up()
        if link_up:
            await self._withdraw()  # before PostgreSQL is asked, which may be away
        await self._settle_answered()
        if not link_up:
            return
        if not self._is_sure:
            await self._take_over()
            await self._withdraw()
        await self._follow()
        await self._start_due()

    async def _take_over(self) -> None:
        """What is under way is ours from now on, with what we knew of it."""
        taken = {one.outgoing_id: one for one in await self._book.take_over()}
        known = self._under_way
        self._under_way = {key: known.get(key) or _UnderWay(placed=one) for key, one in taken.items()}
        for key, one in self._under_way.items():
            one.placed = taken[key]
        self._is_sure = True

    # ------------------------------------------------------------------------------------------- what is under way

    async def _withdraw(self) -> None:
        """Take back what may not wait any more: nobody is rung for it."""
        forbidden = [one for one in self._under_way.values() if not self._may_wait(one)]
        seen = await self._switch.progress() if forbidden else {}
        for one in forbidden:
            found = one.best(seen)
            if found.rung_at is None and not found.complete:
                await self._hang_up(one)

    async def _hang_up(self, one: _UnderWay) -> None:
        one.withdrawn = True
        await self._switch.hang_up(one.placed.outgoing_id)

    async def _follow(self) -> None:
        seen = await self._switch.progress()
        elsewhere = await self._book.settled_elsewhere(list(self._under_way)) if self._under_way else set()
        for outgoing_id, one in list(self._under_way.items()):
            found = one.best(seen)
            if found != one.progress:
                await self._book.note(outgoing_id, found)
                one.progress = found
            if found.complete:
                await self._conclude(one)
            elif not await self._is_left(one):
                continue
            elif found.answered_at is None and outgoing_id in elsewhere:
                await self._hang_up(one)
        # What was recorded, and the switch was not told to forget.
        await self._switch.forget(
            [outgoing_id for outgoing_id, it in seen.items() if it.complete and outgoing_id not in self._under_way]
        )

    async def _is_left(self, one: _UnderWay) -> bool:
        """Whether the switch still has the call; one that it has lost is concluded."""
        outgoing_id = one.placed.outgoing_id
        if await self._switch.lives(outgoing_id):
            one.unseen = 0
            return True
        one.unseen += 1
        if one.unseen < 2:  # what was asked for right now may begin in an instant
            return False
        one.progress = one.best(await self._switch.progress())
        await self._conclude(one)
        return False

    def _may_wait(self, one: _UnderWay) -> bool:
        """Whether somebody may be rung for it now; one who rings already is not disturbed."""
        if one.progress.rung_at is not None:
            return True
        rule = self._rules_now().find(one.placed.client, one.placed.node)
        return rule is not None and rule.admits(one.placed, self._now())

    async def _conclude(self, one: _UnderWay) -> None:
        placed, now = one.placed, self._now()
        outcome = outcome_of(one.progress, withdrawn=one.withdrawn)
        rule = self._rules_now().find(placed.client, placed.node)
        settlement: Settlement | None = None
        if outcome is Outcome.ANSWERED:
            settlement = Settlement.CALLED_BACK
        elif outcome.is_attempt and rule is not None and placed.attempts + 1 >= rule.automatic.attempts:
            settlement = Settlement.ATTEMPTS
        await self._book.conclude(placed.outgoing_id, one.progress, outcome, now, settlement)
        self._outcomes[outcome] += 1
        self._trouble.judge(outcome)
        log.info(
            "a callback was called" if outcome.is_attempt else "a callback was not called",
            outgoing_id=placed.outgoing_id,
            call_id=placed.wish[0],
            client=placed.client,
            queue=placed.queue,
            agent=one.progress.agent,
            outcome=outcome.value,
            settled_by=settlement.value if settlement else None,
        )
        del self._under_way[placed.outgoing_id]
        await self._switch.forget([placed.outgoing_id])

    # ----------------------------------------------------------------------------------------------- what is to be

    async def _settle_answered(self) -> None:
        if answered := tuple(self._answered):
            await self._book.settle_answered(answered)
            del self._answered[: len(answered)]
        if (now := self._now()) - self._swept_at >= timedelta(seconds=SWEEP_SECONDS):
            await self._book.settle_recorded(now - OLDEST)
            self._swept_at = now

    async def _start_due(self) -> None:
        now = self._now()
        if now < self._refused_until:
            return
        by_queue: dict[str, list[tuple[OpenCallback, Rule]]] = {}
        # Who is on the line now would be busy, or will need no callback any more.
        busy = {(call.client, call.caller.number or "") for call in self._live()}
        busy |= {(one.placed.client, one.placed.number) for one in self._under_way.values()}
        for callback in await self._book.open(now - OLDEST, self._rules_now().ruled(now)):
            who = callback.client, callback.number
            rule = await self._due(callback, now)
            if rule is not None and who not in busy:
                busy.add(who)
                by_queue.setdefault(rule.automatic.pbx_queue, []).append((callback, rule))
        for queue, due in by_queue.items():
            await self._start(queue, due)

    async def _due(self, callback: OpenCallback, now: datetime) -> Rule | None:
        """The rule by which it is to wait in the queue now; None: not now, or never, which is settled then."""
        rule = self._rules_now().find(callback.client, callback.node)
        if rule is None:
            return None
        settlement = settled_by(callback, rule, now)
        if settlement is None:
            return rule if is_due(callback, rule, now) else None
        if settlement is Settlement.NOT_ALLOWED:
            self._on_refused(callback)
        await self._book.settle([callback.wish], settlement, now)
        return None

    async def _start(self, queue: str, due: Sequence[tuple[OpenCallback, Rule]]) -> None:
        stand = await self._switch.queue(queue)
        room = stand.agents - sum(
            one.placed.queue == queue and one.progress.rung_at is None for one in self._under_way.values()
        )
        for callback, rule in sorted(due, key=lambda one: (-one[1].automatic.priority, one[0].turn_at))[: max(0, room)]:
            now = self._now()
            turns = {self._switch.waits_as(key): one.placed.turn_at for key, one in self._under_way.items()}
            order = order_of(callback, rule, place_in(stand, turns, callback, rule.automatic, now), now)
            if await self._claim(callback, order, now):
                one = _UnderWay(placed=placed_of(callback, order))
                self._under_way[order.outgoing_id] = one
                if not await self._place(one, order):
                    return
                stand = await self._switch.queue(queue)

    async def _claim(self, callback: OpenCallback, order: Order, now: datetime) -> bool:
        try:
            return await self._book.claim(callback, order, now)
        except StoreError:
            self._is_sure = False  # perhaps it is in the book, and only the answer was lost: the next round asks
            raise

    async def _place(self, one: _UnderWay, order: Order) -> bool:
        """Whether more may be asked for."""
        try:
            await self._switch.place(order)
        except EncodingError:
            log.exception("a callback cannot be placed", client=order.client, call_id=one.placed.wish[0])
            await self._give_up(order)
        except ActionFailed as error:
            self._trouble.refused(order, str(error))
            self._refused_until = self._now() + timedelta(seconds=REFUSED_SECONDS)
            await self._give_up(order)
            return False
        else:
            self._trouble.placed()
        return True

    async def _give_up(self, order: Order) -> None:
        await self._book.conclude(order.outgoing_id, NOTHING_YET, Outcome.FAILED, self._now(), None)
        self._outcomes[Outcome.FAILED] += 1
        del self._under_way[order.outgoing_id]
        await self._switch.forget([order.outgoing_id])

    def _rules_now(self) -> Rules:
        """Read anew whenever other plans are in service."""
        plans = self._plans()
        if self._rules.plans is not plans:
            self._rules = Rules(plans)
        return self._rules


def _last_answer(call: Call) -> datetime | None:
    """When somebody answered; the call's own clock has the first time only."""
    queued, dialled = (one.answered_at for one in call.queue_visits), (one.answered_at for one in call.dials)
    answers = [at for at in (*queued, *dialled) if at is not None]
    return max(answers, default=call.clocks.bridged_at)
