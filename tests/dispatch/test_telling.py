"""What happens is owed to subscribers from its own transaction on: told once, and again where it is corrected."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from callrouter.api.schemas.happened import happened_body, schema
from callrouter.app.worker.parts import tellers_of
from callrouter.core.call import Callback, CallerId, Disposition, replace
from callrouter.core.dispatch import Kind
from callrouter.dispatch.telling import Telling
from callrouter.outgoing.order import Settlement
from callrouter.store.dispatch.acknowledging import acknowledge
from callrouter.store.dispatch.lease import Lease
from callrouter.store.outgoing.book import CallbackRows
from callrouter.store.subscribed.happened import Happened
from tests.dispatch.rooms import Office, hook, reach, rule
from tests.dispatch.subscribers import (
    EPOCH,
    a_call,
    abandoned,
    bodies,
    goes_live,
    is_withdrawn,
    noted,
    recorded,
    spoken,
    subscribed,
    told,
)
from tests.runtime.web_service import WebService

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
VALIDATOR: Final = jsonschema.Draft202012Validator(schema())


@pytest.fixture
async def desk(office: Office) -> Office:
    """A client who has all of it told."""
    office.plan = subscribed(policy=rule(hook("doctor", wait=600)), people=[reach("doctor", "https://d.example/")])
    await goes_live(office.database, office.plan)
    return office


async def subscribers(office: Office) -> list[tuple[Any, ...]]:
    return await office.rows("SELECT client, owner, name FROM subscribers ORDER BY client, name")


# Who is told


async def test_who_goes_live_is_subscribed_and_who_is_withdrawn_is_not(office: Office) -> None:
    """By their kinds, and since when they were subscribed first; what is left out of the file is gone."""
    first = datetime(2026, 11, 2, tzinfo=UTC)
    await goes_live(office.database, subscribed(kinds=[Kind.CALL_ENDED]), first)
    await goes_live(office.database, subscribed(kinds=[Kind.MESSAGE_TAKEN], version="2"))
    assert await office.rows("SELECT client, owner, name, kinds, timezone, since FROM subscribers") == [
        ("acme", "acme", "crm", ["message.taken"], "Europe/Paris", first)
    ]

    await is_withdrawn(office.database, "acme")
    assert await subscribers(office) == []

    await goes_live(office.database, subscribed(version="2"))
    await goes_live(office.database, replace(subscribed(version="3"), subscriptions={}))
    assert await subscribers(office) == []


async def test_a_renamed_client_is_told_of_calls_under_its_former_name(office: Office) -> None:
    """Until somebody else has that name; and it is told under its present one."""
    office.plan = subscribed(client="new", formerly=("acme",))
    await goes_live(office.database, office.plan)
    await is_withdrawn(office.database, "acme")
    assert await subscribers(office) == [("acme", "new", "crm"), ("new", "new", "crm")]

    await recorded(office.database, a_call())
    (body,) = await told(office)
    assert (body["client"], body["data"]["client"]) == ("new", "new")

    await goes_live(office.database, replace(subscribed(version="9"), subscriptions={}))
    assert await subscribers(office) == [("new", "new", "crm")]


async def test_nothing_is_noted_of_those_who_do_not_want_to_know(office: Office) -> None:
    """Neither without a subscriber, nor with another client's, nor of other kinds."""
    await recorded(office.database, a_call("call-1"))
    await goes_live(office.database, subscribed(client="another"))
    await recorded(office.database, a_call("call-2"))
    await goes_live(office.database, subscribed(kinds=[Kind.CALLBACK_ASKED]))
    await recorded(office.database, abandoned(a_call("call-3")))

    assert await noted(office) == []


# Calls


