"""The API over HTTP, reading a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter.api.auth import Gate
from callrouter.api.engine_app import create_engine_app
from callrouter.api.engine_client import EngineClient
from callrouter.api.messages.desk import Taking
from callrouter.api.web_app import create_web_app
from callrouter.app.versions import KeptPlans
from callrouter.core.call import Call, Disposition, Offer, OfferOutcome, Revision, replace
from callrouter.core.explain import explain
from callrouter.core.service_level import Formula, Promise
from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.errors import Busy
from callrouter.store.access.recordings import Recordings
from callrouter.store.access.tokens import TokenBook
from callrouter.store.access.trail import AuditTrail
from callrouter.store.apart import Workshop
from callrouter.store.database import Database
from callrouter.store.plans import StoredPlan, WentLive, remember_live
from callrouter.store.writing.writer import Writer
from deploy.demo.plain_http import plain_client
from tests.patience import ANSWER_SECONDS

from .plans import SHORT, AtOnce, Plans
from .serving import TOKEN, make_gate, serving
from .stories import HOSTILE_NAME, TUESDAY, abandoned, after, answered, live, message_left

AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}
DIALPLANS = Path(__file__).parents[2] / "dialplans"
NOWHERE = "http://127.0.0.1:9"
DAY = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"}


VERSION = "5f2d3c9a10be"
"""That the calls of the stories walked."""
PROMISE = Promise(timezone="Europe/Paris")


def web(
    database: Database,
    engine_url: str = NOWHERE,
    *,
    folder: Path = Path("nowhere"),
    gate: Gate | None = None,
    taking: Taking | None = None,
    workshop: Workshop | None = None,
    sms_receipt_key: bytes | None = None,
    sms_replies: bool = False,
    secrets: Mapping[str, str] | None = None,
) -> FastAPI:
    plans = KeptPlans(database, PaperSpeech(), "FR")
    recorded = Recordings(database, folder, AuditTrail(database))
    gate = gate or make_gate(tokens=TokenBook(database))
    taking = taking or Taking(Plans(SHORT), AtOnce(database))
    return create_web_app(
        database,
        plans,
        EngineClient(engine_url, TOKEN, timeout_seconds=ANSWER_SECONDS),
        recorded,
        gate=gate,
        taking=taking,
        workshop=workshop,
        sms_receipt_key=sms_receipt_key,
        sms_replies=sms_replies,
        secrets=secrets,
    )


async def keep(database: Database, version: str = VERSION, promise: Promise = PROMISE, *, live: bool = False) -> None:
    """Have the record know a version of Moreau's plan, and what it promises; `live`: it is in service."""
    plan = StoredPlan(client="cabinet-moreau", version=version, document="", first_live_at=TUESDAY, promise=promise)
    went = WentLive(client=plan.client, version=version, live_at=TUESDAY, why="saved")
    await remember_live(database, [plan], [went] if live else [])


