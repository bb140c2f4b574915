"""Messages: rows of their own from when they are complete, and nothing of them lost by what people make of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callrouter.core.call import Call, CallerId, FormValue, Message, Revision, replace
from callrouter.core.facts import MessageLeft
from callrouter.permissions import Scope, ScopeKind
from callrouter.store.database import Database
from callrouter.store.messages import (
    Change,
    ChangeResult,
    StoredMessage,
    TakenMessage,
    change_message,
    find_message,
    keep_taken,
    list_messages,
)
from callrouter.store.tables import MessageChangeKind, MessageState
from callrouter.store.writing import writer as writing
from callrouter.store.writing.fact_journal import FactJournal
from callrouter.store.writing.message_rows import MessageRows
from callrouter.store.writing.writer import Writer
from tests.store.test_fact_journal import files, taken_over
from tests.store.test_revisions import rows

MakeCall = Callable[..., Call]
AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
CALLER = CallerId(number="+33612345678", name="Jean Martin")


def left(call: Call, *messages: Message) -> MessageLeft:
    """The last of them, in a call that goes on."""
    call = replace(call, messages=messages, caller=CALLER, revision=Revision(100, 3))
    return MessageLeft(call=call, message=messages[-1])


def spoken(call: Call, number: int = 0) -> Message:
    return Message(
        recording=f"{call.call_id}-{number}",
        node="take_message",
        deliver="email_doctor",
        started_at=call.clocks.ringing_at + timedelta(seconds=20 * number),
        seconds=12.5,
    )


def taken(message_id: str = "11111111-1111-4111-8111-111111111111", **changes: Any) -> TakenMessage:
    fields: dict[str, Any] = {
        "message_id": message_id,
        "client": "cabinet-moreau",
        "call_id": None,
        "form": "appointment",
        "fields": {"name": "Jean Martin", "number": "+33612345678"},
        "labels": (("name", "Nom"), ("number", "Téléphone")),
        "text": "Veut voir le médecin demain.",
        "urgent": False,
        "caller_number": "+33612345678",
        "caller_name": "Jean Martin",
        "deliver": "email_doctor",
        "taken_by": "agent:anne",
        "started_at": AT,
        "taken_at": AT + timedelta(seconds=40),
    }
    return TakenMessage(**(fields | changes))


async def found(database: Database, message_id: str) -> StoredMessage:
    known = await find_message(database, message_id)
    assert known is not None
    return known[0]


async def written(database: Database, *facts: MessageLeft) -> None:
    """Soon."""
    at_once = MessageRows(Writer(database))
    at_once.observe(facts)
    await at_once.close()


async def test_a_message_is_there_while_its_call_goes_on(database: Database, make_call: MakeCall) -> None:
    """With who called, and its recording; the end of the call brings nothing twice, and changes nothing."""
    call = make_call(1)
    first, second = spoken(call), spoken(call, 1)
    await written(database, left(call, first), left(call, first, second))

    message = await found(database, "call-000001.m2")
    assert message.call_id == call.call_id
    assert (message.recording, message.seconds, message.state) == (second.recording, 12.5, MessageState.OPEN)
    assert (message.caller_number, message.caller_name) == (CALLER.number, CALLER.name)
    assert message.taken_at == second.started_at + timedelta(seconds=12.5)
    assert (message.taken_by, message.form, message.urgent, message.revision) == ("", None, False, 1)
    assert await rows(database, "SELECT count(*) FROM calls") == [(0,)]

    done = Change(kind=MessageChangeKind.DONE, principal="anne", at=AT)
    assert await change_message(database, message.message_id, done) is ChangeResult.KEPT
    writer = Writer(database)
    await writer.write([replace(call, messages=(first, second), caller=CALLER)])
    writer.close()

    assert await rows(database, "SELECT message_id, state FROM messages ORDER BY 1") == [
        ("call-000001.m1", "open"),
        ("call-000001.m2", "done"),
    ]
    assert await rows(database, "SELECT recording_id FROM recordings ORDER BY 1") == [
        (first.recording,),
        (second.recording,),
    ]


async def test_a_form_that_the_tree_filled_in_is_a_message(database: Database, make_call: MakeCall) -> None:
    """Without a recording; told by the journal, at once and with the call, it is one."""
    call = make_call(1)
    form = replace(
        spoken(call),
        recording="",
        seconds=0.0,
        form="order",
        values=(
            FormValue(name="name", value="Zoé Petit", label="Nom", type="name"),
            FormValue(name="number", value="+33612345679", label="Téléphone", type="number"),
            FormValue(name="file", value="n° 75", label="Dossier", type="text"),
            FormValue(name="urgency", value="urgent", label="Urgence", type="urgency"),
        ),
    )
    whole = replace(call, messages=(*call.messages, form))
    await written(database, left(call, *whole.messages))
    writer = Writer(database)
    assert await writer.write([whole, replace(whole, call_id="call-000009")]) == []
    writer.close()

    message = await found(database, "call-000001.m2")
    assert (message.form, message.urgent, message.text) == ("order", True, "n° 75")
    assert message.fields == {value.name: value.value for value in form.values}
    assert message.labels == tuple((value.name, value.label) for value in form.values)
    assert (message.caller_number, message.caller_name) == ("+33612345679", "Zoé Petit")
    assert (message.recording, message.seconds) == (None, None)
    assert (await found(database, "call-000009.m2")).fields == message.fields
    assert await rows(database, "SELECT recording_id FROM recordings ORDER BY 1") == [("rec-1",)]


async def test_calls_with_messages_go_the_usual_way(
    database: Database, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is not staged for messages that are there."""
    call = make_call(1)
    await written(database, left(call, *make_call(1).messages))
    monkeypatch.setattr(writing, "MERGE", ("SELECT 1/0",))
    writer = Writer(database)
    assert await writer.write([call, make_call(2)]) == []
    writer.close()

    assert await rows(database, "SELECT call_id, position FROM messages ORDER BY 1") == [
        ("call-000001", 1),
        ("call-000002", 1),
    ]


