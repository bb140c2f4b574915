"""An engine leads after another at one PBX: nothing of the one before stands in its way, or comes after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callrouter.core.call import Call
from callrouter.errors import DatabaseUnreachable
from callrouter.store import database as store
from callrouter.store.connecting import Leader
from callrouter.store.database import Database
from callrouter.store.gaps import gaps_between, open_gap, take_up
from callrouter.store.writing.rows import Rows
from callrouter.store.writing.writer import Refused, Writer, WriterAway

AT = datetime(2026, 11, 30, 4, 0, tzinfo=UTC)
LATEST_SECONDS = 1.0
"""After so long the server cuts a statement off that waits for a lock."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "ENGINE_STATEMENT_SECONDS", LATEST_SECONDS)


@asynccontextmanager
async def leading(url: str, epoch: int | None, pbx: str = "pbx-1") -> AsyncIterator[Database]:
    """The database as an engine has it; without an epoch: one that has no follower."""
    database = Database(make_url(url), statement_seconds=LATEST_SECONDS)
    await database.lead(Leader(pbx=pbx, epoch=epoch) if epoch is not None else None)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def stopped(database: Database, call: Call) -> AsyncIterator[Writer]:
    """A writer whose process was stopped when it had sent a call's row, and not its visits."""
    writer, sent = Writer(database), asyncio.Event()

    async def never(rows: Rows, prefix: str = "") -> None:
        sent.set()
        await asyncio.Event().wait()

    writer._copy_parts = never  # type: ignore[method-assign]
    writing = asyncio.ensure_future(writer.write([call]))  # noqa: TID251 - ended below
    await asyncio.wait_for(sent.wait(), 10)
    try:
        yield writer
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await asyncio.sleep(0.01)  # its connection ends


async def written(database: Database, calls: list[Call]) -> list[Refused]:
    writer = Writer(database)
    try:
        return await writer.write(calls)
    finally:
        writer.close()
        await asyncio.sleep(0.01)  # its connection ends


async def rows(database: Database) -> list[str]:
    async with database.connection() as connection:
        return list((await connection.execute(text("SELECT call_id FROM calls ORDER BY 1"))).scalars())


async def test_one_that_was_stopped_in_a_transaction_holds_nobody_up(
    database_url: str, make_call: Callable[..., Call]
) -> None:
    """It has a lock on a row that the other one has to write, too, and would have it for as long as it is stopped."""
    async with leading(database_url, 1) as before, stopped(before, make_call(1)), leading(database_url, 2) as after:
        refused = await written(after, [make_call(1), make_call(2)])

        assert refused == []
        assert await rows(after) == ["call-000001", "call-000002"]


async def test_without_an_epoch_it_would(database_url: str, make_call: Callable[..., Call]) -> None:
    """Else the test above showed nothing."""
    async with (
        leading(database_url, None) as before,
        stopped(before, make_call(1)),
        leading(database_url, None) as after,
    ):
        with pytest.raises(WriterAway, match="statement timeout"):
            await written(after, [make_call(1), make_call(2)])


async def test_when_it_wakes_no_statement_of_its_own_is_carried_out(database_url: str) -> None:
    """That it saw nothing any more would else be a gap that nobody ends."""
    async with leading(database_url, 1) as before, leading(database_url, 2) as after:
        await take_up(before, AT)
        await take_up(after, AT + timedelta(seconds=5))
        for _ in range(2):  # on the connection it had, and on another one
            with pytest.raises(DatabaseUnreachable, match=r"another engine leads at this PBX|terminat|closed"):
                await open_gap(before, AT + timedelta(seconds=4), "the link was cut")
        told = await gaps_between(after, AT, AT + timedelta(seconds=60))

        assert [gap.until_at for gap in told] == [AT + timedelta(seconds=5)]


async def test_others_keep_their_connections(database_url: str) -> None:
    """Another PBX's engine, whatever its epoch, and whoever leads nowhere."""
    async with (
        leading(database_url, 1, "pbx-2") as elsewhere,
        leading(database_url, None) as reports,
        leading(database_url, 1, "south-pbx-1") as alike,
    ):
        others = (elsewhere, reports, alike)
        first = [await backend(one) for one in others]
        async with leading(database_url, 2) as after:
            await after.ping()
            again = [await backend(one) for one in others]

        assert again == first


async def test_who_gives_the_place_away_in_order_writes_what_is_left(
    database_url: str, make_call: Callable[..., Call]
) -> None:
    async with leading(database_url, 1) as before, leading(database_url, 2) as after:
        await before.ping()
        await before.lead(None)
        await after.ping()
        await written(before, [make_call(1)])

        assert await rows(after) == ["call-000001"]


async def backend(database: Database) -> int:
    async with database.connection() as connection:
        return int((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())
