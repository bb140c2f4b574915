"""What a report says beside the calls: what agents did, messages, callbacks, and who gave up and was reached later.

Everything is a sum but for percentiles, so that rows can be added up; shares are made of sums, by the columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from callrouter.core.call import QueueOutcome
from callrouter.periods import Period
from callrouter.store.agents.figures import AgentFigures, read_agents
from callrouter.store.agents.work import Work
from callrouter.store.database import Database
from callrouter.store.figures.asking import Grouping
from callrouter.store.figures.visits import QueueFigures, read_queues
from callrouter.store.gaps import Gap
from callrouter.store.sections.abandoned import read_abandoned
from callrouter.store.sections.callbacks import read_callbacks
from callrouter.store.sections.handling import read_handling
from callrouter.store.sections.messages import read_messages

LONGEST_OF_ALL: Final = timedelta(days=62)
"""Of everybody at once no longer period is read: these figures are made of rows, and not of days."""

_NONE: Final[Mapping[str, float | None]] = dict.fromkeys(
    (
        *("conversations", "talk_seconds", "hold_seconds", "wrap_up_seconds", "handle_seconds"),
        *("messages", "messages_urgent", "messages_unacknowledged"),
        *("callbacks", "callbacks_open", "callbacks_reached", "gave_up", "gave_up_reached"),
    ),
    0,
)


async def read_beside(
    database: Database, period: Period, *, now: datetime, clients: Sequence[str] | None, zone: ZoneInfo | None
) -> Mapping[str, Mapping[str, float | None]]:
    """By client; one of whom there is nothing has `nothing_beside`.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    found: dict[str, dict[str, float | None]] = {}

    def of(client: str) -> dict[str, float | None]:
        return found.setdefault(client, nothing_beside())

    for work in await read_handling(database, period, now=now, clients=clients, zone=zone):
        of(work.client).update(_work(work.all))
    for told in await read_messages(database, period, now=now, clients=clients, zone=zone):
        of(told.client).update(
            messages=told.messages,
            messages_urgent=told.urgent,
            messages_unacknowledged=told.unacknowledged,
            accepted_p50_seconds=told.accepted.p50_seconds,
            delivered_p50_seconds=told.delivered.p50_seconds,
            acknowledged_p50_seconds=told.acknowledged.p50_seconds,
        )
    for wishes in await read_callbacks(database, period, now=now, clients=clients, zone=zone):
        of(wishes.client).update(
            callbacks=wishes.asked,
            callbacks_open=wishes.open,
            callbacks_reached=wishes.reached.count,
            callback_p50_seconds=wishes.reached.p50_seconds,
        )
    for gave_up in await read_abandoned(database, period, now=now, clients=clients, zone=zone):
        of(gave_up.client).update(gave_up=gave_up.abandoned, gave_up_reached=gave_up.after.count)
    return found


async def read_of_queues(
    database: Database,
    period: Period,
    *,
    by: Sequence[Grouping],
    now: datetime,
    clients: Sequence[str] | None,
    zone: ZoneInfo | None,
) -> tuple[dict[tuple[Any, ...], Mapping[str, float | None]], Mapping[str, float | None], Sequence[Gap]]:
    """Visits to queues by what is asked for, all together, and when something may be missing.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins.
    """
    found = await read_queues(database, period, by=by, now=now, clients=clients, zone=zone)
    rows: dict[tuple[Any, ...], Mapping[str, float | None]] = {
        group.keys: _of_visits(group.figures) for group in found.groups
    }
    return rows, _of_visits(found.total.figures), found.gaps


def _of_visits(figures: QueueFigures) -> dict[str, float | None]:
    answered = figures.by_outcome[QueueOutcome.ANSWERED]
    return {
        "entered": figures.entered,
        "visits_answered": answered,
        "visits_abandoned": figures.by_outcome[QueueOutcome.ABANDONED],
        "visits_overflowed": figures.overflowed,
        "visits_exited": figures.by_outcome[QueueOutcome.EXITED],
        "visits_within": figures.answered_within,
        "visits_waited_seconds": (figures.waiting.mean_seconds or 0.0) * answered,
        "visit_p50_seconds": figures.waiting.p50_seconds,
        "visit_p95_seconds": figures.waiting.p95_seconds,
        "visit_max_seconds": figures.waiting.max_seconds,
    }


def nothing_beside() -> dict[str, float | None]:
    """Of a client without any of it: counts are 0, and there is no delay."""
    return dict(_NONE)


async def read_of_agents(
    database: Database, period: Period, *, now: datetime, zone: ZoneInfo | None
) -> tuple[dict[str, Mapping[str, float | None]], Sequence[Gap], ZoneInfo]:
    """By agent, when something may be missing, and on whose clocks the period is.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins.
    """
    found = await read_agents(database, period, now=now, zone=zone)
    return {one.agent: _of_agent(one) for one in found.totals}, found.gaps, found.zone


def _of_agent(one: AgentFigures) -> dict[str, float | None]:
    time = one.time
    return {
        **_work(one.work),
        "offers": one.work.offered,
        "missed": one.work.missed,
        "logged_in_seconds": time.logged_in_seconds,
        "available_seconds": time.available_seconds,
        "paused_seconds": sum(time.paused_seconds.values()),
        # Of who logs in nowhere nobody knows when they were available: their work is in no occupancy.
        "busy_seconds": one.work.handle_seconds if time.logged_in_seconds else 0.0,
    }


def _work(work: Work) -> dict[str, float | None]:
    return {
        "conversations": work.conversations,
        "talk_seconds": work.talk_seconds,
        "hold_seconds": work.hold_seconds,
        "wrap_up_seconds": work.wrap_up_seconds,
        "handle_seconds": work.handle_seconds,
    }
