"""The sign of life that somebody outside waits for."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from callrouter.dispatch.heartbeat import Heartbeat
from callrouter.store.dispatch.board import count_board
from tests.dispatch.rooms import Office
from tests.runtime.web_service import WebService


async def test_it_beats_while_all_is_well(office: Office, crm: WebService) -> None:
    """Not while the worker does nothing, while something stands still, nor while nobody hears it."""
    works = True

    async def overdue() -> int:
        return (await count_board(office.database, office.clock.now())).overdue

    heart = Heartbeat(office.http, crm.url("good"), works=lambda: works, overdue=overdue)
    assert await heart.beat()
    works = False
    assert not await heart.beat()
    works = True
    await office.message(deliver="anne")
    assert await heart.beat()
    office.clock.passes(timedelta(minutes=5))
    assert not await heart.beat()
    async with office.database.connection() as connection:
        await connection.execute(text("DELETE FROM messages"))
    crm.away = True
    assert not await heart.beat()

    assert len(crm.asked) == 3
