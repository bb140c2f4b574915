"""What a telling holds that nobody may learn from the record: links, and codes. The record has the hash of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Text, bindparam, cast, func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.store.tables import deliveries, delivery_codes, delivery_links


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a telling holds that leads to its message."""

    token_hash: str
    delivery_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningCode:
    """By which a link is opened; of the code's own telling."""

    code_hash: str
    delivery_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCode:
    """By which whoever answers a telling takes its message on."""

    code_hash: str
    delivery_id: str


Enclosed = Link | OpeningCode | ReplyCode


async def keep_within(connection: AsyncConnection, kept: Collection[Enclosed]) -> None:
    """Keep them, in the connection's transaction, before any of it is sent."""
    if links := [one for one in kept if isinstance(one, Link)]:
        rows = [
            {"token_hash": one.token_hash, "delivery_id": one.delivery_id, "expires_at": one.expires_at}
            for one in links
        ]
        await connection.execute(insert(delivery_links), rows)
    if codes := [one for one in kept if isinstance(one, OpeningCode)]:
        rows = [{"of": one.delivery_id, "hash": one.code_hash, "until": one.expires_at} for one in codes]
        await connection.execute(_KEEP_CODE, rows)
    if replies := [one for one in kept if isinstance(one, ReplyCode)]:
        await connection.execute(_KEEP_REPLY, [{"of": one.delivery_id, "hash": one.code_hash} for one in replies])


_KEEP_CODE: Final = (
    update(delivery_codes)
    .where(delivery_codes.c.delivery_id == bindparam("of"))
    .values(code_hash=bindparam("hash"), expires_at=bindparam("until"))
)
_KEEP_REPLY: Final = (
    update(deliveries)
    .where(deliveries.c.delivery_id == bindparam("of"))
    .values(reply_hash=func.concat_ws(" ", deliveries.c.reply_hash, cast(bindparam("hash"), Text)))
)
"""One that is sent again may have arrived the first time: either code is right."""