async def test_a_call_is_told_once(desk: Office) -> None:
    """However often it comes into the record as it was."""
    call = a_call()
    await recorded(desk.database, call)
    (body,) = await told(desk)
    await recorded(desk.database, call, a_call("call-2"))
    bodies = await told(desk)

    assert (body["type"], body["client"]) == ("call.ended.v1", "acme")
    assert call.clocks.ended_at is not None
    assert datetime.fromisoformat(body["timestamp"]) == call.clocks.ended_at
    assert {"call_id": "call-1", "revision": 1, "disposition": "answered", "client_name": "Acme"}.items() <= body[
        "data"
    ].items()
    assert [one["data"]["call_id"] for one in bodies] == ["call-1", "call-2"]
    assert await noted(desk) == []
    VALIDATOR.validate(body)


async def test_the_queued_row_is_the_events_own(desk: Office) -> None:
    """Its id is the body's, events of one call are one sequence, and it goes signed to the subscription's address."""
    await recorded(desk.database, abandoned(a_call()))
    bodies = await told(desk)
    sql = """SELECT delivery_id, call_id, message_id, kind, contact, means, address, secret, sequence, last, state
             FROM deliveries ORDER BY number"""

    assert [one["type"] for one in bodies] == ["call.ended.v1", "call.abandoned.v1"]
    assert await desk.rows(sql) == [
        (
            *(one["id"], "call-1", None, "event", "crm", "webhook", "https://crm.example/hooks", "CRM"),
            *("acme crm call-1", True, "queued"),
        )
        for one in bodies
    ]


async def test_a_correction_is_told_with_a_higher_revision(desk: Office) -> None:
    """And one by which nothing that is told has changed, is not."""
    call = a_call()
    await recorded(desk.database, call)
    await told(desk)
    await recorded(desk.database, replace(call, revision=replace(call.revision, count=10)))
    assert await noted(desk) == []

    gave_up = abandoned(replace(call, revision=replace(call.revision, count=11)))
    await recorded(desk.database, gave_up)
    await told(desk)
    await recorded(desk.database, replace(call, revision=replace(call.revision, count=12)))
    bodies = await told(desk)

    told_of = [(one["type"], one["data"]["disposition"], one["data"]["revision"]) for one in bodies]
    assert told_of == [
        ("call.ended.v1", "answered", 1),
        ("call.ended.v1", "abandoned", 3),
        ("call.abandoned.v1", "abandoned", 3),
        ("call.ended.v1", "answered", 4),
        ("call.abandoned.v1", "answered", 4),
    ]


async def test_one_who_knows_less_tells_nothing(desk: Office) -> None:
    call = a_call()
    await recorded(desk.database, call)
    await told(desk)
    await recorded(desk.database, abandoned(replace(call, revision=replace(call.revision, epoch=EPOCH - 1))))

    assert await noted(desk) == []


async def test_a_correction_under_way_is_waited_for(desk: Office) -> None:
    """Or the record of before would be told, and the correction never: its row is passed over until then."""
    call = a_call()
    await recorded(desk.database, call)
    async with desk.database.connection() as connection:
        change = "UPDATE calls SET disposition = 'redirected', revision = revision + 1"
        await connection.execute(text(change))
        assert await told(desk) == []
    (body,) = await told(desk)

    assert body["data"]["disposition"] == "redirected"


async def test_what_the_release_before_writes_is_told_too(desk: Office) -> None:
    """It does not know of it: plain SQL, as from outside."""
    await recorded(desk.database, a_call())
    await told(desk)
    copied = 'INSERT INTO calls SELECT (jsonb_populate_record(c, \'{"call_id": "call-2"}\')).* FROM calls c'
    await desk.rows(f"{copied} RETURNING call_id")

    assert [one["data"]["call_id"] for one in await told(desk)] == ["call-1", "call-2"]


async def test_a_call_that_cannot_be_read_holds_nobody_up(desk: Office) -> None:
    await recorded(desk.database, a_call("call-1"), a_call("call-2"))
    await desk.rows(
        'UPDATE calls SET trace = \'{"rest": {"state": "odd"}}\' WHERE call_id = \'call-1\' RETURNING call_id'
    )
    with capture_logs() as logs:
        bodies = await told(desk)

    assert [one["data"]["call_id"] for one in bodies] == ["call-2"]
    assert [one["call_id"] for one in logs if one["log_level"] == "error"] == ["call-1"]


