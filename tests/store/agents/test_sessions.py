"""Agents' sessions become rows, once each, whatever is told twice, late, or while PostgreSQL is away."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.call import replace
from callrouter.errors import StoreError
from callrouter.store.agents import sessions
from callrouter.store.agents.sessions import FILE, UNSEEN, SessionLog, list_sessions
from callrouter.store.database import Database

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LUNCH = Session(
    agent="agent-1",
    kind=SessionKind.PAUSE,
    phone="agent-1",
    reason="lunch",
    started_at=MONDAY,
)
OVER = replace(LUNCH, ended_at=MONDAY + timedelta(minutes=30), ended_by="agent")


def kept_by(database: Database, folder: Path) -> SessionLog:
    return SessionLog(database, folder, pbx="pbx-1")


async def test_a_session_is_one_row(database: Database, tmp_path: Path) -> None:
    """Told as it begins and as it ends, in either order, and again."""
    book = kept_by(database, tmp_path)
    for told in (LUNCH, OVER, LUNCH):
        book.tell(told)
        await book.flush()
    found, _ = await list_sessions(database)

    assert found == [OVER]
    assert OVER.session_id == f"{int(MONDAY.timestamp())}-000-pause-agent-1"


async def test_while_postgresql_is_away_they_wait_in_a_file(database: Database, tmp_path: Path) -> None:
    """The next engine writes them."""
    gone = Database.later("postgresql://nobody@127.0.0.1:1/nothing", tmp_path)
    book = kept_by(gone, tmp_path)
    book.tell(OVER)
    with pytest.raises(StoreError):
        await book.flush()
    await book.close()
    await gone.close()
    waited = (tmp_path / FILE).exists()
    await kept_by(database, tmp_path).flush()
    found, _ = await list_sessions(database)

    assert waited
    assert found == [OVER]
    assert not (tmp_path / FILE).exists()


async def test_an_end_that_nobody_saw(database: Database, tmp_path: Path) -> None:
    """Asterisk is another one, and knows of no log-in: what lasted in the record is over, what lasts is not."""
    book = kept_by(database, tmp_path)
    here = replace(LUNCH, agent="agent-2")
    for told in (LUNCH, here):
        book.tell(told)
    await book.flush()
    book.settle([here.session_id], MONDAY + timedelta(hours=1))
    await book.flush()
    found, _ = await list_sessions(database)

    assert {(one.agent, one.ended_by) for one in found} == {("agent-1", UNSEEN), ("agent-2", "")}


async def test_they_are_read_in_pages(database: Database, tmp_path: Path) -> None:
    """The newest first, of whom is asked for."""
    book = kept_by(database, tmp_path)
    for minutes in range(5):
        for agent in ("agent-1", "agent-2"):
            book.tell(replace(LUNCH, agent=agent, started_at=MONDAY + timedelta(minutes=minutes)))
    await book.flush()
    first, cursor = await list_sessions(database, agents=["agent-1"], limit=3)
    rest, end = await list_sessions(database, agents=["agent-1"], limit=3, cursor=cursor)
    nobody, _ = await list_sessions(database, agents=[])

    assert [one.started_at.minute for one in (*first, *rest)] == [4, 3, 2, 1, 0]
    assert (end, nobody) == (None, [])


async def test_ten_minutes_of_sessions_are_written_in_no_time(database: Database, tmp_path: Path) -> None:
    """What waited for PostgreSQL holds up no call when it is back, and nothing of it is lost."""
    book = kept_by(database, tmp_path)
    for number in range(4_000):
        book.tell(replace(LUNCH, started_at=MONDAY + timedelta(seconds=number)))
    late: list[float] = []

    async def look() -> None:
        while book.waiting:
            began = time.monotonic()
            await asyncio.sleep(0)
            late.append(time.monotonic() - began)

    await asyncio.gather(book.flush(), look())

    async with database.connection() as connection:
        rows = (await connection.execute(text("SELECT count(*) FROM agent_sessions"))).scalar()
    assert rows == 4_000
    assert max(late) < 1.0


async def test_sessions_that_wait_are_bounded(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest go first, and the log has them."""
    monkeypatch.setattr(sessions, "MOST_WAITING", 2)
    book = kept_by(database, tmp_path)
    with capture_logs() as logs:
        for number in range(3):
            book.tell(replace(LUNCH, started_at=MONDAY + timedelta(seconds=number)))
    await book.flush()
    found, _ = await list_sessions(database)

    assert [one.started_at for one in found] == [MONDAY + timedelta(seconds=number) for number in (2, 1)]
    assert [one["event"] for one in logs] == ["PostgreSQL is away for too long: an agent's session is left out"]
