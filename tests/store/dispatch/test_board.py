"""What somebody must look at, by whom, in pages; and how many there are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from callrouter.core.call import replace
from callrouter.permissions import Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.dispatch.board import BoardFigures, Why, count_board, list_board
from callrouter.store.dispatch.lease import DISPATCH, Lease
from callrouter.store.writing.writer import Writer
from tests.api.stories import answered

from .rows import LENOIR, MOREAU, after, ask, stand, take, tell

NOW = after(3_600)


async def board(database: Database, **asked: Any) -> dict[str, tuple[Why, ...]]:
    """Why, by message."""
    found = await list_board(database, now=NOW, **asked)
    return {entry.dispatch.message_id: entry.why for entry in found.entries}


async def test_what_stands_on_the_list(database: Database) -> None:
    """With the sentence that the worker wrote; what runs, was told or is acknowledged is nobody's affair."""
    listed, *others = [await take(database) for _ in range(4)]
    await stand(database, listed, "attention", reason="Nobody is on call.")
    for state, message in zip(("running", "told", "acknowledged"), others, strict=True):
        await stand(database, message, state, due_at=after(3_700) if state == "running" else None)

    (entry,) = (await list_board(database, now=NOW)).entries

    assert (entry.dispatch.message_id, entry.why, entry.because) == (listed, (Why.ATTENTION,), "Nobody is on call.")


@pytest.mark.parametrize(
    ("tellings", "stands"),
    [
        (["failed"], True),
        (["failed", "queued"], True),
        (["failed", "accepted"], False),
        (["failed", "viewed"], False),
        (["queued"], False),
        ([], False),
    ],
)
async def test_what_reached_nobody(database: Database, tellings: list[str], stands: bool) -> None:
    message = await take(database)
    await stand(database, message, "running", due_at=after(3_700))
    for state in tellings:
        due = {"next_attempt_at": NOW} if state == "queued" else {}
        await tell(database, message, state, answer="550 no such user" if state == "failed" else "", **due)

    found = (await list_board(database, now=NOW)).entries

    assert [one.why for one in found] == ([(Why.FAILED,)] if stands else [])
    if stands:
        assert found[0].because == "Nobody was reached yet; telling doctor by email failed (550 no such user)."


@pytest.mark.parametrize(
    ("state", "due", "telling", "late"),
    [
        ("new", 3_539, None, True),
        ("new", 3_541, None, False),
        ("running", 3_539, None, True),
        ("running", 3_700, {"state": "sending", "sending_until": after(3_539)}, True),
        ("running", 3_700, {"state": "sending", "sending_until": after(3_541)}, False),
        ("running", 3_700, {"state": "queued", "next_attempt_at": after(3_539)}, True),
        ("running", 3_700, {"state": "queued", "next_attempt_at": after(7_200)}, False),
    ],
)
async def test_what_should_have_moved(
    database: Database, state: str, due: float, telling: dict[str, Any] | None, late: bool
) -> None:
    """A minute is none too long; and a worker that has died says nothing."""
    message = await take(database)
    await stand(database, message, state, due_at=after(due))
    if telling is not None:
        await tell(database, message, **telling)

    found = (await list_board(database, now=NOW)).entries

    assert [one.why for one in found] == ([(Why.OVERDUE,)] if late else [])
    assert (await count_board(database, NOW)).overdue == late
    if late:
        assert "due at 2026-11-30 10:58:59 UTC" in found[0].because


async def test_both_at_once(database: Database) -> None:
    message = await take(database)
    await stand(database, message, "attention", reason="Nobody acknowledged it.")
    await tell(database, message, "queued")

    assert await board(database) == {message: (Why.ATTENTION, Why.OVERDUE)}


async def test_whose_they_are(database: Database) -> None:
    """By client and by scope: a team sees the messages of its calls."""
    writer = Writer(database)
    await writer.write([replace(answered("1"), client=MOREAU)])
    writer.close()
    mine, other, of_call = await take(database), await take(database, LENOIR), await take(database, call_id="1")
    for message in (mine, other, of_call):
        await stand(database, message, "attention")
    team, client = Scope(ScopeKind.TEAMS, frozenset({"medical"})), Scope(ScopeKind.CLIENTS, frozenset({LENOIR}))

    assert (await board(database)).keys() == {mine, other, of_call}
    assert (await board(database, client=MOREAU)).keys() == {mine, of_call}
    assert (await board(database, scope=client)).keys() == {other}
    assert (await board(database, client=MOREAU, scope=client)).keys() == set()
    assert (await board(database, scope=team)).keys() == {of_call}
    assert (await board(database, scope=Scope(ScopeKind.TEAMS, frozenset({"legal"})))).keys() == set()
    figures = await count_board(database, NOW)
    assert figures == BoardFigures(attention={MOREAU: 2, LENOIR: 1}, overdue=0)


async def test_what_is_of_no_message_is_counted_by_itself(database: Database) -> None:
    """It is no message that should have moved; while no worker is there, it is as bad."""
    await ask(database, "n1")
    await ask(database, "n2", next_attempt_at=after(4_000), attempts=3)
    await ask(database, "n3", "sending", kind="event", sequence="s")
    await ask(database, "n4", kind="event", sequence="s")
    await ask(database, "n5", "failed")
    await ask(database, "n6", "accepted")
    async with database.connection() as connection:
        await connection.execute(text("INSERT INTO delivery_counts VALUES ('notification', 'given_up', 1)"))
    alone = await count_board(database, NOW)
    lease = Lease(database, DISPATCH, "a worker")
    await lease.take()
    beside = await count_board(database, NOW)

    assert alone.waiting == beside.waiting == {"notification": 2, "event": 2}
    assert alone.late == beside.late == {"notification": 1, "event": 2}
    assert alone.attempts == {("notification", "given_up"): 1}
    assert (alone.overdue, beside.overdue) == (3, 0)
    assert (await list_board(database, now=NOW)).entries == []


async def test_in_pages(database: Database) -> None:
    """Each once, the newest first, also within one instant."""
    messages = [await take(database) for _ in range(7)]
    for number, message in enumerate(messages):
        await stand(database, message, "attention", began_at=after(number // 3))
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = await list_board(database, now=NOW, limit=2, cursor=cursor)
        seen += [one.dispatch.message_id for one in page.entries]
        cursor = page.next_cursor

    assert cursor is None
    assert sorted(seen) == sorted(messages)
    assert seen == sorted(messages, key=lambda one: (messages.index(one) // 3, one), reverse=True)


async def test_it_looks_at_what_is_due_and_at_nothing_else(database: Database) -> None:
    """Among the messages of years, by indexes that hold those few."""
    many = (
        "INSERT INTO messages (message_id, call_id, position, client, recording, seconds, deliver, started_at, node,"
        " state) SELECT 'm' || n, '', 0, 'a', 'r' || n, 1, '', now(), '', 'open' FROM generate_series(1, 20000) n"
    )
    async with database.connection() as connection:
        await connection.execute(text(many))
        await connection.execute(text("UPDATE dispatches SET state = 'told', due_at = NULL"))
        await connection.execute(text("ANALYZE dispatches"))
        for few in ("state = 'attention'", "state = 'running'", "due_at < now()"):
            plan = (await connection.execute(text(f"EXPLAIN SELECT 1 FROM dispatches WHERE {few}"))).scalars().all()
            assert "Seq Scan" not in str(plan), plan

    assert await board(database) == {}