@pytest.fixture
async def write(database: Database) -> AsyncIterator[Callable[..., Any]]:
    """Puts calls into the record, as the recorder does."""
    writer = Writer(database)

    async def put(*calls: Call) -> None:
        assert await writer.write(list(calls)) == []

    yield put
    writer.close()


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running API, with its token."""
    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        yield client


async def got(api: httpx.AsyncClient, path: str, **params: str | int) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_calls_newest_first_and_as_they_were(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    await write(answered("1"), abandoned("2", start=after(60)))

    second, first = (await got(api, "/api/calls"))["calls"]

    assert (first["call_id"], second["call_id"]) == ("1", "2")
    assert first["disposition"] == "answered"
    assert first["clocks"] == {
        "ringing_at": "2026-11-24T09:00:00Z",
        "answered_at": "2026-11-24T09:00:00.500000Z",
        "entered_service_at": "2026-11-24T09:00:12Z",
        "offered_at": "2026-11-24T09:00:13Z",
        "bridged_at": "2026-11-24T09:00:20Z",
        "ended_at": "2026-11-24T09:01:20Z",
    }
    assert (first["waiting_seconds"], first["talk_seconds"], first["agent"]) == (8, 60, "agent-1")
    assert first["path"] == ["hours", "welcome"]


async def test_calls_filtered(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    await write(answered("1"), abandoned("2", start=after(60)), answered("3", client="etude-lenoir", start=after(120)))

    async def ids(**params: str) -> list[str]:
        return [call["call_id"] for call in (await got(api, "/api/calls", **params))["calls"]]

    assert await ids(client="etude-lenoir") == ["3"]
    assert await ids(disposition="abandoned") == ["2"]
    assert await ids(**{"from": "2026-11-24T09:01:00Z"}) == ["3", "2"]
    assert await ids(to="2026-11-24T09:01:00Z") == ["1"]
    assert await ids(**{"from": "2026-11-24T10:01:00+01:00", "to": "2026-11-24T10:01:01+01:00"}) == ["2"]
    assert (await api.get("/api/calls", params={"client": "nobody"})).status_code == 404


async def test_pages_hold_every_call_once(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    await write(*(answered(f"c{n:02}", start=after(n // 3)) for n in range(25)))

    seen: list[str] = []
    params: dict[str, str | int] = {"limit": 10}
    while True:
        page = await got(api, "/api/calls", **params)
        seen += [call["call_id"] for call in page["calls"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert len(seen) == 25
    assert set(seen) == {f"c{n:02}" for n in range(25)}


async def test_one_call_explains_itself(api: httpx.AsyncClient, database: Database, write: Callable[..., Any]) -> None:
    await keep(database)
    await write(answered("1", name=HOSTILE_NAME), message_left("2"))

    one, two = await got(api, "/api/calls/1"), await got(api, "/api/calls/2")

    assert one["caller"]["name"] == HOSTILE_NAME
    assert one["variables"] == {"postcode": "75011"}
    assert [visit["exit"] for visit in one["visits"]] == ["open", "key:2"]
    assert one["queue_visits"][0]["outcome"] == "answered"
    assert one["explanation"] == [
        "10:00:00  hours → open (Tue 10:00)",
        "10:00:12  welcome → key:2 (key 2)",
        "10:00:12  waits in queue medical",
        "10:00:20  answered by agent-1 after 8 s",
        "10:01:20  leaves queue medical: answered",
        "10:01:20  ended: answered",
    ]
    assert two["dials"][0]["outcome"] == "no_answer"
    assert (two["messages"][0]["recording"], two["messages"][0]["message_id"], two["messages"][0]["form"]) == (
        "2-1",
        "2.m1",
        "",
    )


async def test_one_call_names_each_offer(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """Also those that nobody answered; a page of calls does not carry them."""
    call = answered("1")
    at = call.queue_visits[0].entered_at
    ring: dict[str, Any] = {"queue": "medical", "began_at": at, "ended_at": at}
    offers = (
        Offer(number=1, agent="agent-2", outcome=OfferOutcome.REFUSED, cause=17, **ring),
        Offer(number=2, agent="agent-1", outcome=OfferOutcome.ANSWERED, **ring),
    )
    await write(replace(call, offers=offers, offers_made=2))

    one = await got(api, "/api/calls/1")

    assert [(offer["number"], offer["agent"], offer["outcome"], offer["cause"]) for offer in one["offers"]] == [
        (1, "agent-2", "refused", 17),
        (2, "agent-1", "answered", 0),
    ]
    assert "09:00:12  agent-2 was rung for 0 s: refused" in one["explanation"]


async def test_one_call_is_explained_by_the_plan_it_walked(
    api: httpx.AsyncClient, database: Database, write: Callable[..., Any]
) -> None:
    """Made again of the documents that were kept with its version: there is no folder here."""
    catalogue = load_directory(DIALPLANS, PaperSpeech())
    plan = catalogue.plans["cabinet-moreau"]
    documents = {name: catalogue.documents[name].decode() for name in catalogue.uses[plan.client]}
    stored = StoredPlan(
        client=plan.client,
        version=plan.version,
        document=documents[plan.source],
        first_live_at=TUESDAY,
        source=plan.source,
        documents=documents,
        promise=plan.promise,
    )
    await remember_live(database, [stored], [])
    call = replace(answered("1"), plan_version=plan.version)
    await write(call)

    told = (await got(api, "/api/calls/1"))["explanation"]

    assert told == explain(call, plan)
    assert told[0].startswith("10:00:00  hours (cabinet-moreau.yaml:")


async def test_a_call_that_is_not_there(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/calls/1795427775-42-518203")

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("there is no call 1795427775-42-518203 in the record")


async def test_messages(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    await write(answered("1"), message_left("2"), message_left("3", start=after(600)))

    page = await got(api, "/api/messages", client="cabinet-moreau", limit=1)
    rest = await got(api, "/api/messages", client="cabinet-moreau", limit=1, cursor=page["next_cursor"])

    assert page["messages"] == [
        {
            "message_id": "3.m1",
            "call_id": "3",
            "client": "cabinet-moreau",
            "state": "open",
            "urgent": False,
            "taken_at": "2026-11-24T09:10:44.200000Z",
            "taken_by": "",
            "caller_number": "+33612340001",
            "caller_name": "Jeanne Martin",
            "text": "",
            "form": None,
            "fields": [],
            "deliver": "email_doctor",
            "recording": "3-1",
            "seconds": 4.2,
            "transcript": "",
            "transcript_by": "",
            "started_at": "2026-11-24T09:10:40Z",
            "node": "take_message",
            "revision": 1,
        }
    ]
    assert [message["call_id"] for message in rest["messages"]] == ["2"]
    assert (await got(api, "/api/messages", client="cabinet-moreau", to="2020-01-01"))["messages"] == []


@pytest.mark.parametrize(
    ("path", "params", "at"),
    [
        ("/api/calls", {"limit": "501"}, "query.limit"),
        ("/api/calls", {"limit": "0"}, "query.limit"),
        ("/api/calls", {"client": "x'; DROP TABLE calls"}, "query.client"),
        ("/api/calls", {"disposition": "lost"}, "query.disposition"),
        ("/api/calls", {"from": "2026-11-24T09:00:00"}, "query.from"),
        ("/api/calls", {"from": "yesterday"}, "query.from"),
        ("/api/calls", {"from": DAY["to"], "to": DAY["from"]}, "query.from"),
        ("/api/calls", {"from": "0001-01-01T00:00:00+14:00"}, "query.from"),
        ("/api/calls", {"to": "9999-12-31T23:59:59-14:00"}, "query.to"),
        ("/api/messages", {"from": "1999-12-31T23:59:59Z"}, "query.from"),
        ("/api/callbacks", {"to": "2101-01-01T00:00:00Z"}, "query.to"),
        ("/api/stats", {"to": "0001-01-01T00:00:00Z"}, "query.to"),
        ("/api/stats", {"from": "9999-12-31T23:59:59Z"}, "query.from"),
        ("/api/calls", {"cursor": "nonsense"}, "cursor"),
        # ["0001-01-01T00:00:00+14:00", "a"]
        ("/api/calls", {"cursor": "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgImEiXQ"}, "cursor"),
        # ["2026-11-24T00:00:00+00:00", "\\ud800"], half a character that has no UTF-8
        ("/api/calls", {"cursor": "WyIyMDI2LTExLTI0VDAwOjAwOjAwKzAwOjAwIiwgIlx1ZDgwMCJd"}, "cursor"),
        ("/api/messages", {"cursor": "nonsense"}, "cursor"),
        ("/api/stats", {"client": "é"}, "query.client"),
        ("/api/stats", {"from": DAY["to"], "to": DAY["from"]}, "query.from"),
        ("/api/reports", {"from": DAY["to"], "to": DAY["from"]}, "ends before it begins"),
        ("/api/reports", {"month": "2026-13"}, "is no month"),
        ("/api/reports", {"last": "7y"}, "write 7d"),
        ("/api/reports", {"month": "2026-10", "last": "7d"}, "leave one out"),
        ("/api/reports", {"sort": "nothing"}, "there is no column"),
        ("/api/reports", {"timezone": "Europe/Nowhere"}, "is no time zone"),
        ("/api/reports", {"format": "table"}, "for terminals"),
        ("/api/reports", {"by": "moon"}, "query.by"),
    ],
)
async def test_wrong_questions_are_told_what_is_wrong(
    api: httpx.AsyncClient, path: str, params: dict[str, str], at: str
) -> None:
    answer = await api.get(path, params=params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert at in answer.json()["detail"]


@pytest.mark.parametrize(
    "params", [{"from": "2000-01-01T00:00:00+14:00"}, {"to": "2100-12-31T23:59:59-14:00"}], ids=["first", "last"]
)
@pytest.mark.parametrize("path", ["/api/calls", "/api/messages", "/api/callbacks", "/api/stats", "/api/reports"])
async def test_the_first_and_the_last_instant(api: httpx.AsyncClient, path: str, params: dict[str, str]) -> None:
    await got(api, path, **params)


@pytest.mark.parametrize("path", ["/api/calls", "/api/messages", "/api/callbacks", "/api/stats", "/api/reports"])
async def test_a_client_that_was_never_live(api: httpx.AsyncClient, database: Database, path: str) -> None:
    """Nothing of nobody is no answer; a client that is live has none yet."""
    await keep(database, live=True)

    answer = await api.get(path, params={"client": "cabinet-moraeu"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "there is no client cabinet-moraeu" in answer.json()["detail"]
    await got(api, path, client="cabinet-moreau")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((path, "since") for path in ("/api/calls", "/api/messages", "/api/callbacks", "/api/stats", "/api/live")),
        ("/api/calls/1", "client"),
        ("/api/messages", "agent"),
        ("/api/calls", "from_at"),
        ("/api/calls", "Client"),
    ],
)
async def test_an_unknown_parameter_is_refused(api: httpx.AsyncClient, path: str, name: str) -> None:
    """Everybody's calls would be the answer to another question."""
    answer = await api.get(path, params={name: "1"})

    assert answer.status_code == 422
    assert f"query.{name}: there is no such parameter; this page " in answer.json()["detail"]
    assert (await api.get(path, params={name: "1"}, headers={"Authorization": "Bearer no"})).status_code == 401


