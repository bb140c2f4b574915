"""How deeds get into the audit trail: what listens, plays or changes before it is done, a refusal soon after.

The same deed again in the same minute counts up its row, so a flood of refusals makes few rows; and beyond
`MOST_REFUSALS` different ones in a minute (a flood from many addresses) the rest are one row that says so. While
PostgreSQL is away rows wait in memory, `MOST_WAITING` of them; what does not fit is counted, said in the log, and once
PostgreSQL is back stands in the trail itself (`audit.lost`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from callrouter.errors import StoreError
from callrouter.logs import Outage, safe_text
from callrouter.permissions import OURSELVES
from callrouter.store.access.audit import AuditRow, Deed, new_id, write_rows
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome
from callrouter.store.writing.soon import WrittenSoon

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 5_000
MOST_REFUSALS: Final = 200
"""Different refusals in a minute that get a row each."""
FLUSH_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 5.0
OTHERS: Final = "others"
"""Stands for whom, what and whence of refusals beyond `MOST_REFUSALS`."""
LOST: Final = "audit.lost"
_BATCH: Final = 500
_TEXT: Final = 200


@dataclass(slots=True)
class _Counted:
    """A row of this minute, and how often the deed was done until now."""

    audit_id: str
    at: datetime
    deed: Deed
    times: int = 0

    def row(self) -> AuditRow:
        return AuditRow(audit_id=self.audit_id, at=self.at, deed=self.deed, times=self.times)


class AuditTrail:
    """One for each process; `run` writes what was noted."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` is the true time, whatever clock calls are stamped by."""
        self._database = database
        self._now = now
        self._minute: datetime | None = None
        self._this_minute: dict[Deed, _Counted] = {}
        self._refusals = 0
        self._waiting: dict[str, _Counted] = {}
        self._lost = 0
        self._soon = WrittenSoon(
            self.flush,
            Outage(log, "the audit trail waits for PostgreSQL", "the audit trail goes on", level="warning"),
            waiting=lambda: self.waiting,
            pause_seconds=FLUSH_SECONDS,
            retry_seconds=RETRY_SECONDS,
        )

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return len(self._waiting)

    def note(self, deed: Deed) -> None:
        """Take note of a deed; costs microseconds, and is written soon."""
        counted = self._counted(_cleaned(deed))
        if counted.audit_id not in self._waiting and len(self._waiting) >= MOST_WAITING:
            self._lose()
            return
        counted.times += 1
        self._waiting[counted.audit_id] = counted
        self._soon.due()

    async def record(self, deed: Deed) -> None:
        """Write a deed before it is done: what cannot be written is not to be done.

        Raises:
            StoreError: PostgreSQL does not take it.
        """
        counted = self._counted(_cleaned(deed))
        counted.times += 1
        try:
            await write_rows(self._database, [counted.row()])
        except BaseException:
            counted.times -= 1
            raise

    async def run(self) -> None:
        """Write until cancelled."""
        await self._soon.run()

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: PostgreSQL does not take it; it goes on waiting.
        """
        while self._waiting:
            rows = [counted.row() for counted, _ in zip(self._waiting.values(), range(_BATCH), strict=False)]
            await write_rows(self._database, rows)
            for row in rows:
                counted = self._waiting.get(row.audit_id)
                if counted is not None and counted.times == row.times:  # otherwise it was done again meanwhile
                    del self._waiting[row.audit_id]
        if self._lost:
            await self._declare_lost()

    async def close(self) -> None:
        """Write what waits, in a few seconds; what PostgreSQL does not take by then is a line in the log."""
        reason = await self._soon.close()
        if reason and (self._waiting or self._lost):
            first = min((one.at for one in self._waiting.values()), default=None)
            deeds = sum(one.times for one in self._waiting.values()) + self._lost
            log.error("the audit trail lost deeds", deeds=deeds, since=first, reason=reason)

    def _counted(self, deed: Deed) -> _Counted:
        """The row of this minute that counts the deed."""
        at = self._now()
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._this_minute, self._refusals = minute, {}, 0
        if deed.outcome is AuditOutcome.REFUSED and deed not in self._this_minute:
            if self._refusals >= MOST_REFUSALS:
                deed = replace(deed, principal=OTHERS, object=OTHERS, client=None, address=OTHERS)
            self._refusals += deed not in self._this_minute
        if deed not in self._this_minute:
            self._this_minute[deed] = _Counted(new_id(at), at, deed)
        return self._this_minute[deed]

    def _lose(self) -> None:
        if not self._lost:
            log.error("PostgreSQL is away and the audit trail is full: deeds are counted only", rows=self.waiting)
        self._lost += 1

    async def _declare_lost(self) -> None:
        lost, self._lost = self._lost, 0
        deed = Deed(principal=OURSELVES, action=LOST, outcome=AuditOutcome.FAILED)
        row = AuditRow(audit_id=new_id(self._now()), at=self._now(), deed=deed, times=lost)
        try:
            await write_rows(self._database, [row])
        except StoreError:
            self._lost += lost
            raise


def _cleaned(deed: Deed) -> Deed:
    """As PostgreSQL can hold it, and not endless: some of it came from outside."""
    return replace(
        deed,
        principal=safe_text(deed.principal, _TEXT),
        action=safe_text(deed.action, _TEXT),
        object=safe_text(deed.object, _TEXT),
        client=deed.client if deed.client is None else safe_text(deed.client, _TEXT),
        address=safe_text(deed.address, _TEXT),
    )
