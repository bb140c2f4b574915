"""Messages by form over HTTP: taken once, held to the client's form, changed with a trail, and no stranger's affair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from callrouter.api.engine_app import create_engine_app
from callrouter.api.messages.desk import Taking
from callrouter.core.call import replace
from callrouter.core.dispatch import Reach
from callrouter.core.forms import Field, FieldType, Form, When
from callrouter.core.plan import Plan
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.store.access.audit import list_audit
from callrouter.store.access.tokens import TokenBook, create_token
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.taken.journal import MessageJournal
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client

from .plans import LENOIR, MOREAU, Plans, plan
from .serving import TOKEN, make_gate, serving
from .stories import answered, live
from .test_web_app import AUTHORISED, NOWHERE, web

PATIENT = Form(
    name="patient",
    title="A patient's message",
    fields=(
        Field(name="name", label="Name", type=FieldType.NAME, required=True),
        Field(name="number", label="Telephone", type=FieldType.NUMBER, required=True),
        Field(name="birth", label="Date of birth", type=FieldType.DATE),
        Field(name="about", label="About", type=FieldType.CHOICE, choices=(("x-ray", "An X-ray"), ("other", "Other"))),
        Field(name="words", label="Message", type=FieldType.TEXT),
        Field(name="urgency", label="Urgency", type=FieldType.URGENCY),
    ),
    deliver="email_doctor",
)
COLLEAGUE = replace(
    PATIENT, name="colleague", title="A colleague's", deliver="doctor", when=When(kinds=("secretaries",))
)
GIVEN = {"name": " Jeanne Martin ", "number": "06 12 34 00 01", "birth": "5/4/1950", "words": "Her X-ray <b>hurts</b>"}
KEPT = {"name": "Jeanne Martin", "number": "+33612340001", "birth": "1950-04-05", "words": "Her X-ray <b>hurts</b>"}


@asynccontextmanager
async def desk(
    database: Database, folder: Path, engine_url: str = NOWHERE, *, token: str = TOKEN, record: Database | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API whose journal writes to `record`, which is its database unless it is said."""
    journal, trail = MessageJournal(record or database, folder), AuditTrail(database)
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(journal.run()), loop.create_task(trail.run())]
    app = web(
        database,
        engine_url,
        gate=make_gate(tokens=TokenBook(database), trail=trail),
        taking=Taking(Plans(COLLEAGUE, PATIENT), journal),
    )
    try:
        async with serving(app) as base, plain_client(base_url=base) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
    finally:
        for task in tasks:
            task.cancel()
        await journal.close()
        await trail.close()


