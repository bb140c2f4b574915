"""The audit trail: every deed is in it, a flood makes few rows, and what is lost is declared."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from callrouter.errors import StoreError
from callrouter.permissions import Scope, ScopeKind
from callrouter.store.access import trail as module
from callrouter.store.access.audit import AuditRow, Deed, list_audit, new_id, write_rows
from callrouter.store.access.trail import LOST, MOST_REFUSALS, OTHERS, AuditTrail
from callrouter.store.database import Database
from callrouter.store.paging import CursorError
from callrouter.store.tables import AuditOutcome

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """The time of day."""

    def __init__(self) -> None:
        self.at = MONDAY

    def __call__(self) -> datetime:
        return self.at


def refused(**values: str) -> Deed:
    return Deed(
        **{"principal": "nobody", "action": "call.read", "address": "192.0.2.1", **values}, outcome=AuditOutcome.REFUSED
    )


def played(recording: str = "1-0", client: str | None = "cabinet-moreau") -> Deed:
    return Deed(
        principal="token:a", action="recording.play", object=recording, client=client, outcome=AuditOutcome.DONE
    )


async def rows_of(database: Database, **filters: object) -> list[AuditRow]:
    return (await list_audit(database, **{"limit": 500, **filters})).rows  # type: ignore[arg-type]


async def test_a_deed_is_in_it_before_it_is_done(database: Database) -> None:
    await AuditTrail(database, now=Clock()).record(played())

    (row,) = await rows_of(database)
    assert (row.deed, row.at, row.times) == (played(), MONDAY, 1)


async def test_the_same_in_a_minute_is_counted(database: Database) -> None:
    clock = Clock()
    trail = AuditTrail(database, now=clock)
    for _ in range(1000):
        trail.note(refused())
    await trail.flush()
    for _ in range(1000):
        trail.note(refused())
    await trail.record(played())
    await trail.record(played())
    clock.at += timedelta(minutes=1)
    trail.note(refused())
    await trail.flush()

    later, *rows = await rows_of(database)
    assert (later.deed, later.times) == (refused(), 1)
    assert {(row.deed, row.times) for row in rows} == {(refused(), 2000), (played(), 2)}


async def test_a_flood_from_everywhere_makes_few_rows(database: Database) -> None:
    trail = AuditTrail(database, now=Clock())
    for number in range(5000):
        trail.note(refused(address=f"2001:db8::{number:x}", object=str(number)))
    await trail.flush()

    rows = await rows_of(database)
    assert len(rows) == MOST_REFUSALS + 1
    assert sum(row.times for row in rows) == 5000
    (others,) = [row for row in rows if row.deed.address == OTHERS]
    assert (others.deed.principal, others.deed.action, others.times) == (OTHERS, "call.read", 5000 - MOST_REFUSALS)


async def test_who_may_is_never_among_the_others(database: Database) -> None:
    trail = AuditTrail(database, now=Clock())
    for number in range(MOST_REFUSALS + 5):
        trail.note(refused(object=str(number)))
    trail.note(played())
    await trail.flush()

    assert [row.deed for row in await rows_of(database, action="recording.play")] == [played()]


async def test_a_row_written_twice_is_one(database: Database) -> None:
    row = AuditRow(audit_id=new_id(MONDAY), at=MONDAY, deed=refused(), times=7)
    await write_rows(database, [row])
    await write_rows(database, [row])

    assert await rows_of(database) == [row]


async def test_what_waits_for_postgresql_is_bounded_and_what_is_lost_is_declared(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    gone = Database(make_url("postgresql://callrouter@127.0.0.1:9/calls"))
    trail = AuditTrail(gone, now=Clock())
    with structlog.testing.capture_logs() as lines:
        for number in range(25):
            trail.note(played(str(number)))
        with pytest.raises(StoreError):
            await trail.flush()
    assert trail.waiting == 10
    assert [line["event"] for line in lines if "audit trail" in line["event"]] == [
        "PostgreSQL is away and the audit trail is full: deeds are counted only"
    ]

    trail._database = database  # it is back
    await trail.flush()

    rows = await rows_of(database)
    assert len(rows) == 11
    (lost,) = [row for row in rows if row.deed.action == LOST]
    assert (lost.deed.principal, lost.deed.outcome, lost.times) == ("callrouter", AuditOutcome.FAILED, 15)
    await gone.close()


async def test_what_cannot_be_written_is_not_to_be_done(database: Database) -> None:
    """Nor is it counted, when it is done later."""
    gone = Database(make_url("postgresql://callrouter@127.0.0.1:9/calls"))
    trail = AuditTrail(gone, now=Clock())
    with pytest.raises(StoreError):
        await trail.record(played())
    await gone.close()
    trail._database = database
    await trail.record(played())

    assert [row.times for row in await rows_of(database)] == [1]


async def test_a_stop_writes_what_waits_or_says_so(database: Database) -> None:
    trail = AuditTrail(database)
    trail.note(played())
    await trail.close()
    assert len(await rows_of(database)) == 1

    gone = Database(make_url("postgresql://callrouter@127.0.0.1:9/calls"))
    lost = AuditTrail(gone)
    lost.note(played("1"))
    lost.note(played("2"))
    with structlog.testing.capture_logs() as lines:
        await lost.close()
    assert [(line["event"], line["deeds"]) for line in lines] == [("the audit trail lost deeds", 2)]
    await gone.close()


async def test_it_writes_by_itself(database: Database) -> None:
    trail = AuditTrail(database)
    running = asyncio.get_running_loop().create_task(trail.run())
    trail.note(played())
    async with asyncio.timeout(10):
        while not await rows_of(database):
            await asyncio.sleep(0.05)
    running.cancel()


async def test_pages_filters_and_scopes(database: Database) -> None:
    clock = Clock()
    trail = AuditTrail(database, now=clock)
    for number in range(25):
        clock.at = MONDAY + timedelta(seconds=number // 4)
        trail.note(played(str(number), client="etude-lenoir" if number % 2 else "cabinet-moreau"))
    trail.note(refused())
    await trail.flush()

    seen: list[str] = []
    cursor = None
    while True:
        page = await list_audit(database, limit=7, cursor=cursor)
        seen += [row.audit_id for row in page.rows]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen)) == 26

    moreau = Scope(ScopeKind.CLIENTS, frozenset({"cabinet-moreau"}))
    assert len(await rows_of(database, scope=moreau)) == 13
    assert await rows_of(database, scope=moreau, client="etude-lenoir") == []
    assert len(await rows_of(database, outcome=AuditOutcome.REFUSED)) == 1
    assert len(await rows_of(database, principal="token:a", client="etude-lenoir")) == 12
    assert len(await rows_of(database, from_at=MONDAY + timedelta(seconds=6))) == 2
    with pytest.raises(CursorError):
        await list_audit(database, cursor="none of ours")


@given(
    deed=st.builds(
        Deed,
        principal=st.text(),
        action=st.text(),
        object=st.text(),
        client=st.none() | st.text(),
        outcome=st.sampled_from(AuditOutcome),
        address=st.text(),
    )
)
def test_every_text_can_be_kept(deed: Deed) -> None:
    """On one line, without what PostgreSQL cannot hold, and not endless."""
    cleaned = module._cleaned(deed)

    for value in (cleaned.principal, cleaned.action, cleaned.object, cleaned.client or "", cleaned.address):
        assert "\x00" not in value
        assert "\n" not in value
        assert len(value.encode()) < 20_000
