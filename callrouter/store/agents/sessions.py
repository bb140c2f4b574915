"""Agents' sessions as rows: told when they begin and when they end, written soon, and read back in pages.

What PostgreSQL does not take waits in memory and in a file beside it, which the next engine reads: rows are put down by
the session's own id, however often they are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import structlog
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.logs import Outage
from callrouter.store.database import Database
from callrouter.store.paging import equal, page
from callrouter.store.tables import agent_sessions
from callrouter.store.writing.soon import WrittenSoon

log = structlog.get_logger(__name__)

FILE: Final = "agent-sessions.json"
FLUSH_SECONDS: Final = 0.3
RETRY_SECONDS: Final = 2.0
MOST_WAITING: Final = 20_000
"""Sessions that wait: thirty agents' of some four hours at the busiest. The oldest are left out then, and the log has
them."""
_BATCH: Final = 500
UNSEEN: Final = "unseen"
"""How a session ended whose end nobody saw."""


class SessionLog:
    """One for each engine; `run` writes what was told."""

    def __init__(self, database: Database, folder: Path, *, pbx: str) -> None:
        """`folder` is where sessions wait while PostgreSQL is away."""
        self._database = database
        self._file = folder / FILE
        self._pbx = pbx
        self._waiting: dict[str, Session] = self._left_behind()
        self._lasting: tuple[datetime, frozenset[str]] | None = None
        self._soon = WrittenSoon(
            self.flush,
            Outage(log, "agents' sessions wait for PostgreSQL", "agents' sessions go on", level="warning"),
            waiting=lambda: self.waiting,
            pause_seconds=FLUSH_SECONDS,
            retry_seconds=RETRY_SECONDS,
            meanwhile=partial(asyncio.to_thread, self._keep),
        )
        if self._waiting:
            self._soon.due()

    @property
    def waiting(self) -> int:
        """Sessions that are not written yet."""
        return len(self._waiting)

    def tell(self, session: Session) -> None:
        """Take note of a session that begins, or ends."""
        self._waiting[session.session_id] = session
        if len(self._waiting) > MOST_WAITING:
            left_out = self._waiting.pop(next(iter(self._waiting)))
            log.error("PostgreSQL is away for too long: an agent's session is left out", session=repr(left_out))
        self._soon.due()

    def settle(self, lasting: Collection[str], now: datetime) -> None:
        """These last, and no other that began before now: whoever ended those was not seen."""
        self._lasting = now, frozenset(lasting)
        self._soon.due()

    async def run(self) -> None:
        """Write until cancelled."""
        await self._soon.run()

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: PostgreSQL does not take it; it goes on waiting.
        """
        while told := list(islice(self._waiting.values(), _BATCH)):
            await _write(self._database, told, self._pbx)
            for one in told:
                if self._waiting.get(one.session_id) is one:  # otherwise more was told of it meanwhile
                    del self._waiting[one.session_id]
            if not self._waiting:
                self._file.unlink(missing_ok=True)
        if self._lasting is not None:
            await self._end_unseen(*self._lasting)
            self._lasting = None

    async def close(self) -> None:
        """Write what waits, in a few seconds; what PostgreSQL does not take by then is in the file."""
        if await self._soon.close():
            await asyncio.to_thread(self._keep)

    async def _end_unseen(self, now: datetime, lasting: frozenset[str]) -> None:
        others = (
            agent_sessions.c.pbx == self._pbx,
            agent_sessions.c.ended_at.is_(None),
            agent_sessions.c.started_at < now,
            agent_sessions.c.session_id.not_in(lasting),
        )
        async with self._database.connection() as connection:
            await connection.execute(update(agent_sessions).where(*others).values(ended_at=now, ended_by=UNSEEN))

    def _left_behind(self) -> dict[str, Session]:
        try:
            left = msgspec.json.decode(self._file.read_bytes(), type=list[Session])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.error("agents' sessions cannot be read", file=str(self._file), reason=str(error))  # noqa: TRY400
            return {}
        return {one.session_id: one for one in left}

    def _keep(self) -> None:
        """Put what waits on the disk, as a whole or not at all."""
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(list(self._waiting.values())))
            beside.replace(self._file)
        except OSError as error:
            log.error("agents' sessions wait in memory only", file=str(self._file), reason=str(error))  # noqa: TRY400


async def _write(database: Database, told: Sequence[Session], pbx: str) -> None:
    rows = [
        {
            "session_id": one.session_id,
            "agent": one.agent,
            "pbx": pbx,
            "kind": one.kind.value,
            "phone": one.phone,
            "reason": one.reason,
            "call_id": one.call_id or None,
            "started_at": one.started_at,
            "ended_at": one.ended_at,
            "ended_by": one.ended_by,
        }
        for one in told
    ]
    statement = insert(agent_sessions)
    new = statement.excluded
    again = statement.on_conflict_do_update(
        index_elements=[agent_sessions.c.session_id],
        set_={
            "ended_at": func.coalesce(new.ended_at, agent_sessions.c.ended_at),
            "ended_by": func.coalesce(func.nullif(new.ended_by, ""), agent_sessions.c.ended_by),
        },
    )
    async with database.connection() as connection:
        await connection.execute(again, rows)


async def list_sessions(
    database: Database,
    *,
    agents: Collection[str] | None = None,
    agent: str | None = None,
    kind: SessionKind | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> tuple[list[Session], str | None]:
    """Sessions by when they began (`from_at` included, `to_at` not), the newest first, and where the next page begins.

    `agents`: of these only; None: of all.

    Raises:
        CursorError: the cursor is none of ours.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    whose = [] if agents is None else [agent_sessions.c.agent.in_(sorted(agents))]
    rows, next_cursor = await page(
        database,
        agent_sessions,
        (agent_sessions.c.started_at, agent_sessions.c.session_id),
        client=None,
        filters=[*equal(agent_sessions, agent=agent, kind=kind), *whose],
        from_at=from_at,
        to_at=to_at,
        limit=limit,
        cursor=cursor,
    )
    found = []
    for row in rows:
        values = {name: value for name, value in row.items() if name not in ("session_id", "pbx")}
        found.append(Session(**{**values, "kind": SessionKind(values["kind"]), "call_id": values["call_id"] or ""}))
    return found, next_cursor
