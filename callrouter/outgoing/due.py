"""Whose turn it is to be called back: the order for a callback, and what settles one without a call."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from callrouter.core.nodes.callback import Automatic
from callrouter.core.waiting.turns import place_of
from callrouter.outgoing.order import Order, Outcome, Purpose, Settlement
from callrouter.outgoing.ports import OpenCallback, PlacedCall, QueueStand
from callrouter.outgoing.rules import Rule

AGAIN_SECONDS: Final = 20.0
"""After a call that rang nobody."""
LONGEST_WAIT_SECONDS: Final = 4 * 3600.0
"""A callback that has waited in the queue for so long is put there anew, at its place."""


def settled_by(callback: OpenCallback, rule: Rule, now: datetime) -> Settlement | None:
    """Why nobody is called back for it any more; None: somebody is, now or later."""
    if not rule.node.may_call_back(callback.number):
        return Settlement.NOT_ALLOWED
    if callback.attempts >= rule.automatic.attempts:
        return Settlement.ATTEMPTS
    if now >= callback.asked_at + timedelta(days=rule.automatic.days):
        return Settlement.EXPIRED
    return None


def is_due(callback: OpenCallback, rule: Rule, now: datetime) -> bool:
    """Whether it is to wait in the queue now."""
    return now >= _not_before(callback, rule.automatic) and rule.is_open(now)


def _not_before(callback: OpenCallback, rule: Automatic) -> datetime:
    """When they may be rung again."""
    if callback.last is None or callback.last_at is None:
        return callback.asked_at
    if callback.last is Outcome.WITHDRAWN or (callback.last is Outcome.LOST and callback.lost == 1):
        return callback.last_at  # the PBX was restarted: at once, but not again and again
    soon = callback.last is Outcome.NOBODY_FREE
    return callback.last_at + timedelta(seconds=AGAIN_SECONDS if soon else rule.pause_seconds)


def place_in(
    stand: QueueStand, turns: Mapping[str, datetime], callback: OpenCallback, rule: Automatic, now: datetime
) -> int:
    """The place after all who have a higher priority, or came before.

    `turns`: since when those who wait by a channel of ours have waited.
    """
    others = (
        (one.priority, turns.get(one.channel_id, now - timedelta(seconds=one.waited_seconds))) for one in stand.waiting
    )
    return place_of(callback.turn_at, rule.priority, others)


def order_of(callback: OpenCallback, rule: Rule, position: int, now: datetime) -> Order:
    """What the switch is asked to do for it."""
    how = rule.automatic
    # Should we, or PostgreSQL, be away then: the switch lets nobody wait beyond the hours.
    latest = min(callback.asked_at + timedelta(days=how.days), now + timedelta(seconds=LONGEST_WAIT_SECONDS))
    return Order(
        outgoing_id=f"{int(now.timestamp())}-{secrets.token_hex(6)}",
        purpose=Purpose.CALLBACK,
        client=callback.client,
        number=callback.number,
        shown=rule.shown(callback.did),
        did=callback.did,
        queue=how.pbx_queue,
        priority=how.priority,
        position=position,
        wait_seconds=(rule.open_until(now, latest) - now).total_seconds(),
        ring_seconds=how.ring_seconds,
        said=tuple(sound.file for sound in how.brief),
    )


def placed_of(callback: OpenCallback, order: Order) -> PlacedCall:
    """The call that an order places."""
    return PlacedCall(
        outgoing_id=order.outgoing_id,
        wish=callback.wish,
        client=callback.client,
        number=callback.number,
        queue=order.queue,
        turn_at=callback.turn_at,
        node=callback.node,
        is_open=True,
        attempts=callback.attempts,
        shown=order.shown,
        did=callback.did,
    )
