"""What is billed, as it is read from the record: only what the tariffs ask for, and all of that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from callrouter.consumption.items import Item, Kind, Needs
from callrouter.consumption.rating import billed_seconds
from callrouter.core.call import DialOutcome, Disposition, Visit, replace
from callrouter.core.inputs import LegHeard, LegSign
from callrouter.store.consumption.measuring import measure, measure_some
from callrouter.store.database import Database
from callrouter.store.tables import agent_sessions, deliveries, legs, messages, outgoing_calls
from tests.consumption.made import tariff
from tests.core.transfers.test_given_away import a_plan, talking
from tests.store.consumption.made import (
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    a_call,
    goes_live,
    has_tariff,
    issued,
    on,
    told,
    write,
)

AT = on(10, 6)
PERIOD = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
ALL = Needs(
    legs=True,
    wrap_up=True,
    callbacks=True,
    messages=True,
    sms=True,
    nodes=frozenset({"wrong_number"}),
    fields={"reason": frozenset({"Wrong number"})},
)


async def insert(database: Database, table: Any, **values: Any) -> None:
    """A row of it."""
    async with database.connection() as connection:
        await connection.execute(table.insert().values(values))


async def read(database: Database, needs: Needs = ALL) -> Mapping[tuple[str, str], Item]:
    """Of October."""
    async with database.connection() as connection:
        found = await measure(connection, ["acme"], *PERIOD, needs)
        some = await measure_some(connection, ["acme"], {one.key for one in found}, *PERIOD, needs)
    assert sorted(some, key=lambda one: one.key) == sorted(found, key=lambda one: one.key)
    return {one.key: one for one in found}


async def a_leg(database: Database, call_id: str, number: int, **values: Any) -> None:
    """One side of a call, which was answered."""
    row = {
        "leg_id": f"{call_id}/{number}",
        "call_id": call_id,
        "number": number,
        "pbx": "pbx-1",
        "purpose": "agent",
        "direction": "outgoing",
        "party": "anne",
        "began_at": AT,
        "answered_at": AT + timedelta(seconds=10),
        "talk_seconds": 0.0,
        "hold_seconds": 0.0,
        "cause": 0,
        "epoch": 0,
        "revision": 1,
    }
    await insert(database, legs, **{**row, **values})


async def test_all_that_is_beside_a_call(database: Database) -> None:
    """Hold, what was put through to the client's own people, and the agent's work afterwards."""
    await write(database, a_call(1, AT, 100), a_call(2, AT + timedelta(hours=1), 30))
    await a_leg(database, "call-000001", 7, talk_seconds=60.0, hold_seconds=12.5)
    await a_leg(database, "call-000001", 8, talk_seconds=40.0, purpose="contact", party="doctor")
    session = {"agent": "anne", "pbx": "pbx-1", "kind": "wrap_up", "phone": "101", "reason": "", "ended_by": ""}
    for number, (call_id, seconds) in enumerate([("call-000001", 20), ("another", 99)]):
        begun = {"started_at": AT + timedelta(seconds=111 + number), "session_id": f"s{number}"}
        ended = begun["started_at"] + timedelta(seconds=seconds)  # type: ignore[operator]
        await insert(database, agent_sessions, **session, **begun, call_id=call_id, ended_at=ended)
    found = await read(database)

    first, second = found["call", "call-000001"], found["call", "call-000002"]
    assert (first.talk_seconds, first.put_through_seconds, first.hold_seconds, first.wrap_up_seconds) == (
        100.0,
        40.0,
        12.5,
        20.0,
    )
    assert second.wrap_up_seconds is None
    plain = (await read(database, Needs()))["call", "call-000001"]
    assert (plain.put_through_seconds, plain.hold_seconds, plain.wrap_up_seconds, plain.marked) == (None,) * 4


async def test_what_the_telephones_did(database: Database) -> None:
    """Anne talks for 10 s, has the caller on hold for 4 s, and gives them to the doctor, who talks for 9 s: by talk
    alone 19 s are billed, 23 s with hold, and 10 s where the client's own people do not count."""
    call = talking(a_plan()).after(10)
    call.tells(LegHeard(leg="leg-1", sign=LegSign.HELD, at=call.at)).after(4)
    call.tells(LegHeard(leg="leg-1", sign=LegSign.ENDED, at=call.at, cause=16))
    call.transferred("contact.doctor").expects("dial +33612345001").after(5)
    call.somebody_answers().after(9).dial_ended(DialOutcome.ANSWERED).expects("hang up 16")
    call.hangs_up().ends(Disposition.ANSWERED)
    await write(database, replace(call.call, client="acme"))
    period = (call.call.clocks.ringing_at, call.call.clocks.ringing_at + timedelta(minutes=1))
    async with database.connection() as connection:
        (item,) = await measure(connection, ["acme"], *period, Needs(legs=True))

    assert (item.talk_seconds, item.hold_seconds, item.put_through_seconds) == (19.0, 4.0, 9.0)
    billed = []
    for counts, put_through in (("talk", "yes"), ("[talk, hold]", "yes"), ("talk", "no")):
        says = f"minutes: {{ price: 1, first: 1s, step: 1s, counts: {counts}, put_through: {put_through} }}\n"
        minutes = tariff(says).minutes
        assert minutes is not None
        billed.append(billed_seconds(item, minutes))
    assert billed == [19, 23, 10]