@pytest.mark.parametrize("path", ["calls", "messages", "callbacks", "stats"])
@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("client=a&client=b", "query.client: stands here twice"),
        ("from=2026-11-24T00:00:00Z&from=2026-11-25T00:00:00Z", "query.from: stands here twice"),
        ("from=", "query.from: is empty"),
        ("to=%20", "query.to: is empty"),
        ("client=", "query.client: is empty"),
    ],
)
async def test_a_parameter_that_would_be_passed_over_is_refused(
    api: httpx.AsyncClient, path: str, query: str, wrong: str
) -> None:
    """Of two values one would not be asked for; of none, everybody's calls would be the answer."""
    answer = await api.get(f"/api/{path}?{query}")

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(wrong)


async def test_calls_are_found_by_what_they_went_through(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """By caller, DID, agent, queue, node and disposition; a number may be written with a bare plus."""
    one, two, three = answered("1"), answered("2"), message_left("3")
    visit = replace(two.queue_visits[0], queue="night", agent="zoé")
    two = replace(two, queue_visits=(*two.queue_visits, visit), did="+33199000099")
    await write(one, two, replace(three, caller=replace(three.caller, number="+33612349999")))

    async def ids(**params: str) -> list[str]:
        return [call["call_id"] for call in (await got(api, "/api/calls", **params))["calls"]]

    agent, queue = one.queue_visits[0].agent or "", one.queue_visits[0].queue
    assert await ids(caller="+33612349999") == ["3"]
    assert [call["call_id"] for call in (await api.get("/api/calls?caller=+33612349999")).json()["calls"]] == ["3"]
    assert await ids(caller="06 12 34 99 99") == await ids(caller="0033612349999") == ["3"]
    assert await ids(did="+33199000099") == await ids(did="01 99 00 00 99") == ["2"]
    assert sorted(await ids(agent=agent)) == ["1", "2"]
    assert await ids(agent="zoé") == ["2"]
    month = {"client": one.client, "from": "2026-11-01", "to": "2026-12-01"}
    assert await ids(agent="zoé", queue="night", **month) == ["2"]
    assert await ids(agent="zoé", queue=queue, **month) == []
    assert await ids(node=three.visits[-1].node, disposition="message_left", **month) == ["3"]
    assert await ids(node="nowhere", **month) == []
    assert (await api.get("/api/calls", params={"agent": "a\x00"})).status_code == 422


@pytest.mark.parametrize(
    "query", ["queue=night", "node=take&client=cabinet-moreau", "queue=night&from=2026-11-01T00:00Z"]
)
async def test_queues_and_nodes_are_asked_of_a_client_and_a_month(api: httpx.AsyncClient, query: str) -> None:
    """Anything else would read the record from its beginning; the answer says how to ask."""
    answer = await api.get(f"/api/calls?{query}")

    assert answer.status_code == 422
    assert "within one client and 31 days: name a client, and a period" in answer.json()["detail"]


async def test_what_is_known_already_is_not_sent_again(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """A page of a period that is over, and figures, until a call comes late; a page of now is always sent."""
    await write(answered("1"))
    for path in ("/api/calls?from=2026-11-24T00:00Z&to=2026-11-25T00:00Z", "/api/stats?from=2026-11-24T00:00Z"):
        first = await api.get(path)
        known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
        again = await api.get(path, headers=known)
        await write(answered(path[-9:]))
        late = await api.get(path, headers=known)

        assert first.status_code == late.status_code == 200
        assert first.headers["cache-control"] == "private, no-cache"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"] != late.headers["etag"]
    assert "etag" not in (await api.get("/api/calls")).headers


async def test_figures_come_in_pages_of_clients(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """By name; all of them, unless a limit is given."""
    await write(*(replace(answered(str(number)), client=f"client-{number}") for number in (2, 1, 3)))
    period = {"from": "2026-11-24T00:00Z"}

    whole = await got(api, "/api/stats", **period)
    first = await got(api, "/api/stats", limit=2, **period)
    second = await got(api, "/api/stats", limit=2, cursor=first["next_cursor"], **period)

    assert [one["client"] for one in whole["clients"]] == ["client-1", "client-2", "client-3"]
    assert whole["clients"] == first["clients"] + second["clients"]
    assert (whole["next_cursor"], first["next_cursor"], second["next_cursor"]) == (None, "client-2", None)


async def test_whoever_asks_for_a_report_when_too_many_wait_is_told_so(database: Database) -> None:
    """With 503, when to come again, and nothing about PostgreSQL."""

    class Full:
        async def run(self, job: Any, *args: Any, **kwargs: Any) -> Any:
            raise Busy("18 reports are being made or wait already: ask again in some seconds")

    app = web(database, workshop=Full())
    async with serving(app) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        answer = await client.get("/api/stats")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "ask again" in answer.json()["detail"]


async def test_days_are_those_of_the_client(
    api: httpx.AsyncClient, database: Database, write: Callable[..., Any]
) -> None:
    """In lists and figures: the day begins at 23:00 UTC in Paris, where Moreau is."""
    await keep(database, live=True)
    midnight = -9 * 3600 - 3600  # of the stories' ten o'clock in Paris
    await write(answered("1", start=after(midnight)), answered("2", start=after(midnight - 1)))

    day: dict[str, Any] = {"from": "2026-11-24", "to": "2026-11-25", "client": "cabinet-moreau"}
    assert [call["call_id"] for call in (await got(api, "/api/calls", **day))["calls"]] == ["1"]
    del day["to"]
    assert (await got(api, "/api/stats", **day))["clients"][0]["received"] == 1
    del day["client"]
    assert (await got(api, "/api/stats", **day))["clients"][0]["from_at"] == "2026-11-23T23:00:00Z"
    refused = await api.get("/api/calls", params=day)
    assert refused.status_code == 422
    assert "query.from: clients have time zones of their own" in refused.json()["detail"]


async def test_figures_with_what_they_were_made_with(
    api: httpx.AsyncClient, database: Database, write: Callable[..., Any]
) -> None:
    """Two answered (one within 20 s), one abandoned after 9 s, one short, one message: 1 of 4, and 2 of 4."""
    await keep(database, live=True)
    await write(
        answered("1", wait=8), answered("2", wait=30), abandoned("3", wait=9), abandoned("4", wait=2), message_left("5")
    )
    await write(answered("6", client="etude-lenoir"), answered("7", start=after(-86400)))

    found = await got(api, "/api/stats", **DAY)
    (one,) = (await got(api, "/api/stats", client="cabinet-moreau", **{"from": "2020-01-01"}))["clients"]

    moreau, lenoir = found["clients"]
    assert (moreau["client"], lenoir["client"]) == ("cabinet-moreau", "etude-lenoir")
    assert moreau["received"] == sum(moreau["by_disposition"].values()) == 5
    assert (moreau["offered"], moreau["answered"], moreau["abandoned"], moreau["short_abandoned"]) == (5, 2, 2, 1)
    assert moreau["overflowed"] == 1
    assert moreau["service_level"] == 0.25
    assert moreau["service_levels"]["answered_only"] == 0.5
    assert moreau["pickup_rate"] == 0.5
    assert moreau["asa_seconds"] == 19
    assert moreau["waiting_max_seconds"] == 30
    assert [moreau[f"abandoned_waiting_{name}_seconds"] for name in ("mean", "p50", "max")] == [5.5, 5.5, 9]
    assert moreau["basis"].startswith("short_abandon_excluded: T = 20 s, short abandon below 5 s")
    assert (found["from_at"], found["to_at"], found["gaps"]) == ("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", [])
    assert (one["received"], one["service_level"], one["asa_seconds"]) == (0, None, None)
    (part,) = moreau["promises"]
    assert part["promise"] == {**moreau["target"], "clock": "entered_service", "timezone": "Europe/Paris"}
    assert {name: part[name] for name in part.keys() & moreau.keys()} == {
        name: moreau[name] for name in part.keys() & moreau.keys()
    }
    assert lenoir["promises"][0]["promise"] is None
    assert lenoir["basis"].endswith("the default, because no promise is known for the plan these calls walked")


async def test_a_promise_that_changed(api: httpx.AsyncClient, database: Database, write: Callable[..., Any]) -> None:
    """The same wait, judged by the version each call walked; no service level over both."""
    await keep(database)
    await keep(database, "later", Promise(within_seconds=40, formula=Formula.STRICT, timezone="Europe/Paris"))
    await write(answered("1", wait=30), replace(answered("2", wait=30, start=after(60)), plan_version="later"))

    (moreau,) = (await got(api, "/api/stats", **DAY))["clients"]

    assert (moreau["received"], moreau["answered"], moreau["answered_within"]) == (2, 2, 1)
    assert (moreau["target"], moreau["service_level"], moreau["waiting_p90_seconds"]) == (None, None, 30)
    first, second = moreau["promises"]
    assert (first["target"]["within_seconds"], first["received"], first["service_level"]) == (20, 1, 0)
    assert (second["target"]["within_seconds"], second["received"], second["service_level"]) == (40, 1, 1)
    assert second["basis"].startswith("strict: T = 40 s")


async def test_a_clock_that_was_set_back_hides_no_calls(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """A wait and a conversation that ended before they began: nobody waited for less than nothing."""
    waited, talked = answered("waited", wait=-3600), answered("talked")
    visit = replace(talked.queue_visits[0], left_at=after(-3600))
    clocks = replace(talked.clocks, ended_at=after(-3600))
    await write(waited, replace(talked, queue_visits=(visit,), clocks=clocks))

    page = await got(api, "/api/calls", **DAY)
    (stats,) = (await got(api, "/api/stats", **DAY))["clients"]

    found = {call["call_id"]: (call["waiting_seconds"], call["talk_seconds"]) for call in page["calls"]}
    assert found == {"waited": (0.0, 60.0), "talked": (8.0, 0.0)}
    assert (stats["asa_seconds"], stats["aht_seconds"]) == (4.0, 30.0)
    assert (await got(api, "/api/calls/talked"))["talk_seconds"] == 0.0


async def test_live_calls_come_from_the_engine(database: Database) -> None:
    @dataclass
    class Line:
        call: Call

    engine = create_engine_app([Line(live("1"))], CollectorRegistry(), {}, gate=make_gate(), now=lambda: TUESDAY)
    async with serving(engine) as engine_url, serving(web(database, engine_url)) as base:
        answer = httpx.Response(200)
        async with plain_client(base_url=base, headers=AUTHORISED) as client:
            answer = await client.get("/api/live")

    assert [call["call_id"] for call in answer.json()["calls"]] == ["1"]


async def test_an_engine_that_is_away_is_a_sentence(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/live")

    assert answer.status_code == 502
    assert answer.json()["detail"].startswith(f"the engine at {NOWHERE} does not answer")


@pytest.mark.parametrize("path", ["/api/calls", "/api/calls/1", "/api/messages", "/api/live", "/api/stats"])
async def test_nothing_is_shown_without_the_token(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path, headers={"Authorization": "Bearer another"})

    assert answer.status_code == 401
    assert answer.json()["title"] == "Unauthorized"


async def test_alive_ready_and_then_without_its_database(api: httpx.AsyncClient, database: Database) -> None:
    alive, ready = await api.get("/health"), await api.get("/ready")
    async with database.connection() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from_the_future'")
        await connection.exec_driver_sql(
            "COMMENT ON TABLE alembic_version IS 'callrouter: releases whose schema is at 9999 or later run on it'"
        )
    newer = await api.get("/ready")

    assert (alive.status_code, ready.status_code, newer.status_code) == (200, 200, 503)
    assert list(newer.json()["checks"]) == ["database"]


async def test_a_database_that_went_away_is_a_problem_and_no_traceback() -> None:
    from sqlalchemy.engine import make_url

    gone = Database(make_url("postgresql://callrouter:hunter2@127.0.0.1:9/calls"))
    async with serving(web(gone)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        answer, ready = await client.get("/api/calls"), await client.get("/ready")
    await gone.close()

    async with serving(web(gone)) as base, plain_client(base_url=base) as stranger:
        quiet = [await stranger.get(path) for path in ("/ready", "/api/calls", "/nowhere")]
    await gone.close()

    assert [one.status_code for one in quiet] == [503, 401, 404]
    assert not [one for one in quiet if "callrouter@" in one.text or "127.0.0.1" in one.text or "postgres" in one.text]
    for one in (answer, ready):
        assert one.status_code == 503
        assert one.headers["content-type"] == "application/problem+json"
        assert "cannot be used" in one.json()["detail"]
        assert "hunter2" not in one.text
        assert "Traceback" not in one.text


async def test_what_was_said_otherwise_of_a_call(api: httpx.AsyncClient, write: Callable[..., Any]) -> None:
    """By whoever knew less; of a call that there is not, nothing."""
    call = replace(answered("1"), plan_version=VERSION)
    await write(replace(call, revision=Revision(100, 3)))
    await write(replace(call, revision=Revision(200, 1), disposition=Disposition.REDIRECTED))
    (before,) = (await got(api, "/api/calls/1/superseded"))["superseded"]

    assert (before["epoch"], before["revision"], before["record"]["disposition"]) == (100, 3, "answered")
    assert (await got(api, "/api/calls/1"))["disposition"] == "redirected"
    assert (await api.get("/api/calls/2/superseded")).status_code == 404
