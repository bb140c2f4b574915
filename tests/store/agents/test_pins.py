"""PINs are hashes; too many wrong ones in a row lock, for a while, whoever's they are."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from callrouter.core.agents.standing import PinCheck
from callrouter.errors import UsageError
from callrouter.store.access.audit import list_audit
from callrouter.store.agents.pins import LOCKED, MOST_WRONG, SET_PIN, PinBook, remove_pin, set_pin
from callrouter.store.database import Database
from callrouter.store.tables import agent_pins

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Watch:
    """The time of day."""

    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        return self.at


async def given(database: Database, pin: str = "2580") -> None:
    await set_pin(database, "agent-1", pin, by="command:anne", now=MONDAY)


async def test_the_right_one_is_right(database: Database) -> None:
    """And no other one, nor anybody else's."""
    await given(database)
    book = PinBook(database)

    checks = [
        await book.check(agent, pin) for agent, pin in (("agent-1", "2580"), ("agent-1", "2581"), ("agent-2", ""))
    ]

    assert checks == [PinCheck.RIGHT, PinCheck.WRONG, PinCheck.UNSET]


async def test_ten_wrong_ones_lock_for_a_while(database: Database) -> None:
    """Then the right one is none either, until the time is over; wrong ones meanwhile do not lengthen it."""
    await given(database)
    watch = Watch()
    book = PinBook(database, now=watch.now)

    wrong = [await book.check("agent-1", "0000") for _ in range(MOST_WRONG)]
    locked = [await book.check("agent-1", pin) for pin in ("2580", "0000")]
    watch.at += LOCKED + timedelta(seconds=1)
    free = [await book.check("agent-1", pin) for pin in ("2580", "0000")]

    assert wrong == [PinCheck.WRONG] * (MOST_WRONG - 1) + [PinCheck.LOCKED]
    assert locked == [PinCheck.LOCKED] * 2
    assert free == [PinCheck.RIGHT, PinCheck.WRONG]


async def test_tries_at_the_same_time_are_counted_too(database: Database) -> None:
    """Many telephones, one agent: the right one after ten wrong ones is none, though all were begun together."""
    await given(database)
    book = PinBook(database)

    checks = await asyncio.gather(*(book.check("agent-1", pin) for pin in ["0000"] * MOST_WRONG + ["2580"]))

    assert checks == [PinCheck.WRONG] * (MOST_WRONG - 1) + [PinCheck.LOCKED] * 2


async def test_tries_through_several_engines_are_counted_too(database: Database) -> None:
    """Whatever an engine has read, PostgreSQL counts and accepts only while nothing is locked."""
    await given(database)
    books = [PinBook(database) for _ in range(MOST_WRONG + 5)]

    wrong = await asyncio.gather(*(book.check("agent-1", "0000") for book in books))
    right = await books[0].check("agent-1", "2580")

    assert sorted(wrong) == [PinCheck.LOCKED] * 6 + [PinCheck.WRONG] * (MOST_WRONG - 1)
    assert right is PinCheck.LOCKED


async def test_a_right_one_counts_anew(database: Database) -> None:
    """Nine wrong ones, a right one, nine more: nobody is locked out."""
    await given(database)
    book = PinBook(database)

    for _ in range(2):
        assert {await book.check("agent-1", "0000") for _ in range(MOST_WRONG - 1)} == {PinCheck.WRONG}
        assert await book.check("agent-1", "2580") is PinCheck.RIGHT


async def test_a_new_pin_ends_a_lock(database: Database) -> None:
    """Whoever sets it knows whose it is; both are in the trail."""
    await given(database)
    book = PinBook(database)
    for _ in range(MOST_WRONG):
        await book.check("agent-1", "0000")
    await given(database, "7410")

    assert await book.check("agent-1", "7410") is PinCheck.RIGHT
    deeds = [(row.deed.principal, row.deed.action, row.deed.object) for row in (await list_audit(database)).rows]
    assert deeds == [("command:anne", SET_PIN, "agent-1")] * 2


async def test_only_a_hash_is_kept(database: Database) -> None:
    """The same PIN twice is two hashes."""
    await given(database)
    async with database.connection() as connection:
        first = (await connection.execute(select(agent_pins.c.secret_hash))).scalar_one()
    await given(database)
    async with database.connection() as connection:
        second = (await connection.execute(select(agent_pins.c.secret_hash))).scalar_one()

    assert "2580" not in first + second
    assert first != second


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４"])
async def test_what_is_no_pin(database: Database, pin: str) -> None:
    """Four to twelve figures of a telephone."""
    with pytest.raises(UsageError, match="four to twelve digits"):
        await given(database, pin)


async def test_without_one_nobody_logs_in(database: Database) -> None:
    """Once it is taken away."""
    await given(database)
    await remove_pin(database, "agent-1", by="command:anne", now=MONDAY)

    assert await PinBook(database).check("agent-1", "2580") is PinCheck.UNSET
    with pytest.raises(UsageError, match="has no PIN"):
        await remove_pin(database, "agent-1", by="command:anne", now=MONDAY)