# Messages


async def test_rows_that_cannot_be_read_hold_nobody_up(desk: Office) -> None:
    """A message, its rule, a wish to be called back, and what a later release notes: a line each in the log."""
    for name in ("labels", "rule", "good"):
        await desk.message(name)
    await told(desk)
    spoilt = (
        "UPDATE messages SET labels = '[1]' WHERE message_id = 'labels'",
        "UPDATE dispatches SET policy = '[]' WHERE message_id = 'rule'",
        "UPDATE subscribers SET kinds = kinds || ARRAY['call.sung']",
        "DELETE FROM deliveries",
        """INSERT INTO happenings (client, kind, subject)
           VALUES ('acme', 'message.taken', 'labels'), ('acme', 'message.taken', 'rule'),
                  ('acme', 'callback.asked', 'no position'), ('acme', 'call.sung', 'good'),
                  ('acme', 'message.taken', 'good')""",
    )
    async with desk.database.connection() as connection:
        for statement in spoilt:
            await connection.execute(text(statement))

    with capture_logs() as lines:
        found = await told(desk)

    assert [one["data"]["messages"][0]["message_id"] for one in found] == ["good"]
    assert sum("cannot be read" in line["event"] for line in lines) == 4
    assert await noted(desk) == []


async def test_a_message_from_its_first_word_to_who_took_it_on(desk: Office) -> None:
    """In order, by the types that contacts are posted, whose schema holds for these bodies as well."""
    await recorded(desk.database, spoken(a_call()))
    await acknowledge(desk.database, "call-1.m1", by="doctor", how="link", at=datetime.now(UTC))
    bodies = await told(desk)
    of_contacts = jsonschema.Draft202012Validator(json.loads((DOCS / "message-events.schema.json").read_text()))

    assert [one["type"] for one in bodies] == ["call.ended.v1", "message.taken.v1", "message.acknowledged.v1"]
    (message,) = bodies[1]["data"]["messages"]
    assert (message["message_id"], message["call_id"], message["deliver"]) == ("call-1.m1", "call-1", "rule")
    assert (message["link"], message["form"]) == (None, None)
    assert message["caller"] == {"number": "+33612340001", "name": "Jeanne Martin"}
    assert bodies[2]["data"]["acknowledged_by"] == "Doctor"
    assert set(bodies[2]["data"]["messages"][0]) == {
        *("message_id", "call_id", "taken_at", "link", "deliver", "form"),
    }
    for body in bodies:
        VALIDATOR.validate(body)
    for body in bodies[1:]:
        of_contacts.validate(body)
        assert body["data"]["delivery_id"] == body["id"]
    sequences = await desk.rows("SELECT DISTINCT sequence FROM deliveries WHERE kind = 'event'")
    assert sequences == [("acme crm call-1",)]


async def test_what_nobody_acknowledges_is_overdue(desk: Office, crm: WebService) -> None:
    """Once it stands on the agents' list, with the reason."""
    assert desk.plan is not None
    own = replace(desk.plan.subscriptions["crm"], kinds=(Kind.MESSAGE_OVERDUE,), url=crm.url("good"), secret="")
    policy = rule(hook("doctor", wait=600))
    people = {"doctor": reach("doctor", crm.url("good/doctor"))}
    desk.plan = replace(desk.plan, subscriptions={"crm": own}, policies={"rule": policy}, people=people, version="2")
    await goes_live(desk.database, desk.plan)
    await desk.message()
    async with desk.works() as due:
        await desk.has(accepted=1, due=due)
        desk.clock.passes(timedelta(minutes=10))
        reason = await desk.comes("attention", due=due)
    (body,) = await told(desk)

    assert reason == "nobody has acknowledged it"
    assert (body["type"], body["data"]["reason"]) == ("message.overdue.v1", reason)
    VALIDATOR.validate(body)


