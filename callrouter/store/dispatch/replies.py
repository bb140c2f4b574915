"""What people answer to mail and SMS: a code takes the message on, everything else is kept in its trail.

A code is five signs without vowels and look-alikes, so that no word of any language is one. It counts only for tellings
to whoever answers: those that their answer refers to, and those to the address that it comes from; none of before the
message began anew, since it may be for somebody else now. Each answer is written down once, by its id; wrong codes are
counted by sender. One transaction each, and one after the other of one sender, so that limits hold however many come at
once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import RowMapping, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.core.dispatch import Means, What
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import BY_REPLY, acknowledge_within, is_void
from callrouter.store.dispatch.events import BY_MACHINE, write_event
from callrouter.store.tables import DeliveryKind, deliveries, dispatches, replies

CODE_SIGNS: Final = "346789CDFGHJKMNPQRTVWX"
CODE_LENGTH: Final = 5
"""5 million of them; a few tellings are open to one address."""
MOST_WRONG: Final = 5
"""Wrong codes of one sender within WITHIN_SECONDS, after which none of theirs counts."""
WITHIN_SECONDS: Final = 3_600.0
MOST_KEPT: Final = 20
"""Answers without a code, of one sender within WITHIN_SECONDS, that are kept: machines answer each other for ever."""
OPEN_SECONDS: Final = 14 * 86_400.0
"""How long a telling may be answered."""
KEEP_SECONDS: Final = 30 * 86_400.0
"""How long it is known that an answer was there."""
MOST_OPEN: Final = 200
"""Tellings to one address that are looked at, the newest first."""
LONGEST_SAID: Final = 500
"""Characters of an answer that are kept."""
_CODE: Final = re.compile(f"[{CODE_SIGNS}]{{{CODE_LENGTH}}}")
_AROUND: Final = "\"'“”‘’«»`<>()[]*.,;:!"
"""What people, and programs that write for them, put around a word."""


class Outcome(StrEnum):
    """What came of an answer."""

    ACKNOWLEDGED = "acknowledged"
    KNOWN = "known"
    """The code is right, and somebody had taken the message on before."""
    WRONG = "wrong"
    """It looks like a code, and is none of theirs; or is of before the message began anew."""
    LIMITED = "limited"
    """There were too many wrong codes: it was not looked at."""
    WORDS = "words"
    """It is kept in the message's trail."""
    AUTOMATIC = "automatic"
    """The same, of a machine that answers for somebody."""
    NOBODYS = "nobodys"
    """It is of no message of ours: the log says so, and nothing of it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What somebody answers."""

    means: Means
    id: str
    """By which the same one is known again."""
    senders: tuple[str, ...]
    """Addresses that it comes from, as tellings have them (`sms:+33612345678`); the first one is who is counted."""
    first_line: str
    """The first line that they wrote themselves."""
    said: str
    """What they wrote themselves."""
    refers_to: tuple[str, ...] = ()
    """Ids of deliveries that it is an answer to, as it says."""
    automatic: bool = False
    """Whether a machine answers for them: then it acknowledges nothing."""


def new_reply_code() -> str:
    """One to answer with."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def hash_of_reply(delivery_id: str, code: str) -> str:
    """What the record has of it."""
    return hashlib.sha256(f"{delivery_id}:{code}".encode()).hexdigest()


def code_in(line: str) -> str:
    """The code that a line begins with; empty: none."""
    words = unicodedata.normalize("NFKC", line[:200]).translate(_INVISIBLE).split()
    word = words[0].strip(_AROUND).upper() if words else ""
    return word if _CODE.fullmatch(word) else ""


_INVISIBLE: Final = dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


async def take_reply(database: Database, reply: Reply, at: datetime) -> Outcome | None:
    """Do what an answer says; None: it was there before.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    code = "" if reply.automatic else code_in(reply.first_line)
    async with database.connection() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(reply.senders[0], 0))))
        if await _is_known(connection, reply):
            return None
        told = await _told(connection, reply, at)
        outcome = await _taken(connection, reply, code, told, at)
        if outcome is Outcome.NOBODYS:  # a stranger's: nothing of it is kept
            return outcome
        row = {"reply_id": _id_of(reply), "sender": reply.senders[0], "at": at, "outcome": outcome.value}
        await connection.execute(insert(replies).values(**row).on_conflict_do_nothing())
        await connection.execute(delete(replies).where(replies.c.at < at - timedelta(seconds=KEEP_SECONDS)))
    return outcome


def _id_of(reply: Reply) -> str:
    said = f"{reply.senders[0]}\n{reply.id}".encode(errors="replace")
    return f"{reply.means.value}:{hashlib.sha256(said).hexdigest()}"


async def _is_known(connection: AsyncConnection, reply: Reply) -> bool:
    known = select(replies.c.reply_id).where(replies.c.reply_id == _id_of(reply))
    return (await connection.execute(known)).first() is not None


