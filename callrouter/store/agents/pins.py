"""PINs of agents: kept as hashes only; after too many wrong ones the right one is none either, for a while.

A PIN has few digits: whoever reads the table could try them all. scrypt makes each try cost some 50 ms and 16 MiB
(RFC 7914), and the count of wrong ones bounds the tries of whoever has a telephone.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Update, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from callrouter.core.agents.standing import PinCheck
from callrouter.errors import StoreError, UsageError
from callrouter.store.access.audit import Deed, write_deed
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome, agent_pins

MOST_WRONG: Final = 10
"""In a row."""
LOCKED: Final = timedelta(minutes=15)
SET_PIN: Final = "agent.pin"
"""In the audit trail."""
_PIN = re.compile(r"[0-9]{4,12}", re.ASCII)
_COST = {"n": 2**14, "r": 8, "p": 1}
_MEMORY: Final = 64 * 1024 * 1024
"""What OpenSSL may take; its default is just too little for this cost."""


class PinBook:
    """Checks PINs for one engine."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` is the true time, whatever clock calls are stamped by."""
        self._database = database
        self._now = now
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """One try after the other for each agent, so that the tries of many telephones at once are counted too."""

    async def check(self, agent: str, pin: str) -> PinCheck:
        """Whether it is theirs; a wrong one counts, a right one counts anew. It takes as long for who has none."""
        try:
            return await self._check(agent, pin)
        except StoreError:
            return PinCheck.AWAY

    async def _check(self, agent: str, pin: str) -> PinCheck:
        async with self._turns[agent]:
            async with self._database.connection() as connection:
                query = select(agent_pins.c.secret_hash).where(agent_pins.c.agent == agent)
                kept = (await connection.execute(query)).scalar()
            right = await asyncio.to_thread(_is_right, pin, kept or _NOBODYS)
            if kept is None:
                return PinCheck.UNSET
            return await (self._accept(agent, kept) if right else self._count_wrong(agent))

    async def _accept(self, agent: str, kept: str) -> PinCheck:
        """A lock that began while the PIN was hashed, and a PIN that was set meanwhile, count."""
        anew = self._open(agent).where(agent_pins.c.secret_hash == kept).values(failures=0, locked_until=None)
        async with self._database.connection() as connection:
            accepted = (await connection.execute(anew.returning(agent_pins.c.agent))).scalar()
        return PinCheck.LOCKED if accepted is None else PinCheck.RIGHT

    async def _count_wrong(self, agent: str) -> PinCheck:
        too_many = agent_pins.c.failures + 1 >= MOST_WRONG
        counted = self._open(agent).values(
            failures=case((too_many, 0), else_=agent_pins.c.failures + 1),
            locked_until=case((too_many, self._now() + LOCKED), else_=None),
        )
        async with self._database.connection() as connection:
            row = (await connection.execute(counted.returning(agent_pins.c.locked_until))).one_or_none()
        return PinCheck.WRONG if row is not None and row.locked_until is None else PinCheck.LOCKED

    def _open(self, agent: str) -> Update:
        """Changes nothing while the PIN is locked, whoever else tries it at the same time."""
        locked_until = agent_pins.c.locked_until
        return (
            update(agent_pins)
            .where(agent_pins.c.agent == agent)
            .where(or_(locked_until.is_(None), locked_until <= self._now()))
        )


async def set_pin(database: Database, agent: str, pin: str, *, by: str, now: datetime) -> None:
    """Give an agent a PIN instead of the one they had; a lock ends.

    Raises:
        UsageError: it is none.
        StoreError: PostgreSQL does not take it.
    """
    if not _PIN.fullmatch(pin):
        raise UsageError("a PIN has four to twelve digits")
    values = {
        "secret_hash": await asyncio.to_thread(_hashed, pin),
        "set_at": now,
        "set_by": by,
        "failures": 0,
        "locked_until": None,
    }
    row = insert(agent_pins).values(agent=agent, **values)
    async with database.connection() as connection:
        await connection.execute(row.on_conflict_do_update(index_elements=[agent_pins.c.agent], set_=values))
        await write_deed(connection, Deed(principal=by, action=SET_PIN, object=agent, outcome=AuditOutcome.DONE), now)


async def remove_pin(database: Database, agent: str, *, by: str, now: datetime) -> None:
    """Take an agent's PIN away: they log in by telephone no more.

    Raises:
        UsageError: they have none.
        StoreError: PostgreSQL does not take it.
    """
    async with database.connection() as connection:
        gone = await connection.execute(delete(agent_pins).where(agent_pins.c.agent == agent))
        if not gone.rowcount:
            raise UsageError(f"agent {agent} has no PIN")
        await write_deed(connection, Deed(principal=by, action=SET_PIN, object=agent, outcome=AuditOutcome.DONE), now)


def _hashed(pin: str) -> str:
    """`scrypt$<salt>$<hash>`, both base64."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", base64.b64encode(salt).decode(), base64.b64encode(_derived(pin, salt)).decode()))


def _is_right(pin: str, kept: str) -> bool:
    _, salt, derived = kept.split("$")
    return hmac.compare_digest(_derived(pin, base64.b64decode(salt)), base64.b64decode(derived))


def _derived(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, maxmem=_MEMORY, dklen=32, **_COST)


_NOBODYS: Final = "$".join(("scrypt", base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(32)).decode()))
"""What the PIN of somebody who has none is compared with."""
