"""What people say who call back themselves: of an abandoned caller, and of a callback."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from callrouter.core.call import Disposition
from callrouter.outgoing.order import Settlement
from callrouter.outgoing.ports import Wish
from callrouter.store.database import Database
from callrouter.store.tables import FollowUpResult, callbacks, calls, follow_ups


async def caller_of(database: Database, call_id: str) -> tuple[str, bool] | None:
    """Whose caller somebody was in a call, and whether they gave up; None: there is no such call.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(calls.c.client, calls.c.disposition).where(calls.c.call_id == call_id)
    async with database.connection() as connection:
        row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.client, row.disposition == Disposition.ABANDONED)


async def note_follow_up(
    database: Database, call_id: str, client: str, principal: str, result: FollowUpResult, at: datetime
) -> None:
    """Somebody called an abandoned caller.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    row = {"call_id": call_id, "client": client, "principal": principal, "result": result.value, "at": at}
    async with database.connection() as connection:
        await connection.execute(insert(follow_ups).values(**row))


async def callback_client(database: Database, wish: Wish) -> str | None:
    """Whose callback it is; None: there is none.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    query = select(callbacks.c.client).where(callbacks.c.call_id == wish[0], callbacks.c.position == wish[1])
    async with database.connection() as connection:
        return (await connection.execute(query)).scalar_one_or_none()


async def settle_by_hand(database: Database, wish: Wish, *, reached: bool, at: datetime) -> bool:
    """A person has settled a callback; False: it was settled before.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    change = update(callbacks).where(
        callbacks.c.call_id == wish[0], callbacks.c.position == wish[1], callbacks.c.state == "open"
    )
    values = {"state": "done" if reached else "given_up", "settled_by": Settlement.BY_HAND.value, "settled_at": at}
    async with database.connection() as connection:
        return bool((await connection.execute(change.values(**values))).rowcount)
