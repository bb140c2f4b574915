"""The engine's look at callers' wishes to be called back, for Prometheus; also at those that people carry out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, func, select

from callrouter.outgoing.order import Settlement
from callrouter.runtime.watch import Watch
from callrouter.store.database import Database
from callrouter.store.outgoing.names import Names
from callrouter.store.tables import callbacks

RECENT: Final = timedelta(hours=24)
OUTCOMES: Final = ("open", "reached", "rang_again", "given_up")
"""What becomes of a wish: it waits, somebody called and reached them, they rang again, or nobody tries any more."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How they stand."""

    open: Mapping[str, int]
    """By client, as it is called now; those without any are left out."""
    oldest_seconds: Mapping[str, float]
    """For how long the oldest of them has been open, by client."""
    recent: Mapping[str, int]
    """Those of the last 24 hours, by outcome."""


async def count_wishes(database: Database, now: datetime) -> Wishes:
    """Count them. `now` is the clock they were asked by.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    wish = callbacks.c
    still_open = (
        select(wish.client, func.count(), func.min(wish.asked_at)).where(wish.state == "open").group_by(wish.client)
    )
    outcome = case(
        (wish.state == "open", "open"),
        (wish.state == "given_up", "given_up"),
        (wish.settled_by == Settlement.RANG_AGAIN.value, "rang_again"),
        else_="reached",
    )
    recent = select(outcome, func.count()).where(wish.asked_at > now - RECENT).group_by(outcome)
    many: dict[str, int] = {}
    oldest: dict[str, float] = {}
    async with database.connection() as connection:
        names = await Names.read(connection)
        for client, count, asked_at in (await connection.execute(still_open)).all():
            client = names.now(client)
            many[client] = many.get(client, 0) + count
            oldest[client] = max(oldest.get(client, 0.0), (now - asked_at).total_seconds())
        found = {row[0]: row[1] for row in await connection.execute(recent)}
    return Wishes(open=many, oldest_seconds=oldest, recent={name: found.get(name, 0) for name in OUTCOMES})


class WishesWatch(Watch[Wishes]):
    """Counts them from time to time."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """`now` is the clock calls are stamped by."""
        super().__init__(lambda: count_wishes(database, now()), "callbacks are")
