"""Whoever changes tellings locks their message first: two who change the same ones wait, and neither is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from callrouter.outgoing.order import Purpose
from callrouter.store.database import Database
from callrouter.store.dispatch.acknowledging import acknowledge, withdraw_within
from callrouter.store.dispatch.lease import Lease
from callrouter.store.dispatch.limits import hold_back
from callrouter.store.dispatch.outbox import find_queued, mark
from callrouter.store.outgoing.telling import MessageCallRows
from callrouter.store.tables import deliveries, dispatches, outgoing_calls
from tests.patience import START_SECONDS
from tests.store.dispatch import rows
from tests.store.dispatch.rows import AT, after

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
async def lease(database: Database) -> AsyncIterator[Lease]:
    """A worker's."""
    held = Lease(database, "dispatch", "one")
    assert await held.take()
    yield held
    await held.release()


async def owed(database: Database, many: int, state: str = "queued", means: str = "sms") -> tuple[str, list[str]]:
    """A message that is told by so many tellings, in the order of their ids."""
    message_id = await rows.take(database)
    await rows.stand(database, message_id, "running", step=1, begun_at=AT)
    ids = [f"{message_id}-{number}" for number in range(many)]
    for one in ids:
        await rows.tell(database, message_id, state, delivery_id=one, means=means, address="x:doctor")
    return message_id, ids


async def one_waits(database: Database) -> None:
    """For what another transaction has locked."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            async with database.connection() as connection:
                if (await connection.execute(WAITING)).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def changed_meanwhile(
    database: Database, message_id: str, last: str, change: Coroutine[Any, Any, object]
) -> None:
    """Somebody answers the last telling of a message, and while they have locked it, this change begins; then they
    withdraw the others.
    """
    async with asyncio.TaskGroup() as group, database.connection() as connection:
        whole = select(dispatches.c.message_id).where(dispatches.c.message_id == message_id).with_for_update()
        await connection.execute(whole)
        one = update(deliveries).where(deliveries.c.delivery_id == last)
        await connection.execute(one.values(answer="answered"))
        group.create_task(change, name="change")
        await one_waits(database)
        others = update(deliveries).where(deliveries.c.message_id == message_id, deliveries.c.delivery_id != last)
        await connection.execute(others.values(answer="withdrawn"))
        await withdraw_within(connection, message_id, after(1))


@pytest.mark.parametrize("held_back", [False, True])
async def test_what_is_marked_and_withdrawn_at_once_is_withdrawn(
    database: Database, lease: Lease, held_back: bool
) -> None:
    message_id, ids = await owed(database, 2)
    taken = sorted(await find_queued(database, AT, 10), key=lambda one: one.delivery_id)
    change = (
        hold_back(database, lease, [(one, after(60)) for one in taken], AT)
        if held_back
        else mark(database, lease, taken, AT, after(60), [])
    )

    await changed_meanwhile(database, message_id, ids[-1], change)

    trail = await rows.trail(database, message_id)
    assert {one.state for one in trail.deliveries} == {"withdrawn"}


async def test_an_engine_says_that_its_calls_go_on_while_others_change_them(database: Database) -> None:
    message_id, ids = await owed(database, 2, "sending", "phone")
    book = MessageCallRows(database, epoch=1)
    async with database.connection() as connection:
        for one in ids:
            call = {
                "outgoing_id": one,
                "purpose": Purpose.MESSAGE.value,
                "call_id": one,
                "position": 0,
                "delivery_id": one,
                "client": rows.MOREAU,
                "number": "+33639980001",
                "shown": "",
                "queue": "",
                "epoch": 1,
                "pbx": "pbx",
                "turn_at": AT,
                "placed_at": AT,
            }
            await connection.execute(insert(outgoing_calls).values(**call))

    await changed_meanwhile(database, message_id, ids[-1], book.keep(ids, after(30)))

    trail = await rows.trail(database, message_id)
    assert {one.sending_until for one in trail.deliveries} == {after(90)}


async def test_many_are_acknowledged_while_they_are_marked(database: Database, lease: Lease) -> None:
    """Each is on its way, or is not sent: whatever comes first."""
    messages = [await owed(database, 4) for _ in range(20)]
    taken = await find_queued(database, AT, 100)
    halves = taken[::2], taken[1::2]

    *_, first, second = await asyncio.gather(
        *(
            acknowledge(database, message_id, by="doctor", how="link", at=AT, delivery_id=ids[-1])
            for message_id, ids in messages
        ),
        *(mark(database, lease, half[::-1], AT, after(60), []) for half in halves),
    )

    assert isinstance(first, list)
    assert isinstance(second, list)
    async with database.connection() as connection:
        found = (await connection.execute(text("SELECT state, count(*) FROM deliveries GROUP BY 1"))).all()
    states = {row[0]: row[1] for row in found}
    assert states.pop("acknowledged") == 20
    assert states.keys() <= {"withdrawn", "sending"}
    assert sum(states.values()) == 60