async def _told(connection: AsyncConnection, reply: Reply, at: datetime) -> list[RowMapping]:
    """Tellings that it may be an answer to: those that it refers to first, then the newest of those to its sender, and
    to whoever was sent what it refers to.
    """
    columns = deliveries.c
    addresses = list(reply.senders)
    if reply.refers_to:
        named = select(columns.address).where(
            columns.delivery_id.in_(reply.refers_to),
            columns.means == reply.means.value,
            columns.message_id.is_not(None),
        )
        addresses += (await connection.execute(named)).scalars()
    query = (
        select(columns.delivery_id, columns.message_id, columns.contact, columns.means, columns.reply_hash)
        .where(
            columns.address.in_(addresses),
            text("deliveries.means <> 'webhook'"),  # in these words it is the index's
            columns.means == reply.means.value,
            columns.kind.in_((DeliveryKind.MESSAGE.value, DeliveryKind.NOTICE.value)),
            columns.message_id.is_not(None),
            columns.attempts > 0,
            columns.queued_at > at - timedelta(seconds=OPEN_SECONDS),
        )
        .order_by(columns.queued_at.desc(), columns.delivery_id)
        .limit(MOST_OPEN)
    )
    found = (await connection.execute(query)).mappings().all()
    return sorted(found, key=lambda one: one["delivery_id"] not in reply.refers_to)


async def _taken(
    connection: AsyncConnection, reply: Reply, code: str, told: Collection[RowMapping], at: datetime
) -> Outcome:
    if not told:
        return Outcome.NOBODYS
    if not code:
        return await _kept(connection, reply, next(iter(told)), at)
    if await _lately(connection, reply, at, Outcome.WRONG) >= MOST_WRONG:
        reason = "not looked at, after too many wrong codes"
        return await _refused(connection, reply, next(iter(told)), Outcome.LIMITED, reason, at)
    right = [one for one in told if _is_right(one, code)]
    if not right:
        return await _refused(connection, reply, next(iter(told)), Outcome.WRONG, "wrong code", at)
    messages = sorted({one["message_id"] for one in right})
    lock = select(dispatches.c.message_id).where(dispatches.c.message_id.in_(messages))
    await connection.execute(lock.order_by(dispatches.c.message_id).with_for_update())
    void = await _void(connection, right)
    if len(void) == len(right):
        return await _refused(connection, reply, right[0], Outcome.WRONG, "a code of before it began anew", at)
    taken_on = [
        await acknowledge_within(
            connection,
            one["message_id"],
            by=one["contact"],
            how=BY_REPLY,
            at=at,
            delivery_id=one["delivery_id"],
        )
        for one in right
        if one["delivery_id"] not in void
    ]
    return Outcome.ACKNOWLEDGED if any(taken_on) else Outcome.KNOWN


async def _void(connection: AsyncConnection, told: Collection[RowMapping]) -> set[str]:
    """Those of before their message began anew; asked once it is locked, or it might begin meanwhile."""
    columns = deliveries.c
    query = (
        select(columns.delivery_id)
        .join(dispatches, dispatches.c.message_id == columns.message_id)
        .where(columns.delivery_id.in_([one["delivery_id"] for one in told]), is_void())
    )
    return set((await connection.execute(query)).scalars())


def _is_right(told: RowMapping, code: str) -> bool:
    """Whether a telling held that code, at any of its attempts."""
    hashes = (told["reply_hash"] or "").split()
    given = hash_of_reply(told["delivery_id"], code)
    return any(hmac.compare_digest(one, given) for one in hashes)


async def _kept(connection: AsyncConnection, reply: Reply, of: RowMapping, at: datetime) -> Outcome:
    outcome = Outcome.AUTOMATIC if reply.automatic else Outcome.WORDS
    if await _lately(connection, reply, at, Outcome.WORDS, Outcome.AUTOMATIC) >= MOST_KEPT:
        return Outcome.LIMITED
    said = _short(reply.said)
    if said:
        await _say(connection, of, f"{BY_MACHINE}{said}" if reply.automatic else said, at)
    return outcome


async def _refused(
    connection: AsyncConnection, reply: Reply, of: RowMapping, why: Outcome, reason: str, at: datetime
) -> Outcome:
    if await _lately(connection, reply, at, Outcome.LIMITED) < MOST_KEPT:
        await _say(connection, of, f"{reason}: {_short(reply.said)}", at)
    return why


async def _lately(connection: AsyncConnection, reply: Reply, at: datetime, *outcomes: Outcome) -> int:
    columns = replies.c
    query = select(func.count()).where(
        columns.sender == reply.senders[0],
        columns.at > at - timedelta(seconds=WITHIN_SECONDS),
        columns.outcome.in_([one.value for one in outcomes]),
    )
    return int((await connection.execute(query)).scalar_one())


async def _say(connection: AsyncConnection, of: RowMapping, detail: str, at: datetime) -> None:
    await write_event(
        connection,
        of["message_id"],
        What.REPLIED,
        at,
        delivery_id=of["delivery_id"],
        contact=of["contact"],
        means=of["means"],
        detail=detail,
    )


def _short(said: str) -> str:
    """Its first lines, as one."""
    line = " / ".join(" ".join(one.split()) for one in said.replace("\x00", "\ufffd").splitlines() if one.strip())
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"
