"""The link to Asterisk and the calls on it: what is done when it comes, when it goes, and when the engine stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from callrouter.app.collecting import Collecting
from callrouter.app.lifetime import Lifetime
from callrouter.app.observation import Observation
from callrouter.app.pbx.watches import Watches
from callrouter.asterisk.adoption.adopting import Adoption
from callrouter.asterisk.journal import EndedJournal
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.pbx.frozen import REASON
from callrouter.asterisk.provision import Fallbacks
from callrouter.asterisk.switch import AsteriskSwitch
from callrouter.errors import AmiError, AmiRefused
from callrouter.outgoing.callbacks import Callbacks
from callrouter.outgoing.telling import TelephoneTellings
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.driver import Driver
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

FIRST_LOGIN_SECONDS: Final = 10.0
"""How long a start waits for the first log-in, to distinguish a wrong secret from an Asterisk that is not up yet."""
TAKE_OVER_SECONDS: Final = 2.0
"""How long all else waits for the calls that live to be taken over."""
LAST_BEAT_SECONDS: Final = 0.2
"""What PostgreSQL gets for the last word before a hand-over."""
UNSEEN_REASON: Final = "the link to Asterisk was lost, and the engine stopped"


class Telephony:
    """Everything that lives by the link."""

    def __init__(
        self,
        link: AmiLink,
        switch: AsteriskSwitch,
        driver: Driver,
        adoption: Adoption,
        *,
        journal: EndedJournal,
        collecting: Collecting,
        watches: Watches,
        fallbacks: Fallbacks,
        callbacks: Callbacks,
        tellings: TelephoneTellings,
        listen: Callable[[Callable[[], None]], Coroutine[Any, Any, None]],
        plans: ServedPlans,
        observation: Observation,
        clock: SystemClock,
        taken_over: asyncio.Event,
        tasks: Tasks,
        aside: Tasks,
    ) -> None:
        """`listen` tells, until cancelled, whenever PostgreSQL says that a message may be due; `taken_over` is set
        here once the calls that lived at the first log-in are known; `tasks` are those the engine cannot do without;
        what is done `aside` may fail once.
        """
        self._link = link
        self._switch = switch
        self._driver = driver
        self._adoption = adoption
        self._journal = journal
        self._collecting = collecting
        self._watches = watches
        self._fallbacks = fallbacks
        self._callbacks = callbacks
        self._tellings = tellings
        self._listen = listen
        self._plans = plans
        self._observation = observation
        self._clock = clock
        self._taken_over = taken_over
        self._tasks = tasks
        self._aside = aside
        link.tells(on_state=self._on_link_state)
        watches.frozen.tells(self._on_frozen)

    def start(self) -> None:
        """Connect: the calls that live are taken over, and new ones are taken."""
        self._tasks.start(self._link.run(), "link to Asterisk")

    async def take_over(self, lifetime: Lifetime) -> None:
        """Wait until that is done, a while at the most; not for an Asterisk that is not there, or not ours yet."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TAKE_OVER_SECONDS
        while loop.time() < deadline and not (self._taken_over.is_set() or lifetime.stopping.is_set()):
            if self._link.failure is not None:
                return
            await asyncio.sleep(0.005)

    def serve_all(self) -> None:
        """All plans are there: what needs them begins. Collect from Asterisk's journal, watch, and call back."""
        self._tasks.keep(self._collecting.run, "journal")
        self._watches.start(self._tasks)
        self._tasks.keep(self._callbacks.run, "callbacks")
        self._tasks.keep(self._tellings.run, "calls for messages")
        self._tasks.keep(partial(self._listen, self._tellings.heard), "whether somebody is to be rung")
        self._tasks.keep(self._keep_ahead, "ready-made answers")
        if self._link.state is LinkState.UP:
            self._aside.start(self._collect(), "journal after the first load")

    async def first_login(self, lifetime: Lifetime) -> None:
        """A wrong secret ends the start; an Asterisk that is not there yet is waited for. What became of the first
        attempt is waited for however slow the machine is."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FIRST_LOGIN_SECONDS
        while not lifetime.stopping.is_set():
            if self._link.state is LinkState.UP:
                return
            refused = self._link.failure
            if isinstance(refused, AmiRefused) and not refused.in_use:
                lifetime.died("the log-in to Asterisk", refused)
                return
            if refused is not None and loop.time() >= deadline:
                return
            await asyncio.sleep(0.02)

    async def finish(self, grace_seconds: float) -> None:
        """Take no new call, and let the others finish; without Asterisk they are concluded."""
        self._switch.drain()
        calls, loop = self._driver.calls, asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        while len(calls) and loop.time() < deadline:
            await asyncio.sleep(0.05)
        if len(calls):
            log.warning("calls are left to Asterisk", calls=len(calls))
        if self._link.state is not LinkState.UP and not isinstance(self._link.failure, AmiRefused):
            # Its channels are gone, and perhaps its journal: the calls ended when the link did. Who refuses us lives,
            # and so do its channels: its journal will report their ends, or the engine that holds our place.
            self._driver.conclude(UNSEEN_REASON, self._switch.lost_at or self._clock.now())

    async def hand_over(self) -> None:
        """Leave the calls as they are to the engine that waits: they, and those that come meanwhile, do not notice."""
        log.info(
            "another engine waits: it is given the place, and the calls as they are", calls=len(self._driver.calls)
        )
        await self._observation.hands_over(LAST_BEAT_SECONDS)
        self._journal.flush()
        await self._link.close()

    async def close(self) -> None:
        """From here on nothing is seen."""
        self._observation.ends(self._clock.now(), "the engine was stopped")
        self._journal.flush()
        self._watches.names.close()
        await self._link.close()

    def _on_link_state(self, state: LinkState, reason: str) -> None:
        if state is LinkState.UP:
            self._switch.hold()  # until live calls are found, to which it belongs what is heard now
            if not self._watches.frozen.frozen:  # a log-in alone shows no call
                self._observation.begins(self._clock.now())
            self._tasks.start(self._after_login(), "after log-in")
        elif state is not LinkState.CONNECTING:
            self._observation.ends(self._clock.now(), reason)

    async def _keep_ahead(self) -> None:
        await self._fallbacks.keep_ahead(lambda: self._plans.catalogue, lambda: self._link.state is LinkState.UP)

    def _on_frozen(self, frozen: bool, seconds: float) -> None:
        """Nothing is heard of calls while Asterisk is frozen; the link stays, since another would not help."""
        if frozen:
            self._observation.ends(self._clock.now() - timedelta(seconds=seconds), REASON)
        elif self._link.state is LinkState.UP:
            self._observation.begins(self._clock.now())

    async def _after_login(self) -> None:
        """Whatever may have happened while nobody watched."""
        try:
            await self._switch.resync(self._driver.calls.call_of)
            finding = await self._adoption.run()
            self._aside.start(self._adopt_late(finding), "adoption of calls whose plan is looked for")
            self._taken_over.set()
            self._watches.queues.look_soon()
            self._callbacks.logged_in()
            self._tellings.logged_in()
            if self._plans.loaded.is_set():  # else it is done when they are
                self._aside.start(self._collect(), "journal after log-in")
                await self._fallbacks.publish_all(self._plans.catalogue, afresh=True)
        except AmiError as error:
            log.warning("the link went away right after the log-in; the next one does it again", reason=str(error))
        finally:
            self._switch.let_go()  # whatever went wrong, nothing waits for ever

    async def _adopt_late(self, finding: Sequence[asyncio.Task[None]]) -> None:
        with contextlib.suppress(AmiError):  # the next log-in does it again
            await self._adoption.finish(finding)

    async def _collect(self) -> None:
        with contextlib.suppress(AmiError):  # the next round, or the next log-in, does it again
            await self._collecting.once()
