"""What opens the link to a confidential message: the person's own PIN, or a code that comes by another way than it.

Each try is one transaction, which locks the dispatch's row, then the link's; tries of one person by several links come
one after the other, too. So limits hold however many come at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Means, What
from callrouter.store.database import Database
from callrouter.store.dispatch.events import wake_worker, write_event
from callrouter.store.dispatch.links import TOKEN_BYTES, Link, hash_of
from callrouter.store.tables import DeliveryKind, DeliveryState, deliveries, delivery_codes, delivery_links, dispatches

CODE_DIGITS: Final = 6
CODE_SECONDS: Final = 600.0
"""How long a code opens its link, from when it was sent."""
MOST_TRIES: Final = 5
"""Wrong ones in a row, after which a link is closed."""
MOST_TRIES_OF_ONE: Final = 20
"""Wrong ones of one contact, by whichever links, within WITHIN_SECONDS: whoever reads the mailbox has many links."""
WITHIN_SECONDS: Final = 86_400.0
MOST_CODES: Final = 3
CODES_WITHIN_SECONDS: Final = 3_600.0
"""So many codes, of one link, in so long."""
PASS_SECONDS: Final = 1_800.0
"""How long a page is believed whose reader gave the right one."""


class Asked(Enum):
    """What came of asking for a code."""

    QUEUED = auto()
    TOO_MANY = auto()
    CLOSED = auto()
    """The link is closed, or gone."""


class Refused(Enum):
    """Why a link was not opened."""

    WRONG = auto()
    NO_CODE = auto()
    """There is none that would be right: none was sent, or its time is over. That is not counted."""
    CLOSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of giving a PIN or a code."""

    token: str = ""
    """By which the page is believed from now on; empty: it was refused."""
    refused: Refused | None = None
    left: int = 0
    """Of WRONG: how many tries are left."""


def hash_of_code(delivery_id: str, code: str) -> str:
    """What the record has of a code, which its telling holds."""
    return hashlib.sha256(f"{delivery_id}:{code}".encode()).hexdigest()


def is_believed(link: Link, token: str, at: datetime) -> bool:
    """Whether a page's token is of whoever gave the right PIN or code by this link, lately."""
    if link.closed or link.pass_hash is None or link.pass_until is None or link.pass_until <= at:
        return False
    return hmac.compare_digest(link.pass_hash, hash_of(token))


async def ask_code(database: Database, link: Link, means: Means, address: str, at: datetime) -> Asked:
    """Have a code sent, by these means and to this address.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        row = await _locked(connection, link)
        if row is None or row["closed_at"] is not None:
            return Asked.CLOSED
        columns = delivery_codes.c
        since = at - timedelta(seconds=CODES_WITHIN_SECONDS)
        lately = select(func.count()).where(columns.token_hash == link.token_hash, columns.asked_at > since)
        if (await connection.execute(lately)).scalar_one() >= MOST_CODES:
            return Asked.TOO_MANY
        delivery_id = str(uuid.uuid4())
        told = {
            "delivery_id": delivery_id,
            "message_id": link.message_id,
            "client": link.client,
            "kind": DeliveryKind.CODE.value,
            "contact": link.contact,
            "means": means.value,
            "address": address,
            "urgent": True,  # somebody sits there and waits for it
            "state": DeliveryState.QUEUED.value,
            "queued_at": at,
            "next_attempt_at": at,
            "changed_at": at,
        }
        await connection.execute(insert(deliveries).values(**told))
        code = {"delivery_id": delivery_id, "token_hash": link.token_hash, "asked_at": at}
        await connection.execute(insert(delivery_codes).values(**code))
        await _say(connection, link, What.CODE_ASKED, at, delivery_id=delivery_id, means=means)
        await wake_worker(connection)
    return Asked.QUEUED


async def try_open(database: Database, link: Link, given: str, at: datetime, *, pin: str) -> Tried:
    """Open a link by what somebody gives.

    Args:
        database: open.
        link: to a confidential message.
        given: its digits alone.
        at: when.
        pin: that it must be; empty: they have none, and it must be a code that was sent.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    async with database.connection() as connection:
        whose = func.hashtextextended(f"{link.client}/{link.contact}", 0)
        await connection.execute(select(func.pg_advisory_xact_lock(whose)))
        row = await _locked(connection, link)
        if row is None or row["closed_at"] is not None:
            return Tried(refused=Refused.CLOSED)
        if await _tries_of_one(connection, link, at) >= MOST_TRIES_OF_ONE:
            await _close(connection, link, at, "there were too many wrong tries by this person's links")
            return Tried(refused=Refused.CLOSED)
        if pin:
            right = hmac.compare_digest(pin.encode(), given.encode())
        else:
            codes = await _codes(connection, link, at)
            if not codes:
                return Tried(refused=Refused.NO_CODE)
            right = any(hmac.compare_digest(known, hash_of_code(id_, given)) for id_, known in codes)
        return await (_open(connection, link, at) if right else _refuse(connection, link, row, at))