@pytest.fixture
async def api(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with desk(database, tmp_path) as client:
        yield client


def by_form(**fields: Any) -> dict[str, Any]:
    """A patient's message, and whatever is otherwise."""
    return {"id": str(uuid4()), "client": MOREAU, "form": "patient", "fields": GIVEN, **fields}


def plain(**fields: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "client": LENOIR, "text": "Ring back.", **fields}


async def post(api: httpx.AsyncClient, path: str, body: Mapping[str, Any], status: int = 200) -> Any:
    answer = await api.post(f"/api/messages{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_by_form(api: httpx.AsyncClient) -> None:
    """As it is kept, with the form's labels, in the list and by itself."""
    body = by_form(urgent=True)

    kept = await post(api, "", body, 201)
    listed = (await api.get("/api/messages", params={"client": MOREAU, "state": "open", "urgent": "true"})).json()

    assert {one["name"]: one["value"] for one in kept["fields"]} == KEPT
    assert [one["label"] for one in kept["fields"]] == ["Name", "Telephone", "Date of birth", "Message"]
    assert (kept["message_id"], kept["form"], kept["deliver"]) == (body["id"], "patient", "email_doctor")
    assert (kept["caller_number"], kept["caller_name"], kept["urgent"]) == ("+33612340001", "Jeanne Martin", True)
    assert (kept["state"], kept["taken_by"], kept["call_id"], kept["recording"]) == ("open", "operator", None, None)
    assert (await api.get(f"/api/messages/{body['id']}")).json() == kept
    assert (kept.pop("changes"), kept.pop("delivery")) == ([], f"/api/messages/{body['id']}/delivery")
    assert kept.pop("warnings") == []
    assert listed["messages"] == [kept]
    assert (await api.get("/api/messages", params={"urgent": "false"})).json()["messages"] == []
    assert (await api.get("/api/messages", params={"state": "done"})).json()["messages"] == []


async def test_sent_again_it_is_the_same(api: httpx.AsyncClient) -> None:
    """Also at the same moment, and after a correction; another message under its id is refused."""
    body = by_form()

    first, second = await asyncio.gather(*(api.post("/api/messages", json=body) for _ in range(2)))
    await post(api, f"/{body['id']}/correct", {"fields": {"birth": "1951-04-05"}})
    again = await post(api, "", body, 200)
    other = await post(api, "", body | {"fields": {**GIVEN, "birth": "1951-04-05"}}, 409)
    elsewhere = await post(api, "", plain(id=body["id"]), 409)

    assert {first.status_code, second.status_code} <= {200, 201}
    assert 201 in (first.status_code, second.status_code)
    assert [one["value"] for one in again["fields"] if one["name"] == "birth"] == ["1951-04-05"]
    assert "is another one" in other["detail"]
    assert "Jeanne" not in elsewhere["detail"]
    assert len((await api.get("/api/messages")).json()["messages"]) == 1


@pytest.mark.parametrize(
    ("changed", "at", "reason"),
    [
        ({"fields": {**GIVEN, "birht": "1950"}}, "body.fields.birht", 'did you mean "birth"?'),
        ({"fields": {**GIVEN, "birth": "yesterday"}}, "body.fields.birth", 'write it as "2026-12-24"'),
        ({"fields": {"name": "J", "words": "x\r\nBcc: all@example.org"}}, "body.fields.words", "line break"),
        ({"fields": {**GIVEN, "name": "a\x00b"}}, "body.fields.name", "control character"),
        ({"fields": {**GIVEN, "words": "x" * 60_000}}, "body.fields.words", "2000 are the most"),
        ({"fields": {**GIVEN, "number": ""}}, "body.fields.number", "is missing"),
        ({"fields": {**GIVEN, "about": "knee"}}, "body.fields.about", "give one of x-ray, other"),
        ({"form": None}, "body.form", "colleague, patient"),
        ({"form": "patients"}, "body.form", "did you mean patient?"),
        ({"text": "beside"}, "body.text", "plain messages"),
        ({"deliver": "email_docter"}, "body.deliver", "did you mean email_doctor?"),
        ({"client": LENOIR}, "body.form", "has no forms"),
        ({"client": LENOIR, "form": None, "fields": {}}, "body.text", "2 to 4000"),
        ({"client": LENOIR, "form": None, "fields": {}, "text": "a\x00b"}, "body.text", "control character"),
        ({"client": LENOIR, "form": None, "fields": {}, "text": "\u202egnp.exe"}, "body.text", "control character"),
        ({"client": LENOIR, "form": None, "fields": {}, "text": "x" * 4_001}, "body.text", "4001 characters"),
        ({"client": LENOIR, "form": None, "text": "hello"}, "body.fields.birth", "such field"),
        ({"id": "7"}, "body.id", "UUID"),
        ({"taken_by": "agent:anne"}, "body.taken_by", "not permitted"),
    ],
)
async def test_what_is_wrong_is_said_of_each_field(
    api: httpx.AsyncClient, changed: dict[str, Any], at: str, reason: str
) -> None:
    """And nothing is kept of it."""
    answer = await api.post("/api/messages", json=by_form(**changed))

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [one for one in answer.json()["errors"] if one["at"] == at and reason in one["reason"]], answer.text
    assert (await api.get("/api/messages")).json()["messages"] == []


@pytest.mark.parametrize("where", ['"text": "a\\ud800"', '"text": "ab", "fields": {"name": "a\\ud800"}'])
async def test_half_a_character(api: httpx.AsyncClient, where: str) -> None:
    """JSON can say what UTF-8 cannot."""
    body = f'{{"id": "{uuid4()}", "client": "{LENOIR}", {where}}}'

    answer = await api.post("/api/messages", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


async def test_too_long_for_any_page(api: httpx.AsyncClient) -> None:
    await post(api, "", by_form(fields={**GIVEN, "words": "x" * 100_000}), 413)


async def test_a_plain_message(api: httpx.AsyncClient) -> None:
    """Of a client without forms: hostile text is kept as it is, on its lines; whatever shows it sees to that."""
    text = "First <script>alert(1)</script>\r\n'; DROP TABLE messages; --\tü 📞"

    kept = await post(api, "", plain(text=f"  {text}\n", fields={"number": "0612340001", "name": "Zoé"}), 201)
    bare = await post(api, "", plain(deliver="doctor"), 201)

    assert kept["text"] == "First <script>alert(1)</script>\n'; DROP TABLE messages; -- ü 📞"
    assert (kept["caller_number"], kept["caller_name"], kept["fields"]) == ("+33612340001", "Zoé", [])
    assert (kept["form"], kept["deliver"], bare["deliver"]) == (None, "", "doctor")
    assert (bare["caller_number"], bare["caller_name"]) == (None, "")


async def test_the_calls_number_is_filled_in(database: Database, tmp_path: Path) -> None:
    """Of a call that ended, and of one in progress; sent again it is the same when more is known of the call."""
    writer = Writer(database)
    await writer.write([replace(answered("1"), client=MOREAU)])

    class Line:
        call = live("2")

    engine = create_engine_app(
        [Line()], CollectorRegistry(), {}, gate=make_gate(), now=lambda: Line.call.clocks.ringing_at
    )
    given = {"name": "Jeanne Martin"}
    corrected = {"fields": {"number": "0199000010"}}
    async with serving(engine) as url, desk(database, tmp_path, url) as api:
        ended = await post(api, "", by_form(call_id="1", fields=given), 201)
        going = await post(api, "", by_form(call_id="2", fields=given), 201)
        strange = await post(api, "", by_form(call_id="3", fields=given), 422)
        unknown = by_form(call_id="3", client=LENOIR, form=None, fields=given, text="Ring back.")
        early = await post(api, "", unknown, 201)
        others = await post(api, "", by_form(call_id="1", client=LENOIR, form=None, fields={}, text="x y"), 422)
        await writer.write([replace(answered("3"), client=LENOIR)])
        late = await post(api, "", unknown, 200)
        of_ended = by_form(call_id="1", fields=given, id=ended["message_id"])
        await post(api, f"/{ended['message_id']}/correct", corrected)
        assert (await post(api, "", of_ended, 200))["caller_number"] == "+33199000010"
        forms = [(await api.get(f"/api/clients/{MOREAU}/forms", params=one)).json() for one in ({}, {"call_id": "2"})]
    writer.close()

    assert (ended["caller_number"], going["caller_number"]) == ("+33612340001", "+33612340001")
    assert (ended["call_id"], going["call_id"]) == ("1", "2")
    assert strange["errors"][0]["at"] == "body.fields.number"
    assert early == late
    assert early["caller_number"] is None
    assert "none of client etude-lenoir's" in others["detail"]
    assert [one["applies"] for one in forms] == ["patient", "colleague"]
    assert [one["caller_number"] for one in forms] == [None, "+33612340001"]


async def test_the_forms_of_a_client(api: httpx.AsyncClient) -> None:
    found = (await api.get(f"/api/clients/{MOREAU}/forms")).json()
    none = (await api.get(f"/api/clients/{LENOIR}/forms")).json()

    assert [one["name"] for one in found["forms"]] == ["colleague", "patient"]
    assert found["forms"][1]["fields"][3] == {
        "name": "about",
        "label": "About",
        "type": "choice",
        "required": False,
        "choices": [{"value": "x-ray", "label": "An X-ray"}, {"value": "other", "label": "Other"}],
    }
    assert found["contacts"][1] == {"name": "doctor", "title": "Dr Moreau"}
    assert (none["forms"], none["applies"]) == ([], None)
    assert (await api.get("/api/clients/nobody/forms")).status_code == 404


async def test_the_whole_trail(api: httpx.AsyncClient, database: Database) -> None:
    """What was said before stays; what is so already is refused, and so is a change of what one has not seen."""
    body = by_form()
    path = f"/{body['id']}"
    await post(api, "", body, 201)

    corrected = await post(
        api, f"{path}/correct", {"fields": {"birth": "6/4/1950", "about": "x-ray"}, "urgent": True, "note": "she rang"}
    )
    done = await post(api, f"{path}/done", {"note": "called back, done"})
    assert "is done already" in (await post(api, f"{path}/done", {}, 409))["detail"]
    await post(api, f"{path}/reopen", {"revision": 3})
    stale = await post(api, f"{path}/reassign", {"deliver": "doctor", "revision": 3}, 409)
    await post(api, f"{path}/reassign", {"deliver": "doctor"})
    same = await post(api, f"{path}/correct", {"fields": {"birth": "1950-04-06"}}, 409)
    wrong = await post(api, f"{path}/correct", {"fields": {"name": ""}}, 422)
    nobody = await post(api, f"{path}/reassign", {"deliver": "docter"}, 422)
    seen = (await api.get(f"/api/messages{path}")).json()
    await asyncio.sleep(1.2)
    trail = await list_audit(database, client=MOREAU)

    assert (corrected["revision"], corrected["urgent"], done["state"]) == (2, True, "done")
    assert [one["value"] for one in corrected["fields"]][2:4] == ["1950-04-06", "x-ray"]
    assert (seen["state"], seen["deliver"], seen["revision"]) == ("open", "doctor", 5)
    assert [one["change"] for one in seen["changes"]] == ["corrected", "done", "reopened", "reassigned"]
    assert seen["changes"][0]["before"] == {"fields": KEPT, "urgent": False}
    assert (seen["changes"][0]["note"], seen["changes"][0]["principal"]) == ("she rang", "operator")
    assert seen["changes"][3]["before"] == {"deliver": "email_doctor"}
    assert ("changed meanwhile" in stale["detail"], "says that already" in same["detail"]) == (True, True)
    assert wrong["errors"] == [{"at": "body.fields.name", "reason": "is missing: ask the caller for it (Name)"}]
    assert "did you mean doctor?" in nobody["detail"]
    assert sorted(row.deed.action for row in trail.rows) == ["message.change"] * 4 + ["message.take"]


@pytest.mark.parametrize(("more", "opens"), [({}, False), ({"number": "+33612340001"}, True), ({"pin": "DR"}, True)])
async def test_who_could_not_open_what_was_confidential_is_named(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], opens: bool
) -> None:
    """It stays so whoever it is for; whoever gave it away is told that they must tell them."""
    made = replace(plan(MOREAU, PATIENT), people={"doctor": Reach(name="doctor", title="Dr M", email="m@x.fr", **more)})
    monkeypatch.setattr(Plans, "live", lambda self, client: _as_it_is(made))
    body, plain_ = by_form(), by_form()
    for one in (body, plain_):
        await post(api, "", one, 201)
    async with database.connection() as connection:
        change = "UPDATE dispatches SET policy = '{\"confidential\": true}' WHERE message_id = :id"
        await connection.execute(text(change), {"id": body["id"]})

    seen = await post(api, f"/{body['id']}/reassign", {"deliver": "doctor"})
    others = await post(api, f"/{plain_['id']}/reassign", {"deliver": "doctor"})

    assert others["warnings"] == []
    assert len(seen["warnings"]) == (0 if opens else 1)
    assert opens or "Dr M cannot open the link that comes by e-mail" in seen["warnings"][0]


async def test_a_plain_message_is_corrected(api: httpx.AsyncClient) -> None:
    body = plain(fields={"number": "0612340001", "name": "Zoé"})
    await post(api, "", body, 201)

    seen = await post(api, f"/{body['id']}/correct", {"fields": {"name": "Zoë"}, "text": "Ring back at noon."})

    assert (seen["text"], seen["caller_name"], seen["caller_number"]) == ("Ring back at noon.", "Zoë", "+33612340001")
    assert seen["changes"][0]["before"] == {"text": "Ring back.", "caller_name": "Zoé"}


async def test_a_message_whose_form_has_changed(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fields are what they were then: texts, by the labels they had."""
    body = by_form()
    await post(api, "", body, 201)
    fewer = replace(PATIENT, fields=PATIENT.fields[:2])
    monkeypatch.setattr(Plans, "live", lambda self, client: _as_it_is(plan(client, fewer)))

    seen = await post(api, f"/{body['id']}/correct", {"fields": {"words": "Her other X-ray"}})

    assert {one["name"]: one["value"] for one in seen["fields"]} == KEPT | {"words": "Her other X-ray"}
    assert (seen["text"], seen["caller_number"]) == ("Her other X-ray", "+33612340001")


async def _as_it_is(value: Plan) -> Plan:
    return value


async def token(database: Database, name: str, kind: ScopeKind, of: str, *may: Permission) -> str:
    return await create_token(database, name, permissions=may, scope=Scope(kind, frozenset({of})), by="test")


async def test_a_stranger_sees_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    """Of another client: 403 by its name, 404 by a message's id; of another team 404."""
    writer = Writer(database)
    await writer.write([replace(answered("1"), client=MOREAU)])
    writer.close()
    all_ = (Permission.MESSAGE_READ, Permission.MESSAGE_TAKE, Permission.MESSAGE_CHANGE)
    tokens = [
        await token(database, "lenoir", ScopeKind.CLIENTS, LENOIR, *all_),
        await token(database, "legal", ScopeKind.TEAMS, "legal", *all_),
        await token(database, "medical", ScopeKind.TEAMS, "medical", *all_),
        await token(database, "reader", ScopeKind.CLIENTS, MOREAU, Permission.MESSAGE_READ),
    ]
    body = by_form(call_id="1", fields={"name": "Jeanne Martin"})
    changes = [("correct", {"urgent": True}), ("done", {}), ("reopen", {}), ("reassign", {"deliver": "doctor"})]
    async with desk(database, tmp_path) as api:

        async def as_(who: int, method: str, path: str, json: Any = None) -> int:
            headers = {"Authorization": f"Bearer {tokens[who]}"}
            return (await api.request(method, path, json=json, headers=headers)).status_code

        path = f"/api/messages/{body['id']}"
        assert await as_(0, "POST", "/api/messages", body) == 403
        assert await as_(1, "POST", "/api/messages", body) == 404
        assert await as_(1, "POST", "/api/messages", body | {"call_id": "9"}) == 404
        assert await as_(2, "POST", "/api/messages", body | {"call_id": None}) == 422
        assert await as_(3, "POST", "/api/messages", body) == 403
        assert await as_(2, "POST", "/api/messages", body) == 201
        assert [await as_(who, "GET", path) for who in range(4)] == [404, 404, 200, 200]
        for what, said in changes:
            assert [await as_(who, "POST", f"{path}/{what}", said) for who in (0, 1, 3)] == [404, 404, 403]
        assert await as_(2, "POST", f"{path}/done", {"note": "called back"}) == 200
        assert [await as_(who, "GET", f"/api/clients/{MOREAU}/forms") for who in range(4)] == [403, 422, 422, 403]
        assert await as_(2, "GET", f"/api/clients/{MOREAU}/forms?call_id=1") == 200
        assert await as_(0, "GET", f"/api/clients/{LENOIR}/forms") == 200


async def test_while_postgresql_is_away(database: Database, tmp_path: Path) -> None:
    """It is on disk: 202. What nobody can know is 503, and no message."""
    nowhere = Database(database.url.set(database="nowhere"))
    body = by_form()
    async with desk(database, tmp_path, record=nowhere) as api:
        kept = await post(api, "", body, 202)
        again = await post(api, "", body, 202)
        other = await post(api, "", body | {"urgent": True}, 409)
        (tmp_path / "x").touch()
    await nowhere.close()

    assert kept == again
    assert kept["message_id"] == body["id"]
    assert "kept on disk" in kept["detail"]
    assert "is another one" in other["detail"]


async def test_an_application_that_takes_none(database: Database) -> None:
    async with (
        serving(web(database, taking=Taking.nowhere())) as base,
        plain_client(base_url=base, headers=AUTHORISED) as client,
    ):
        answer = await client.post("/api/messages", json=by_form())

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
