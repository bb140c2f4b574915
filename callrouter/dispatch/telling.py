"""Tells other systems what happened: of each thing that was noted, a delivery for each subscription that wants it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from callrouter.core.dispatch import Subscription
from callrouter.core.plan import Plan
from callrouter.dispatch.parcels import LivePlan
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.lease import Lease
from callrouter.store.subscribed.happened import Event, Happened, owners_waiting, tell

log = structlog.get_logger(__name__)

AT_A_TIME: Final = 200
"""Things that become deliveries in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """Something that happened, for one subscription."""

    event_id: str
    happened: Happened
    plan: Plan
    subscription: Subscription
    confidential: bool
    """Of a message: nothing of what was said may leave the house."""


WriteHappened = Callable[[Telling], str]
"""What is posted of it."""


class Teller:
    """Of one worker."""

    def __init__(self, database: Database, lease: Lease, plans: LivePlan, clock: Clock, write: WriteHappened) -> None:
        self._database = database
        self._lease = lease
        self._plans = plans
        self._clock = clock
        self._write = write

    async def tell(self) -> int:
        """Make deliveries of what was noted first, a page at most: messages that are due are not to wait for all of it.
        How many things that was.

        Raises:
            LeaseLost: another worker does it.
            StoreError: PostgreSQL does not answer.
        """
        # Before anything is locked: a plan may have to be made again.
        owners = await owners_waiting(self._database, AT_A_TIME)
        if owners is None:
            return 0
        plans = {owner: await self._plans(owner) for owner in owners}
        for owner in (owner for owner, plan in plans.items() if plan is None):
            log.warning("what happened is told to nobody: the client's plan cannot be made again", client=owner)
        make = partial(self._events, plans)
        return await tell(self._database, self._lease, AT_A_TIME, self._clock.now(), make)

    def _events(self, plans: Mapping[str, Plan | None], one: Happened) -> list[Event]:
        return list(self._each(plans, one))

    def _each(self, plans: Mapping[str, Plan | None], one: Happened) -> Iterator[Event]:
        plan = plans.get(one.owner)
        for name in one.names:
            own = plan.subscriptions.get(name) if plan is not None else None
            if plan is None or own is None or one.kind not in own.kinds:
                continue  # it went out of service in this instant
            try:
                yield self._event(plan, own, one)
            except Exception:
                # A fault of ours must not hold up the others.
                log.exception("a system could not be told", client=one.owner, subscription=name, kind=str(one.kind))

    def _event(self, plan: Plan, own: Subscription, one: Happened) -> Event:
        event_id = str(uuid.uuid4())
        telling = Telling(
            event_id=event_id, happened=one, plan=plan, subscription=own, confidential=is_confidential(one, plan)
        )
        return Event(
            event_id=event_id,
            client=one.owner,
            subscription=own,
            body=self._write(telling),
            call_id=one.call_id,
            subject=one.message.message_id if one.message else "",
        )


def is_confidential(one: Happened, plan: Plan) -> bool:
    """Whether what was said must stay in the house: by the rule as it was looked up, else by the live plan's, where the
    message goes by that one. Of a rule that is not known here, it must."""
    if one.message is None:
        return False
    if one.standing is not None and one.standing.confidential is not None:
        return one.standing.confidential
    if not one.message.deliver:
        return False
    if one.standing is not None and one.standing.plan_version not in ("", plan.version):
        return True
    policy = plan.policy_for(one.message.deliver)
    return policy is None or policy.confidential