async def a_message(database: Database, number: str, **values: Any) -> None:
    """One that somebody took."""
    row = {
        "message_id": number,
        "call_id": "",
        "position": 0,
        "client": "acme",
        "recording": "",
        "seconds": 0.0,
        "deliver": "",
        "started_at": AT,
        "node": "",
        "state": "open",
        "taken_by": "anne",
        "text": "x",
    }
    await insert(database, messages, **{**row, **values})


async def test_a_node_or_a_message_says_that_it_is_not_billed(database: Database) -> None:
    """As people write: in capitals or not. Nothing is known where neither path nor message is there."""
    visit = Visit(node="wrong_number", exit="done", because="", at=AT)
    await write(
        database,
        *(a_call(number, AT + timedelta(seconds=number)) for number in (1, 2, 3)),
        replace(a_call(4, AT), visits=(visit,)),
    )
    await a_message(database, "m1", call_id="call-000001", fields={"reason": " WRONG number"})
    await a_message(database, "m2", call_id="call-000002", fields={"reason": "appointment"})
    found = await read(database)

    assert [found["call", f"call-{number:06}"].marked for number in (1, 3, 4)] == [True, None, True]
    assert (found["message", "m1"].marked, found["message", "m2"].marked) == (True, False)
    by_field = await read(database, Needs(fields=ALL.fields))
    assert [by_field["call", f"call-{number:06}"].marked for number in (1, 2, 3)] == [True, False, None]


async def test_callbacks_and_sms(database: Database) -> None:
    """Those that reached somebody, and those that did not."""
    row = {
        "purpose": "callback",
        "call_id": "call-000001",
        "client": "acme",
        "number": "+33612340001",
        "shown": "",
        "queue": "medical",
        "turn_at": AT,
        "epoch": 1,
        "placed_at": AT,
        "ended_at": AT + timedelta(seconds=90),
        "pbx": "pbx-1",
    }
    answered = {"outcome": "answered", "answered_at": AT + timedelta(seconds=20)}
    await insert(database, outgoing_calls, **row, outgoing_id="o1", position=1, **answered)
    await insert(database, outgoing_calls, **row, outgoing_id="o2", position=2, outcome="busy")
    await a_message(database, "m1")
    sms = {"message_id": "m1", "client": "acme", "kind": "message", "contact": "doctor", "means": "sms"}
    times = {"queued_at": AT, "changed_at": AT, "address": "+33612340001"}
    await insert(database, deliveries, **sms, **times, delivery_id="d1", state="delivered")
    await insert(database, deliveries, **sms, **times, delivery_id="d2", state="failed")
    found = await read(database)

    assert (found["callback", "o1"].outcome, found["callback", "o1"].talk_seconds) == ("reached", 70.0)
    assert found["callback", "o2"].outcome == "not_reached"
    assert (found["sms", "d1"].outcome, found["sms", "d2"].outcome) == ("sent", "not_sent")
    assert {one.kind for one in (await read(database, Needs())).values()} <= {Kind.CALL}


async def test_what_is_kept_shorter_than_its_call_corrects_nothing(database: Database) -> None:
    """The message that said wrong number is blanked, then deleted, and the agent's sessions are."""
    await goes_live(database)
    not_billed = "not_billed: { outcomes: [rejected], fields: { reason: wrong number } }\n"
    says = "calls: { price: 1 }\nminutes: { price: 1, first: 1s, step: 1s, counts: [talk, wrap_up] }\n"
    await has_tariff(database, says, not_billed=not_billed)
    await write(database, a_call(1, AT, 60), a_call(2, AT + timedelta(minutes=1), 60))
    await a_message(database, "m1", call_id="call-000001", fields={"reason": "wrong number"})
    wrap_up = {"started_at": AT + timedelta(seconds=131), "ended_at": AT + timedelta(seconds=151)}
    await insert(
        database,
        agent_sessions,
        session_id="s1",
        agent="anne",
        pbx="pbx-1",
        kind="wrap_up",
        phone="101",
        reason="",
        ended_by="",
        call_id="call-000002",
        **wrap_up,
    )
    assert told(await issued(database, OCTOBER)) == [("10", "calls", 1, "1.00"), ("10", "minutes", 80, "1.33")]
    for blanked in ('UPDATE messages SET fields = \'{"reason": ""}\'', "DELETE FROM messages"):
        async with database.connection() as connection:
            for statement in (blanked, "DELETE FROM agent_sessions", "DELETE FROM legs"):
                await connection.execute(text(statement))
        month = NOVEMBER if "UPDATE" in blanked else DECEMBER
        assert told(await issued(database, month)) == []
