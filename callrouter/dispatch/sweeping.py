"""Takes messages that are due a step further, by the rule that was theirs and by the client's plan as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from msgspec.structs import replace

from callrouter.core.dispatch import Course, Policy
from callrouter.core.dispatch.progress import Move, Note, Standing, next_move
from callrouter.core.dispatch.trail import What
from callrouter.core.plan import Plan
from callrouter.dispatch.parcels import KeptPlan, LivePlan
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.due import DueMessage, advance, find_due
from callrouter.store.dispatch.lease import Lease

log = structlog.get_logger(__name__)

AT_ONCE: Final = 100
"""Messages a transaction."""
NOBODY: Final = Policy(name="", urgent=Course(steps=()), ordinary=Course(steps=()))
"""Of a message that has no rule."""


class Sweeper:
    """Of one worker."""

    def __init__(
        self, database: Database, lease: Lease, plans: LivePlan, clock: Clock, *, kept: KeptPlan | None = None
    ) -> None:
        """`kept` finds the plan by which a message was taken; None: each goes by the rule of the one that is live."""
        self._kept = kept
        self._database = database
        self._lease = lease
        self._plans = plans
        self._clock = clock

    async def sweep(self) -> int:
        """Take all that are due now a step further; how many there were.

        Raises:
            LeaseLost: another worker does it.
            StoreError: PostgreSQL does not answer.
        """
        swept = 0
        while due := await find_due(self._database, self._clock.now(), AT_ONCE):
            live = {client: await self._plans(client) for client in dict.fromkeys(client for _, client, _ in due)}
            sought = dict.fromkeys((client, version) for _, client, version in due if version)
            kept = {(client, version): await self._find(client, version, live[client]) for client, version in sought}
            ids = [message_id for message_id, _, _ in due]
            decided = partial(self._decide, live, kept)
            moved = await advance(self._database, self._lease, ids, self._clock.now(), decided)
            swept += moved
            if not moved:
                break
        return swept

    async def _find(self, client: str, version: str, live: Plan | None) -> Plan | None:
        """The plan of that version; None: nobody has kept it."""
        if live is not None and live.version == version:
            return live
        return await self._kept(client, version) if self._kept is not None else None

    def _decide(
        self,
        live: Mapping[str, Plan | None],
        kept: Mapping[tuple[str, str], Plan | None],
        one: DueMessage,
        now: datetime,
    ) -> Move:
        try:
            return decide(one, live.get(one.client), now, taken_by=kept.get((one.client, one.plan_version)))
        except Exception:
            # A fault of ours must neither hold up the others nor be silent.
            log.exception("a message could not be taken further", message=one.message_id, client=one.client)
            return _attention(one, "it could not be taken further: the worker's log says why")


def decide(one: DueMessage, plan: Plan | None, now: datetime, *, taken_by: Plan | None = None) -> Move:
    """What is to be done with a message now, by the rule of the plan it was taken by, for people as `plan` has them.

    `taken_by` None: by the rule that is live.
    """
    if one.unreadable:
        log.error("the rule of a message cannot be read", message=one.message_id, client=one.client, why=one.unreadable)
        return _attention(one, "the rule that it goes by cannot be read by this release")
    if plan is None:
        return _attention(one, "the client has no plan that is live")
    standing = one.standing
    if standing is None:
        found = _standing(one, taken_by or plan)
        if isinstance(found, Move):
            return found
        standing = found
    move = next_move(standing, now, plan.house)
    if move.ended is What.ATTENTION and one.failed and standing.begun is not None and not standing.begun.reached:
        return _because(move, f"{move.reason} ({one.failed})")
    if one.standing is None:
        rule = Note(what=What.RULE, detail=standing.policy.name)
        return replace(move, notes=(rule, *move.notes))
    return move


def _standing(one: DueMessage, plan: Plan) -> Standing | Move:
    if not one.deliver:
        return _attention(one, "nobody is named to be told of it")
    policy = plan.policy_for(one.deliver)
    if policy is None:
        return _attention(one, f"{one.deliver}, for whom it is, is no contact or rule of the client's any more")
    ages_at = None
    if policy.ages_seconds and not one.urgent:
        ages_at = one.began_at + timedelta(seconds=policy.ages_seconds)
    return Standing(policy=policy, urgent=one.urgent, ages_at=ages_at)


def _attention(one: DueMessage, reason: str) -> Move:
    standing = one.standing or Standing(policy=NOBODY, urgent=one.urgent)
    note = Note(what=What.ATTENTION, detail=reason)
    return Move(standing=standing, due_at=None, notes=(note,), ended=What.ATTENTION, reason=reason)


def _because(move: Move, reason: str) -> Move:
    note = Note(what=What.ATTENTION, detail=reason)
    return replace(move, notes=(*move.notes[:-1], note), reason=reason)