@pytest.mark.parametrize("looked_up", [True, False])
async def test_of_a_confidential_message_nothing_is_told_but_ids(desk: Office, looked_up: bool) -> None:
    """Whether its rule was looked up already, or is looked up now."""
    assert desk.plan is not None
    policy = rule(hook("doctor", wait=600), confidential=True)
    desk.plan = replace(desk.plan, policies={"rule": policy})
    await desk.message(caller_name="Jeanne Martin", caller_number="+33612340001", form="f", fields={"a": "b"})
    if looked_up:
        desk.plan = replace(desk.plan, policies={"rule": replace(policy, confidential=False)})
        await desk.rows("""UPDATE dispatches SET policy = '{"confidential": true}' RETURNING 1""")
    (body,) = await told(desk)

    assert body["data"] == {
        "delivery_id": body["id"],
        "client": "acme",
        "contact": "crm",
        "confidential": True,
        "messages": [{"message_id": "m1", "link": None, "call_id": None}],
    }
    VALIDATOR.validate(body)


async def test_a_rule_that_nobody_knows_any_more_keeps_it_in_the_house(desk: Office) -> None:
    await desk.message("m1", deliver="gone")
    await desk.message("m2", deliver="")
    bodies = await told(desk)

    assert [one["data"]["confidential"] for one in bodies] == [True, False]


async def test_what_was_confidential_stays_in_the_house_before_its_rule_is_looked_up_anew(desk: Office) -> None:
    """Whatever the live plan says of whoever it is for now."""
    await desk.message()
    await desk.rows("UPDATE dispatches SET confidential = true RETURNING 1")
    (body,) = await told(desk)

    assert body["data"]["confidential"] is True


async def test_a_rule_of_before_that_was_not_looked_up_keeps_it_too(desk: Office) -> None:
    """What the live one says is not what it goes by."""
    await desk.message("m1", plan_version="0123456789ab")
    await desk.message("m2", plan_version="of before")
    bodies = await told(desk)

    assert [one["data"]["confidential"] for one in bodies] == [False, True]


async def test_messages_of_no_call_are_in_order_too(desk: Office) -> None:
    """One sequence for each message."""
    await desk.message("m1", deliver="doctor")
    await acknowledge(desk.database, "m1", by="token:desk", how="api", at=datetime.now(UTC))
    bodies = await told(desk)

    assert [one["type"] for one in bodies] == ["message.taken.v1", "message.acknowledged.v1"]
    assert bodies[1]["data"]["acknowledged_by"] == "token:desk"
    assert await desk.rows("SELECT DISTINCT sequence FROM deliveries") == [("acme crm m1",)]


# Callbacks


async def test_a_callback_is_asked_for_and_settled(desk: Office) -> None:
    asked_at = datetime.now(UTC) - timedelta(seconds=40)
    call = replace(
        a_call(),
        callbacks=(Callback(number="+33612340001", node="offer", asked_at=asked_at),),
        disposition=Disposition.MESSAGE_LEFT,
    )
    await recorded(desk.database, call)
    rows = CallbackRows(desk.database, epoch=EPOCH)
    await rows.settle([("call-1", 1)], Settlement.CALLED_BACK, datetime.now(UTC))
    bodies = await told(desk)

    assert [one["type"] for one in bodies] == ["call.ended.v1", "callback.asked.v1", "callback.settled.v1"]
    assert datetime.fromisoformat(bodies[1]["timestamp"]) == asked_at
    assert [one["data"]["state"] for one in bodies[1:]] == ["open", "done"]
    assert [one["data"]["settled_by"] for one in bodies[1:]] == [None, "called_back"]
    for body in bodies:
        VALIDATOR.validate(body)


# The worker