async def test_an_engine_that_was_killed_leaves_its_messages(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """In its journal; the next start writes them, before anybody knows how the call ends."""
    call = make_call(1)
    first, second = (
        spoken(call),
        replace(
            spoken(call, 1),
            recording="",
            form="order",
            values=(FormValue(name="file", value="75", label="Dossier", type="text"),),
        ),
    )
    journal = FactJournal(Writer(database), tmp_path)
    journal.observe([left(call, first), left(call, first, second)])
    journal.close()
    await taken_over(database, tmp_path)

    assert files(tmp_path) == []
    assert [await found(database, f"call-000001.m{number}") for number in (1, 2)] == [
        *reversed((await list_messages(database)).messages)
    ]
    assert (await found(database, "call-000001.m1")).caller_name == "Jean Martin"
    assert await rows(database, "SELECT DISTINCT plan_version FROM messages") == [(call.plan_version,)]


async def test_a_journal_of_the_release_before_has_messages(
    database: Database, tmp_path: Path, make_call: MakeCall
) -> None:
    """Which does not say by which plan they were taken; and it passes over what this release writes."""
    call = make_call(1)
    journal = FactJournal(Writer(database), tmp_path)
    journal.observe([left(call, spoken(call))])
    journal.close()
    (path,) = files(tmp_path)
    kind, *head, (*written, version) = json.loads(path.read_bytes())
    assert (kind, version) == ("message.2", call.plan_version)
    path.write_text(json.dumps(["message", *head, written]) + "\n")
    await taken_over(database, tmp_path)

    assert (await found(database, "call-000001.m1")).caller_name == "Jean Martin"
    assert await rows(database, "SELECT plan_version FROM messages") == [("",)]


async def test_one_that_postgresql_cannot_hold_comes_with_its_call(database: Database, make_call: MakeCall) -> None:
    """Cleaned; others do not wait for it."""
    call, other = make_call(1), make_call(2)
    odd = replace(call, caller=CallerId(name="Jean\x00Martin"), messages=(spoken(call),))
    await written(database, MessageLeft(call=odd, message=odd.messages[0]), left(other, spoken(other)))
    assert await rows(database, "SELECT call_id FROM messages") == [("call-000002",)]

    writer = Writer(database)
    assert await writer.write([odd]) == []
    writer.close()
    assert "\x00" not in (await found(database, "call-000001.m1")).caller_name


async def test_messages_wait_while_postgresql_is_away(make_call: MakeCall, database: Database) -> None:
    """No more than memory holds, and nobody waits for them."""
    call = make_call(1)
    at_once = MessageRows(_Away(database))
    task = asyncio.get_running_loop().create_task(at_once.run())
    at_once.observe([left(call, spoken(call))])
    await asyncio.sleep(0.2)
    assert len(at_once._waiting) == 1
    at_once._writer = Writer(database)
    await at_once.close()
    task.cancel()

    assert (await found(database, "call-000001.m1")).call_id == call.call_id


class _Away(Writer):
    async def write_facts(self, facts: Any) -> None:
        raise writing.WriterAway("the test's")


async def test_rows_of_the_release_before_are_messages(database: Database, make_call: MakeCall) -> None:
    """It names none, and calls an open one recorded; told once more by this release, it is the same message."""
    call = make_call(1)
    message = spoken(call)
    async with database.connection() as connection:
        await connection.execute(
            text(
                "INSERT INTO messages (call_id, position, client, recording, seconds, deliver, started_at, node, state)"
                " VALUES (:call, 1, 'cabinet-moreau', :name, 12.5, '', :at, 'take_message', 'recorded')"
            ),
            {"call": call.call_id, "name": message.recording, "at": message.started_at},
        )
    await written(database, left(call, message))

    (one,) = (await list_messages(database, state=MessageState.OPEN)).messages
    assert (one.state, one.taken_at) == (MessageState.OPEN, message.started_at + timedelta(seconds=12.5))
    reopened = Change(kind=MessageChangeKind.REOPENED, principal="anne", at=AT)
    assert await change_message(database, one.message_id, reopened) is ChangeResult.ALREADY


async def test_what_somebody_took_is_kept_once(database: Database) -> None:
    """Sent twice, it is one message, as it was first."""
    assert await keep_taken(database, []) == frozenset()
    one, other = taken(), taken("22222222-2222-4222-8222-222222222222", form=None, fields={}, labels=())
    assert await keep_taken(database, [one]) == {one.message_id}
    assert await keep_taken(database, [replace_taken(one, text="other words"), other]) == {other.message_id}

    message = await found(database, one.message_id)
    assert message.text == one.text
    assert (message.call_id, message.position, message.recording, message.seconds) == (None, None, None, None)
    assert (message.form, message.fields, message.labels) == (one.form, one.fields, one.labels)
    assert (message.taken_by, message.taken_at, message.node) == ("agent:anne", one.taken_at, None)
    assert (await found(database, other.message_id)).form is None


def replace_taken(one: TakenMessage, **changes: Any) -> TakenMessage:
    return taken(one.message_id, **changes)


async def test_messages_are_chosen(database: Database, make_call: MakeCall) -> None:
    """By where they stand, by urgency, by client and team."""
    ids = [f"{number}1111111-1111-4111-8111-111111111111" for number in range(3)]
    call = make_call(1)
    writer = Writer(database)
    await writer.write([replace(call, messages=())])
    writer.close()
    await keep_taken(
        database,
        [taken(ids[0], urgent=True), taken(ids[1], client="etude-lenoir"), taken(ids[2], call_id=call.call_id)],
    )
    await change_message(database, ids[0], Change(kind=MessageChangeKind.DONE, principal="anne", at=AT))

    async def chosen(**filters: Any) -> set[str]:
        return {one.message_id for one in (await list_messages(database, **filters)).messages}

    assert await chosen() == set(ids)
    assert await chosen(state=MessageState.DONE) == {ids[0]}
    assert await chosen(state=MessageState.OPEN) == {ids[1], ids[2]}
    assert await chosen(urgent=True) == {ids[0]}
    assert await chosen(urgent=False, client="cabinet-moreau") == {ids[2]}
    assert await chosen(scope=Scope(ScopeKind.CLIENTS, frozenset({"etude-lenoir"}))) == {ids[1]}
    assert await chosen(scope=Scope(ScopeKind.TEAMS, frozenset({call.queue_visits[0].queue}))) == {ids[2]}


async def test_nothing_is_lost_by_changes(database: Database) -> None:
    """Each says who, when and what it replaced; what changes nothing is none."""
    one = taken()
    await keep_taken(database, [one])

    async def changed(kind: MessageChangeKind, **changes: Any) -> ChangeResult:
        return await change_message(database, one.message_id, Change(kind=kind, principal="anne", at=AT, **changes))

    words = {"text": "Veut voir le médecin ce soir.", "urgent": True, "caller_name": "Jean Martin"}
    assert await changed(MessageChangeKind.CORRECTED, values=words) is ChangeResult.KEPT
    assert await changed(MessageChangeKind.CORRECTED, values=words) is ChangeResult.ALREADY
    assert await changed(MessageChangeKind.REASSIGNED, deliver="on_call", revision=1) is ChangeResult.OUTRUN
    assert await changed(MessageChangeKind.REASSIGNED, deliver="on_call", revision=2) is ChangeResult.KEPT
    assert await changed(MessageChangeKind.DONE, note="called back") is ChangeResult.KEPT
    assert await changed(MessageChangeKind.DONE) is ChangeResult.ALREADY
    assert await changed(MessageChangeKind.REOPENED) is ChangeResult.KEPT
    with pytest.raises(ValueError, match="client of a message cannot be corrected"):
        await changed(MessageChangeKind.CORRECTED, values={"client": "etude-lenoir"})
    gone = Change(kind=MessageChangeKind.DONE, principal="anne", at=AT)
    assert await change_message(database, "nobody's", gone) is ChangeResult.UNKNOWN

    known = await find_message(database, one.message_id)
    assert known is not None
    message, trail = known
    assert (message.text, message.urgent, message.deliver) == (words["text"], True, "on_call")
    assert (message.state, message.revision) == (MessageState.OPEN, 5)
    assert [(change.number, change.change.value, change.note, change.before) for change in trail] == [
        (1, "corrected", "", {"text": one.text, "urgent": False}),
        (2, "reassigned", "", {"deliver": "email_doctor"}),
        (3, "done", "called back", {"state": "open"}),
        (4, "reopened", "", {"state": "done"}),
    ]
    assert {(change.principal, change.at) for change in trail} == {("anne", AT)}


async def test_two_who_change_it_at_once_are_both_in_the_trail(database: Database) -> None:
    one = taken()
    await keep_taken(database, [one])
    said = [
        Change(kind=MessageChangeKind.CORRECTED, principal=who, at=AT, values={"text": who}) for who in ("anne", "zoé")
    ]
    assert set(await asyncio.gather(*(change_message(database, one.message_id, change) for change in said))) == {
        ChangeResult.KEPT
    }
    known = await find_message(database, one.message_id)
    assert known is not None
    assert [change.number for change in known[1]] == [1, 2]
    assert known[0].revision == 3


async def test_nobody_has_a_message_of_an_odd_name(database: Database) -> None:
    assert await find_message(database, "\x00") is None
    assert await find_message(database, "") is None
