"""Calls that ring before the clients' files are loaded: each begins as soon as the one plan that it needs is made.

It is the plan that was live last for the number they dialled (`find`). A number that nobody had then may be a new
client's: such a call waits until all is loaded. What is heard of a call that waits is told to it when it begins, in
order; one that ends meanwhile, or that Asterisk takes back because its lease ran out, is not begun: Asterisk's journal
gives it its record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from callrouter.core.inputs import CallerHungUp, CallOffered, ControlLost, Input
from callrouter.core.plan import Plan
from callrouter.runtime.ports import Inbox, Switch
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)


class FirstCalls:
    """The inbox of the switch, before the driver's."""

    def __init__(
        self,
        switch: Switch,
        driver: Inbox,
        plans: ServedPlans,
        find: Callable[[str], Awaitable[Plan | None]],
        *,
        tasks: Tasks,
    ) -> None:
        """`find`: by the number that was dialled, the plan that was live last; None when there is none."""
        self._switch = switch
        self._driver = driver
        self._plans = plans
        self._find = find
        self._tasks = tasks
        self._waiting: dict[str, list[Input]] = {}
        """By call: what was heard of it."""
        switch.tells(self)

    def offer(self, offered: CallOffered) -> None:
        """A new call rings."""
        if self._plans.loaded.is_set():
            self._driver.offer(offered)
        else:
            self._waiting[offered.call_id] = []
            self._tasks.start(self._begin(offered), "plan of a first call")

    def tell(self, call_id: str, told: Input) -> None:
        """Something happened to a call."""
        waiting = self._waiting.get(call_id)
        if waiting is None:
            self._driver.tell(call_id, told)
        elif isinstance(told, CallerHungUp | ControlLost):
            log.warning("a call was over, or Asterisk's fallback had it, before its plan was there", call_id=call_id)
            del self._waiting[call_id]
            self._switch.release(call_id)
        else:
            waiting.append(told)

    async def _begin(self, offered: CallOffered) -> None:
        plan = await self._find(offered.did)
        if plan is not None:
            self._plans.serve_first(offered.did, plan)
        else:
            await self._plans.loaded.wait()
        heard = self._waiting.pop(offered.call_id, None)
        if heard is not None:
            self._driver.offer(offered)
            for told in heard:
                self._driver.tell(offered.call_id, told)