async def test_a_receiver_gets_them_signed_and_in_order(office: Office, crm: WebService) -> None:
    """From the record to the other side: what was noted is posted, and is gone."""
    office.plan = replace(subscribed(crm.url("good")), people={"doctor": reach("doctor", crm.url("good/doctor"))})
    own = replace(office.plan.subscriptions["crm"], secret="")
    office.plan = replace(office.plan, subscriptions={"crm": own})
    await goes_live(office.database, office.plan)
    async with office.works() as due:
        await recorded(office.database, spoken(abandoned(a_call()), deliver="doctor"))
        due.set()
        await office.has(accepted=4, due=due)
    types = [json.loads(one.partition(b"\r\n\r\n")[2]).get("type") for one in crm.asked]

    assert [one for one in types if one] == ["call.ended.v1", "call.abandoned.v1", "message.taken.v1"]
    assert await noted(office) == []


async def test_killed_at_any_statement_each_thing_becomes_one_delivery(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies before a statement leaves what was noted, or has done with it; the next one goes on."""
    lease = Lease(desk.database, "dispatch", "one")
    assert await lease.take()
    teller, _ = tellers_of(desk.database, lease, desk.live, desk.clock)
    for died_at in range(1, 25):
        await recorded(desk.database, a_call(f"call-{died_at}"))
        executed = 0
        execute = AsyncConnection.execute

        async def dying(*given: Any, died_at: int = died_at, execute: Any = execute, **more: Any) -> Any:
            nonlocal executed
            executed += 1
            if executed == died_at:
                raise Killed
            return await execute(*given, **more)

        with monkeypatch.context() as patch:
            patch.setattr(AsyncConnection, "execute", dying)
            with suppress(Killed):
                await teller()
        if executed < died_at:
            break
        await teller()
        assert len(await bodies(desk)) == died_at

    assert 8 < died_at < 24
    assert await noted(desk) == []


class Killed(Exception):
    """In the middle of it."""


async def test_a_plan_that_has_gone_meanwhile_is_told_nothing(desk: Office) -> None:
    """What was noted for it is dropped, and the log says so."""
    await recorded(desk.database, a_call())
    desk.plan = None
    with capture_logs() as logs:
        assert await told(desk) == []
    assert [one["client"] for one in logs if one["log_level"] == "warning"] == ["acme"]
    assert await noted(desk) == []


async def test_many_are_told_in_pages(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callrouter.dispatch.telling.AT_A_TIME", 3)
    await recorded(desk.database, *(a_call(f"call-{number}") for number in range(10)))

    assert len(await told(desk)) == 10


async def test_a_fault_in_one_holds_up_no_other(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    await recorded(desk.database, a_call("call-1"), a_call("call-2"))
    monkeypatch.setattr("callrouter.api.schemas.happened._body", _faulty)
    with capture_logs() as logs:
        bodies = await told(desk)

    assert [one["call_id"] for one in bodies] == ["call-2"]
    assert [one["event"] for one in logs] == ["a system could not be told"]


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_whatever_a_caller_is_called_is_json_and_text_of_postgresql(name: str, reason: str) -> None:
    """Halves of surrogate pairs and NULs too; and what it says is by the schema."""
    plan, call = subscribed(), replace(a_call(), caller=CallerId(number="+33612340001", name=name), node=reason)
    happened = Happened(
        kind=Kind.CALL_ENDED, owner="acme", names=("crm",), at=datetime.now(UTC), call_id="call-1", call=call
    )
    own = plan.subscriptions["crm"]
    body = happened_body(Telling(event_id="one", happened=happened, plan=plan, subscription=own, confidential=False))

    assert "\x00" not in body
    VALIDATOR.validate(json.loads(body.encode()))


def _faulty(event_id: str, kind: Kind, at: datetime, client: str, data: dict[str, Any]) -> str:
    if data["call_id"] == "call-1":
        raise ValueError("not this one")
    return json.dumps(data)


def test_the_schema_is_the_one_that_is_published() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads((DOCS / "events.schema.json").read_text(encoding="utf-8")) == schema()
    assert [one["title"] for one in schema()["anyOf"]] == [kind.versioned for kind in Kind]
