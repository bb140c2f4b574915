"""The lease by which one process at a time does what may not be done twice. A row, by PostgreSQL's own clock.

Whoever acts under it shows its epoch in the same transaction: a process that was stopped for a while, and whose place
somebody else has taken, changes nothing any more.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.errors import LeaseLost
from callrouter.store.database import Database

DISPATCH: Final = "dispatch"
"""Of the worker that tells people."""
LEASE_SECONDS: Final = 10.0
"""How long it holds after each renewal; so long nobody sends after a worker was killed."""

_TAKE = text(
    """INSERT INTO leases AS mine (name, holder, epoch, until)
       VALUES (:name, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))
       ON CONFLICT (name) DO UPDATE SET
           epoch = mine.epoch + CASE WHEN mine.holder = excluded.holder THEN 0 ELSE 1 END,
           holder = excluded.holder,
           until = excluded.until
       WHERE mine.holder = excluded.holder OR mine.until < clock_timestamp()
       RETURNING epoch"""
)
_HELD = text("SELECT 1 FROM leases WHERE name = :name AND holder = :holder AND epoch = :epoch FOR SHARE")
_RELEASE = text(
    "UPDATE leases SET until = clock_timestamp() WHERE name = :name AND holder = :holder AND epoch = :epoch"
)


class Lease:
    """One process's claim to a name."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        """`holder` is this process's alone, for ever."""
        self._database = database
        self._name = name
        self._holder = holder
        self._epoch: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether it was this process's the last time that it asked."""
        return self._epoch is not None

    async def take(self) -> bool:
        """Take it, or renew it. False: somebody else has it.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer.
        """
        values = {"name": self._name, "holder": self._holder, "seconds": LEASE_SECONDS}
        async with self._database.connection() as connection:
            self._epoch = (await connection.execute(_TAKE, values)).scalar()
        return self._epoch is not None

    async def check(self, connection: AsyncConnection) -> None:
        """Make sure, in a transaction, that it is still this process's until the transaction ends.

        Raises:
            LeaseLost: somebody else has it.
        """
        shown = self._shown()
        held = self._epoch is not None and (await connection.execute(_HELD, shown)).scalar() is not None
        if not held:
            if self._epoch == shown["epoch"]:  # else it was taken anew meanwhile, beside the one who asks
                self._epoch = None
            raise LeaseLost(f"the lease {self._name} is somebody else's now: another worker runs")

    async def release(self) -> None:
        """Let somebody else have it at once.

        Raises:
            DatabaseUnreachable: PostgreSQL does not answer; it ends by itself.
        """
        if self._epoch is None:
            return
        async with self._database.connection() as connection:
            await connection.execute(_RELEASE, self._shown())
        self._epoch = None

    def _shown(self) -> dict[str, object]:
        return {"name": self._name, "holder": self._holder, "epoch": self._epoch}
