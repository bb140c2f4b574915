"""Notifications and callbacks, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from callrouter.core import engine, inputs
from callrouter.core.call import Call, Callback, CallerId, replace
from callrouter.core.dialling import Dialling
from callrouter.core.nodes import CallbackNode, HangupNode
from callrouter.delivery.ports import Attempt, Delivery
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.notification_spool import NotificationSpool
from callrouter.store.notifications import NotificationRows
from callrouter.store.tables import notifications
from callrouter.store.trace import call_from_json, call_json
from callrouter.store.writing.writer import Writer
from callrouter.testing import plan_of, sound

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def delivery(delivery_id: str = "n", address: str = "https://x.example/", seconds: float = 0.0) -> Delivery:
    """One, asked for so long after nine."""
    return Delivery(
        delivery_id=delivery_id,
        call_id="c",
        client="a",
        contact="crm",
        address=address,
        body="{}",
        asked_at=MONDAY + timedelta(seconds=seconds),
    )


async def _states(database: Database) -> dict[str, tuple[str, int, str | None]]:
    async with database.connection() as connection:
        rows = (await connection.execute(select(notifications))).mappings().all()
    return {row["notification_id"]: (row["state"], row["attempts"], row["last_error"]) for row in rows}


async def test_given_up_in_the_end(database: Database) -> None:
    """After the last pause there is no other attempt."""
    rows = NotificationRows(database)
    await rows.add([delivery()])
    await rows.settle([Attempt(delivery_id="n", attempts=9, at=MONDAY, error="away\x00", next_at=None)])

    assert await rows.due(MONDAY + timedelta(days=9), 10) == []
    assert await _states(database) == {"n": ("failed", 9, "away\ufffd")}


async def test_many_are_settled_at_once(database: Database) -> None:
    """Each in its own way; to note one twice changes nothing, and one that is kept again stays as it is."""
    rows = NotificationRows(database)
    asked = [delivery(name) for name in "abc"]
    await rows.add(asked)
    attempts = [
        Attempt(delivery_id="a", attempts=1, at=MONDAY, error=None),
        Attempt(delivery_id="b", attempts=1, at=MONDAY, error="away", next_at=MONDAY + timedelta(seconds=5)),
    ]
    for _ in range(2):
        await rows.settle(attempts)
        await rows.add(asked)

    assert await _states(database) == {
        "a": ("delivered", 1, None),
        "b": ("waiting", 1, "away"),
        "c": ("waiting", 0, None),
    }
    assert [one.delivery_id for one in await rows.due(MONDAY + timedelta(seconds=4), 10)] == ["c"]
    assert [(one.delivery_id, one.attempts) for one in await rows.due(MONDAY + timedelta(seconds=5), 10)] == [
        ("c", 0),
        ("b", 1),
    ]


async def test_what_is_due_without_some(database: Database) -> None:
    """The oldest first; neither those in hand nor those to some addresses, however many these are."""
    rows = NotificationRows(database)
    await rows.add([delivery(f"n{n}", f"https://{'ab'[n % 2]}.example/", seconds=-n) for n in range(6)])

    due = await rows.due(MONDAY, 2, in_hand={"n4"}, passing_over=["https://b.example/", *"xyz"])

    assert [(one.delivery_id, one.address) for one in due] == [
        ("n2", "https://a.example/"),
        ("n0", "https://a.example/"),
    ]


async def test_lines_of_the_release_before_are_read(tmp_path: Path) -> None:
    """The spool's lines are the table's rows; one that a dying machine cut costs no other."""
    spool = NotificationSpool(tmp_path / "notifications.jsonl")
    line = (
        '{"notification_id":"c1-n0","call_id":"c1","client":"acme","contact":"crm","url":"https://x.example/",'
        '"body":"{}","asked_at":"2026-11-23T09:00:00Z","attempts":0}'
    )
    (tmp_path / "notifications.jsonl").write_text(f'{line}\n{{"notification_id":"c1-n\n[1]\n')
    await spool.append([delivery("later")])

    assert await spool.read() == [
        Delivery(
            delivery_id="c1-n0",
            call_id="c1",
            client="acme",
            contact="crm",
            address="https://x.example/",
            body="{}",
            asked_at=MONDAY,
        ),
        delivery("later"),
    ]


def _call_that_wants_a_callback(call_id: str, numbers: tuple[str, ...]) -> Call:
    plan = plan_of(
        CallbackNode(
            name="offer",
            number_sounds=(sound("n"),),
            choice_sounds=(sound("c"),),
            ask_sounds=(sound("a"),),
            region="FR",
            dialling=Dialling(countries=frozenset({"FR"})),
            language="fr",
            exits={"done": "bye", "declined": "bye", "no_input": "bye", "no_match": "bye"},
        ),
        HangupNode(name="bye"),
    )
    caller = CallerId(number="+33612340001")
    offered = inputs.CallOffered(call_id=call_id, did="+33199000010", caller=caller, at=MONDAY)
    call = engine.start(plan, offered).call
    wishes = tuple(Callback(number=number, node="offer", asked_at=MONDAY) for number in numbers)
    call = replace(call, callbacks=wishes)
    return engine.step(plan, call, inputs.CallerHungUp(at=MONDAY + timedelta(seconds=9))).call


@pytest.mark.parametrize("maybe_known", [False, True])
async def test_callbacks_are_rows_of_the_call(database: Database, maybe_known: bool) -> None:
    """Written with it, exactly once however often it is told; listed by client and state, page by page."""
    calls = [_call_that_wants_a_callback("c1", ("+33612340001", "+33140000001")), _call_that_wants_a_callback("c2", ())]
    writer = Writer(database)
    assert await writer.write(calls, maybe_known=maybe_known) == []
    assert await writer.write(calls, maybe_known=True) == []
    writer.close()

    first = await list_callbacks(database, client="acme", state="open", limit=1)
    second = await list_callbacks(database, client="acme", limit=1, cursor=first.next_cursor)
    others = await list_callbacks(database, client="nobody")
    later = await list_callbacks(database, from_at=MONDAY + timedelta(seconds=1))

    assert [one.number for one in (*first.callbacks, *second.callbacks)] == ["+33140000001", "+33612340001"]
    assert second.next_cursor is None
    assert others.callbacks == later.callbacks == []
    assert call_from_json(call_json(calls[0])) == calls[0]