async def _locked(connection: AsyncConnection, link: Link) -> RowMapping | None:
    """The link's row, as it is now; None: it was deleted, or has ended."""
    whole = select(dispatches.c.message_id).where(dispatches.c.message_id == link.message_id).with_for_update()
    await connection.execute(whole)
    own = select(delivery_links).where(delivery_links.c.token_hash == link.token_hash).with_for_update()
    return (await connection.execute(own)).mappings().one_or_none()


async def _tries_of_one(connection: AsyncConnection, link: Link, at: datetime) -> int:
    own, told = delivery_links.c, deliveries.c
    tries = (
        select(func.coalesce(func.sum(own.wrong_tries), 0))
        .select_from(delivery_links)
        .join(deliveries, told.delivery_id == own.delivery_id)
        .where(
            own.wrong_tries > 0,
            own.tried_at > at - timedelta(seconds=WITHIN_SECONDS),
            told.client == link.client,
            told.contact == link.contact,
        )
    )
    return int((await connection.execute(tries)).scalar_one())


async def _codes(connection: AsyncConnection, link: Link, at: datetime) -> list[tuple[str, str]]:
    """Ids and hashes of those that open it now."""
    columns = delivery_codes.c
    query = select(columns.delivery_id, columns.code_hash).where(
        columns.token_hash == link.token_hash, columns.code_hash.is_not(None), columns.expires_at > at
    )
    return [(row.delivery_id, row.code_hash) for row in await connection.execute(query)]


async def _open(connection: AsyncConnection, link: Link, at: datetime) -> Tried:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"wrong_tries": 0, "pass_hash": hash_of(token), "pass_until": at + timedelta(seconds=PASS_SECONDS)}
    await _change(connection, link, values)
    used = update(delivery_codes).where(delivery_codes.c.token_hash == link.token_hash).values(code_hash=None)
    await connection.execute(used)
    await _say(connection, link, What.CODE_ACCEPTED, at)
    return Tried(token=token)


async def _refuse(connection: AsyncConnection, link: Link, row: RowMapping, at: datetime) -> Tried:
    tries = int(row["wrong_tries"]) + 1
    await _change(connection, link, {"wrong_tries": tries, "tried_at": at})
    await _say(connection, link, What.CODE_REFUSED, at, detail=f"{tries} of {MOST_TRIES}")
    if tries >= MOST_TRIES:
        await _close(connection, link, at, f"{tries} wrong tries, one after the other")
        return Tried(refused=Refused.CLOSED)
    return Tried(refused=Refused.WRONG, left=MOST_TRIES - tries)


async def _close(connection: AsyncConnection, link: Link, at: datetime, why: str) -> None:
    await _change(connection, link, {"closed_at": at, "pass_hash": None, "pass_until": None})
    await _say(connection, link, What.LINK_CLOSED, at, detail=why)


async def _change(connection: AsyncConnection, link: Link, values: dict[str, object]) -> None:
    mine = delivery_links.c.token_hash == link.token_hash
    await connection.execute(update(delivery_links).where(mine).values(**values))


async def _say(
    connection: AsyncConnection,
    link: Link,
    what: What,
    at: datetime,
    *,
    delivery_id: str = "",
    means: Means | None = None,
    detail: str = "",
) -> None:
    await write_event(
        connection,
        link.message_id,
        what,
        at,
        delivery_id=delivery_id or link.delivery_id,
        contact=link.contact,
        means=(means or link.means).value,
        detail=detail,
    )
