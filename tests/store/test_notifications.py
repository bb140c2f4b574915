"""Notifications on disk, and callbacks on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callrouter.core import engine, inputs
from callrouter.core.call import Call, Callback, CallerId, replace
from callrouter.core.dialling import Dialling
from callrouter.core.nodes import CallbackNode, HangupNode
from callrouter.delivery.ports import Delivery
from callrouter.store.callbacks import list_callbacks
from callrouter.store.database import Database
from callrouter.store.notification_spool import NotificationSpool
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


async def test_lines_of_the_release_before_are_read(tmp_path: Path) -> None:
    """The spool's lines are rows of the table of before; one that a dying machine cut costs no other."""
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
