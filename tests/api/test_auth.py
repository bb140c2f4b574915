"""Who is let in: every route of both applications, by permission and scope; guesses, floods, proxies, the trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callrouter.api import auth
from callrouter.api.auth import NOBODY, PERMISSION, UNKNOWN, Gate, network_of
from callrouter.api.control.here import ControlledHere
from callrouter.api.engine_app import Operations, create_engine_app
from callrouter.api.supervision.here import OverseenHere
from callrouter.api.supervision.schemas import Act
from callrouter.app.http import HttpServer
from callrouter.app.wiring.listening import listen
from callrouter.asterisk.pbx.maintenance import Drained
from callrouter.asterisk.teams.handover import Handover
from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Call, Callback, Message, QueueVisit, replace
from callrouter.core.plan import Plan
from callrouter.permissions import ABOUT, EVERYTHING, Permission, Scope, ScopeKind
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import TokenBook, create_token, revoke_token
from callrouter.store.access.trail import AuditTrail
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome
from callrouter.store.writing.writer import Writer
from callrouter.stream.frames import MEDIA_TYPE
from deploy.demo.plain_http import plain_client
from tests.consumption.made import HEAD, NOT_BILLED
from tests.store.consumption.made import OCTOBER, PER_CALL, has_tariff, issued
from tests.store.dispatch.rows import ask as tell_system

from .agents_at_work import SomeAgents
from .serving import TOKEN, Noted, make_gate, serving
from .stories import abandoned, after, answered, live
from .test_web_app import web

BY_LINK = {"/m/{token}", *(f"/m/{{token}}/{what}" for what in ("code", "show", "acknowledge", "recording"))}
"""Pages for whoever was sent a link: test_links.py."""
PUBLIC = {"/health", "/ready", "/metrics", *BY_LINK}
"""Pages for anybody, which say nothing of callers, clients or hosts."""
MOREAU, LENOIR = "cabinet-moreau", "etude-lenoir"
INVOICE = "2027-00001"
OF_LENOIR = "lenoir-7"
"""A call of the other client."""
LIVE_OF_LENOIR = "lenoir-8"
"""One of theirs that goes on."""
IN_PROGRESS = (*Act, *Control)
"""Ends of paths where something is done in a call that goes on."""
PAST = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


class Obeying:
    """A PBX that does whatever is asked in a conversation."""

    async def do(self, *asked: object) -> None: ...

    async def set(self, *asked: object) -> None: ...

    async def leave(self, *asked: object) -> None: ...


class Draining:
    """A PBX that is drained at once."""

    async def set(self, *, draining: bool) -> Drained:
        return await self.look()

    async def look(self) -> Drained:
        return Drained(trunks=["trunk"], in_maintenance=[], calls=0, channels=0)


class Ticking:
    """Seconds that run as fast as a test likes."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


def of_client(call: Call, client: str, queue: str) -> Call:
    """A call with a message, a wish and a visit to the client's team."""
    message = Message(recording=f"{call.call_id}-0", node="note", deliver="", started_at=after(40), seconds=4.2)
    wish = Callback(number="+33612340009", node="back", asked_at=after(50))
    visits = tuple(replace(visit, queue=queue) for visit in call.queue_visits)
    return replace(call, client=client, queue_visits=visits, messages=(message,), callbacks=(wish,))


PLAN = Plan(client=MOREAU, name="M", version="1", numbers=(), timezone="UTC", language="en", start="", nodes={})
CALLS = [
    of_client(answered("moreau-1"), MOREAU, "medical"),
    of_client(answered(OF_LENOIR), LENOIR, "legal"),
]
GAVE_UP = [
    of_client(abandoned("moreau-3"), MOREAU, "medical"),
    of_client(abandoned("lenoir-9"), LENOIR, "legal"),
]
LIVE = [
    of_client(live("moreau-2"), MOREAU, "medical"),
    of_client(live(LIVE_OF_LENOIR), LENOIR, "legal"),
]


@dataclass
class Apps:
    """Both applications at work, on one record and one trail."""

    web: str
    engine: str
    paths: list[tuple[str, str, dict[str, Any]]]
    """Base URL, path, and the operations by method."""
    noted: Noted

    def operations(self) -> Iterator[tuple[str, str, str, Permission]]:
        """Base URL, method, path and permission of each that is not for anybody."""
        for base, path, methods in self.paths:
            for method, operation in methods.items():
                if path not in PUBLIC:
                    yield base, method, path, Permission(operation[PERMISSION])


def engine_app(gate: Gate, *calls: Call) -> FastAPI:
    async def status() -> Any:
        raise AssertionError("nobody gets here without a permission")

    async def reload() -> None:
        raise AssertionError("nobody gets here without a permission")

    going_on, pbx = LiveCalls(), Obeying()
    for call in calls:
        going_on.add(LiveCall(call, PLAN))
    told: dict[str, Any] = {"calls": going_on, "clock": SystemClock(), "note": lambda _: None}
    return create_engine_app(
        going_on,
        CollectorRegistry(),
        {},
        gate=gate,
        now=lambda: after(60),
        operations=Operations(status=status, reload=reload),
        agents=SomeAgents(),
        overseen=OverseenHere(supervision=pbx, conversations=pbx, **told),  # type: ignore[arg-type]  # what is asked
        controlled=ControlledHere(controls=pbx, **told),
        handover=Handover("a key of sixteen or more", on_applied=lambda: None),
        maintenance=Draining(),
    )


async def record(database: Database, calls: list[Call]) -> None:
    """As the engine does."""
    writer = Writer(database)
    assert await writer.write(calls) == []
    writer.close()


@pytest.fixture
async def apps(database: Database, tmp_path: Path) -> AsyncIterator[Apps]:
    await record(database, CALLS)
    async with database.connection() as connection:
        await connection.execute(
            text("UPDATE dispatches SET state = 'attention', due_at = NULL, began_at = '2026-11-24'")
        )
    await has_tariff(database, client=MOREAU)
    assert (await issued(database, OCTOBER, MOREAU)).number == INVOICE
    trail = AuditTrail(database)
    for call in CALLS:
        await tell_system(database, f"{call.call_id}.d1", "failed", call_id=call.call_id, client=call.client)
        (tmp_path / f"{call.call_id}-0.wav").write_bytes(bytes(44 + 1600))
        deed = Deed(principal="x", action="y", object=call.call_id, client=call.client, outcome=AuditOutcome.DONE)
        await trail.record(deed)
    noted, clock = Noted(), Ticking()
    clock.step = 1000.0  # nobody asks too often here
    gate = make_gate(tokens=TokenBook(database, monotonic=clock), trail=noted, clock=clock)
    async with AsyncExitStack() as stack:
        of_engine = engine_app(gate, *LIVE)
        engine = await stack.enter_async_context(serving(of_engine))
        of_web = web(database, engine, folder=tmp_path, gate=gate)
        base = await stack.enter_async_context(serving(of_web))
        paths = [(engine, path, methods) for path, methods in pages_of("engine", of_engine).items()]
        paths += [(base, path, methods) for path, methods in pages_of("web", of_web).items()]
        yield Apps(web=base, engine=engine, paths=paths, noted=noted)


_PAGES: dict[str, dict[str, Any]] = {}


def pages_of(name: str, app: FastAPI) -> dict[str, Any]:
    """The operations of its paths, which are the same for every test: writing them out takes half a second."""
    if name not in _PAGES:
        _PAGES[name] = app.openapi()["paths"]
    return _PAGES[name]


async def token_for(
    database: Database, *may: Permission, scope: Scope = EVERYTHING, name: str = "", **options: Any
) -> dict[str, str]:
    """The header of somebody with a token of their own."""
    name = name or f"t{datetime.now(UTC).timestamp()}"
    made = await create_token(database, name, permissions=may, scope=scope, by="command:anne", **options)
    return {"Authorization": f"Bearer {made}"}


def of(client: str) -> Scope:
    return Scope(ScopeKind.CLIENTS, frozenset({client}))


def team(queue: str) -> Scope:
    return Scope(ScopeKind.TEAMS, frozenset({queue}))


async def ask(base: str, method: str, path: str, headers: dict[str, str], **params: str) -> httpx.Response:
    body = next((body for end, body in BODIES.items() if path.endswith(end)), None)
    asked = next((asked for end, asked in QUERIES.items() if path.endswith(end)), {})
    async with (
        plain_client(base_url=base, headers=headers) as client,
        client.stream(method, path, params=asked | params, json=body) as answer,
    ):
        if not answer.headers.get("content-type", "").startswith(MEDIA_TYPE):  # which does not end by itself
            await answer.aread()
        return answer


BODIES: dict[str, dict[str, Any]] = {
    "/settle": {"reached": True},
    "/called": {"result": "reached"},
    "/pbx/teams": {"nonce": "0" * 32},
    "/messages": {"id": "8b0f2f5e-3c1b-4d7c-9a55-0f6f4c1f7f10", "client": LENOIR, "text": "Ring back."},
    "/correct": {"urgent": True},
    "/done": {},
    "/reopen": {},
    "/reassign": {"deliver": "doctor"},
    "/redeliver": {},
    "/consumption/invoices": {"client": MOREAU, "month": "2026-10"},
    "/person/find": {"number": "+33612345678"},
    "/person/export": {"number": "+33612345678"},
    "/person/erase": {"number": "+33612345678", "reason": "they ask for it", "confirm": True},
    "/what-if": {"client": MOREAU, "month": "2026-10", "tariff": HEAD + PER_CALL + NOT_BILLED},
}
"""What is sent to a page, by the end of its path."""
QUERIES: dict[str, dict[str, str]] = {
    **{f"/{act}": {"phone": "agent-2"} for act in Act if "recording" not in act},
    "/transfer": {"to": "team.medical"},
    "/consult": {"to": "team.medical"},
    "/keypad": {"keys": "1"},
    "/consumption": {"client": MOREAU, "month": "2026-10"},
    "/consumption/tariffs": {"client": MOREAU},
}
"""What is asked of a page in its address, likewise."""


def call_of_lenoir(path: str) -> str:
    """A call of theirs that a page is about."""
    return LIVE_OF_LENOIR if path.endswith(IN_PROGRESS) else OF_LENOIR


def filled(path: str, call_id: str) -> str:
    path = path.replace("{call_id}", call_id).replace("{recording_id}", f"{call_id}-0")
    path = path.replace("{message_id}", f"{call_id}.m1").replace("{client}", LENOIR)
    path = path.replace("{delivery_id}", f"{call_id}.d1").replace("{number}", INVOICE)
    return path.replace("{position}", "1").replace("{agent}", "agent-1" if call_id == OF_LENOIR else call_id)


async def test_every_route_declares_a_permission(apps: Apps) -> None:
    assert {path for _, path, _ in apps.paths} >= PUBLIC | {"/live", "/reload", "/status", "/api/audit"}
    for _, path, methods in apps.paths:
        for operation in methods.values():
            assert (PERMISSION in operation) == (path not in PUBLIC), path
            assert ("security" in operation) == (path not in {"/metrics", *BY_LINK}), path
    assert {permission for *_, permission in apps.operations()} == set(Permission)


async def test_a_route_that_declares_none_is_found() -> None:
    """What the test above would say of one."""
    app = engine_app(make_gate())
    routes = APIRouter()

    @routes.get("/new")
    async def new() -> None:
        """Forgotten."""

    app.include_router(routes)

    assert undeclared(app) - PUBLIC == {"/new"}


async def test_no_route_is_hidden_from_this_test(database: Database) -> None:
    """What is not in the OpenAPI document is the document itself, and the page that shows it."""
    pages = [(route.path, getattr(route, "include_in_schema", False)) for route in routes_of(web(database).routes)]
    ours = [
        (route.path, getattr(route, "include_in_schema", False)) for route in routes_of(engine_app(make_gate()).routes)
    ]

    assert {path for path, shown in pages if not shown} == {
        "/api/docs",
        "/api/openapi.json",
        "/api/static",
        "/docs/oauth2-redirect",
    }
    assert {path for path, shown in ours if not shown} == {"/openapi.json"}


def undeclared(app: FastAPI) -> set[str]:
    """Pages of which one method needs no permission."""
    pages = app.openapi()["paths"].items()
    return {path for path, methods in pages if not all(PERMISSION in one for one in methods.values())}


def routes_of(routes: Iterable[Any]) -> Iterator[Any]:
    """All of them, those of routers that were included too."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from routes_of(inner.routes)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_nobody_comes_in_without_a_token(apps: Apps, headers: dict[str, str]) -> None:
    for base, method, path, permission in apps.operations():
        answer = await ask(base, method, filled(path, OF_LENOIR), headers)

        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json", path
        assert answer.headers["www-authenticate"] == "Bearer"
        who = UNKNOWN if "wrong" in headers.get("Authorization", "") else NOBODY
        assert apps.noted.deeds[-1] == Deed(
            principal=who, action=permission, outcome=AuditOutcome.REFUSED, address="127.0.0.1"
        )


async def test_nobody_does_what_they_may_not(apps: Apps, database: Database) -> None:
    for permission in Permission:
        headers = await token_for(database, *(set(Permission) - {permission}), name=f"all-but-{permission}")
        for base, method, path, needed in apps.operations():
            if needed is permission:
                answer = await ask(base, method, filled(path, OF_LENOIR), headers)

                assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden"), path
                assert answer.json()["detail"] == f"token:all-but-{permission} does not hold {permission}"
                assert apps.noted.deeds[-1].principal == f"token:all-but-{permission}"
                assert apps.noted.deeds[-1].outcome is AuditOutcome.REFUSED


async def test_with_the_permission_they_come_in(apps: Apps, database: Database) -> None:
    await record(database, GAVE_UP)
    deletes_last = sorted(apps.operations(), key=lambda one: one[1] == "delete")
    others = {
        "/redeliver": (409,),  # comes after /acknowledge: nobody is told any more
        "/{erasure_id}": (404,),  # nobody was erased under such an id
    }
    for number, (base, method, path, permission) in enumerate(deletes_last):
        if permission in (Permission.STATUS_READ, Permission.ENGINE_RELOAD):
            continue
        headers = await token_for(database, permission, name=f"only-{number}")
        of_call = GAVE_UP[1].call_id if path.endswith("called") else call_of_lenoir(path)
        answer = await ask(base, method, filled(path, of_call), headers)

        expected = next((codes for end, codes in others.items() if path.endswith(end)), (200, 201, 204))
        assert answer.status_code in expected, (path, answer.text)


@pytest.mark.parametrize("kind", [ScopeKind.CLIENTS, ScopeKind.TEAMS])
async def test_what_cannot_be_limited_is_refused_to_who_is_limited(
    apps: Apps, database: Database, kind: ScopeKind
) -> None:
    headers = await token_for(database, *Permission, scope=Scope(kind, frozenset({MOREAU})), name="limited")
    for base, method, path, permission in apps.operations():
        if permission is Permission.MESSAGE_TAKE:  # another client's: test_messages.py
            continue
        answer = await ask(base, method, filled(path, "nothing"), headers)

        assert (answer.status_code == 403) == (kind not in ABOUT[permission].scopes), (path, answer.text)
        if answer.status_code == 403:
            assert answer.json()["detail"].startswith(f"{permission} cannot be limited to {kind} {MOREAU}")


LISTS = {
    "/live": "calls",
    "/api/live": "calls",
    "/api/calls": "calls",
    "/api/messages": "messages",
    "/api/messages/attention": "messages",
    "/api/deliveries": "deliveries",
    "/api/callbacks": "callbacks",
    "/api/worklist": "callers",
    "/api/recordings": "recordings",
    "/api/stats": "clients",
    "/api/stats/messages": "clients",
    "/api/reports": "rows",
    "/api/audit": "deeds",
}


@pytest.mark.parametrize(
    "scope",
    [of(MOREAU), team("medical"), Scope(ScopeKind.CLIENTS, frozenset({MOREAU, "c"}))],
    ids=["client", "team", "clients"],
)
async def test_only_their_own_is_shown(apps: Apps, database: Database, scope: Scope) -> None:
    """On every page, whatever is asked; and what is not theirs looks as if it did not exist."""
    await record(database, GAVE_UP)
    headers = await token_for(database, *Permission, scope=scope, name="limited")
    for base, method, path, permission in apps.operations():
        if scope.kind not in ABOUT[permission].scopes or permission is Permission.STREAM_READ:  # test_stream.py
            continue
        if "/agents" in path:  # agents have teams: test_agents.py
            continue
        if permission is Permission.MESSAGE_TAKE:  # whose client is named: test_messages.py
            continue
        if "/consumption" in path:  # the same: test_consumption.py
            continue
        if "{" in path:
            of_call = call_of_lenoir(path)
            theirs = await ask(base, method, filled(path, of_call), headers)
            nowhere = await ask(base, method, filled(path, "nowhere-7"), headers)
            assert theirs.status_code == nowhere.status_code == 404, path
            assert theirs.json()["detail"].replace(of_call, "nowhere-7") == nowhere.json()["detail"]
            deed = apps.noted.deeds[-1]
            assert (
                deed.client,
                deed.outcome,
                deed.object.removesuffix("-0").removesuffix("/1").removesuffix(".m1").removesuffix(".d1"),
            ) == (
                LENOIR,
                AuditOutcome.REFUSED,
                of_call,
            )
            continue
        query = {} if path.endswith(("live", "audit", "attention", "deliveries")) else PAST
        answer = await ask(base, method, path, headers, **query)

        assert answer.status_code == 200, (path, answer.text)
        assert "lenoir" not in answer.text, path
        assert {one["client"] for one in answer.json()[LISTS[path]]} == {MOREAU}, path


@pytest.mark.parametrize(
    "path",
    [
        *("/api/calls", "/api/messages", "/api/callbacks", "/api/worklist", "/api/recordings", "/api/stats"),
        *("/api/audit", "/api/messages/attention", "/api/stats/messages", "/api/deliveries", "/api/reports"),
    ],
)
async def test_asking_for_another_client_says_nothing_of_them(apps: Apps, database: Database, path: str) -> None:
    """Whether there is one of that name or not."""
    headers = await token_for(database, *Permission, scope=of(MOREAU), name="limited")
    theirs = await ask(apps.web, "GET", path, headers, client=LENOIR)
    nobody = await ask(apps.web, "GET", path, headers, client="no-such")

    assert theirs.status_code == nobody.status_code == 403
    assert theirs.json()["detail"].replace(LENOIR, "no-such") == nobody.json()["detail"]
    assert [deed.client for deed in apps.noted.deeds[-2:]] == [LENOIR, "no-such"]


@pytest.mark.parametrize(
    "path",
    [
        *("/api/calls", "/api/messages", "/api/messages/attention", "/api/callbacks", "/api/worklist"),
        *("/api/recordings", "/api/deliveries"),
    ],
)
async def test_a_team_is_not_told_which_clients_there_are(apps: Apps, database: Database, path: str) -> None:
    headers = await token_for(database, *Permission, scope=team("medical"), name="limited")
    answers = [await ask(apps.web, "GET", path, headers, client=client) for client in (LENOIR, "no-such")]

    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].text == answers[1].text


async def test_a_journey_through_two_teams_is_both_teams(apps: Apps, database: Database) -> None:
    visits = tuple(QueueVisit(queue=queue, entered_at=after(12)) for queue in ("medical", "dental"))
    writer = Writer(database)
    await writer.write([replace(answered("both"), queue_visits=visits)])
    writer.close()

    for name in ("medical", "dental"):
        headers = await token_for(database, Permission.CALL_READ, scope=team(name), name=name)
        assert (await ask(apps.web, "GET", "/api/calls/both", headers)).status_code == 200


async def test_one_client_need_not_be_named(apps: Apps, database: Database) -> None:
    """A day without a zone is that of the only client that there is."""
    headers = await token_for(database, Permission.CALL_READ, scope=of(MOREAU), name="one")

    answer = await ask(apps.web, "GET", "/api/calls", headers, **{"from": "2026-11-24", "to": "2026-11-25"})

    assert [call["call_id"] for call in answer.json()["calls"]] == ["moreau-1"]


async def test_expired_and_revoked_tokens_are_told_so_and_named_in_the_trail(apps: Apps, database: Database) -> None:
    gone = datetime.now(UTC) - timedelta(days=1)
    expired = await token_for(database, Permission.CALL_READ, name="expired", expires_at=gone)
    revoked = await token_for(database, Permission.CALL_READ, name="revoked")
    await revoke_token(database, "revoked", by="command:anne")

    answers = [await ask(apps.web, "GET", "/api/calls", headers) for headers in (expired, revoked)]

    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json()["detail"].startswith("this token expired at")
    assert answers[1].json()["detail"].startswith("this token was revoked at")
    assert [deed.principal for deed in apps.noted.deeds[-2:]] == ["token:expired", "token:revoked"]


async def test_why_something_is_not_well_needs_the_permission(database: Database) -> None:
    async def down() -> str | None:
        return "user callrouter is refused by 10.1.2.3:5038"

    gate = make_gate(tokens=TokenBook(database))
    app = create_engine_app([], CollectorRegistry(), {"asterisk": down}, gate=gate)
    may = await token_for(database, Permission.STATUS_READ, name="may")
    may_not = await token_for(database, Permission.CALL_READ, name="may-not")
    limited = await token_for(database, Permission.STATUS_READ, scope=of(MOREAU), name="limited")
    async with serving(app) as base:
        answers = [await ask(base, "GET", "/ready", headers) for headers in (may, may_not, limited)]

    assert [one.status_code for one in answers] == [503, 503, 503]
    assert ["10.1.2.3" in one.text for one in answers] == [True, False, False]


async def test_a_reload_is_in_the_trail() -> None:
    noted, loads = Noted(), []

    async def reload() -> None:
        loads.append(len(noted.deeds))

    async def status() -> Any:
        raise RuntimeError("far enough")

    app = create_engine_app(
        [], CollectorRegistry(), {}, gate=make_gate(trail=noted), operations=Operations(status=status, reload=reload)
    )
    async with serving(app) as base:
        await ask(base, "POST", "/reload", {"Authorization": f"Bearer {TOKEN}"})

    assert loads == [1]
    assert [(deed.principal, deed.action, deed.outcome) for deed in noted.deeds] == [
        ("operator", "engine.reload", AuditOutcome.DONE)
    ]


@asynccontextmanager
async def limited(database: Database, clock: Ticking) -> AsyncIterator[tuple[str, Noted]]:
    """An engine whose gate counts a test's own seconds."""
    noted = Noted()
    gate = make_gate(tokens=TokenBook(database), trail=noted, clock=clock)
    async with serving(engine_app(gate, *LIVE)) as base:
        yield base, noted


OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": "Bearer a-wrong-guess-of-somebody"}


async def statuses(base: str, headers: dict[str, str], times: int) -> list[int]:
    return [(await ask(base, "GET", "/live", headers)).status_code for _ in range(times)]


async def test_guesses_are_slowed_down_and_nobody_else(database: Database) -> None:
    """Behind the same address the operator, if they were there before, and every token of ours go on."""
    token = await token_for(database, Permission.LIVE_READ, name="wallboard")
    clock = Ticking()
    async with limited(database, clock) as (base, noted):
        assert await statuses(base, OPERATOR, 1) == [200]
        assert await statuses(base, WRONG, 12) == [401] * 10 + [429] * 2
        answer = await ask(base, "GET", "/live", WRONG)
        assert (answer.headers["retry-after"], answer.json()["detail"]) == ("5", "too many requests: wait 5 s")
        assert await statuses(base, OPERATOR, 3) == [200] * 3
        assert await statuses(base, token, 3) == [200] * 3
        clock.seconds += 5
        assert await statuses(base, WRONG, 2) == [401, 429]
    assert {deed.principal for deed in noted.deeds} == {UNKNOWN}
    assert len(noted.deeds) == 15


async def test_a_right_guess_among_too_many_is_not_looked_at(database: Database) -> None:
    clock = Ticking()
    async with limited(database, clock) as (base, _):
        await statuses(base, WRONG, 11)
        assert await statuses(base, OPERATOR, 2) == [429, 429]
        clock.seconds += 60
        assert await statuses(base, OPERATOR, 1) == [200]
        await statuses(base, WRONG, 30)
        assert await statuses(base, OPERATOR, 1) == [200]
        clock.seconds += auth.REMEMBERED_SECONDS
        await statuses(base, WRONG, 200)
        assert await statuses(base, OPERATOR, 1) == [429]


async def test_guessing_at_the_health_page_counts(database: Database) -> None:
    """It refuses nobody, so it would tell a right guess from a wrong one."""
    async with limited(database, Ticking()) as (base, noted):
        for _ in range(11):
            assert (await ask(base, "GET", "/ready", WRONG)).status_code == 200
        assert await statuses(base, OPERATOR, 1) == [429]
    assert len(noted.deeds) == 12


async def test_who_sends_no_token_locks_nobody_out(database: Database) -> None:
    async with limited(database, Ticking()) as (base, _):
        assert await statuses(base, {}, 62) == [401] * 60 + [429] * 2
        assert await statuses(base, OPERATOR, 1) == [200]


async def test_a_token_has_its_pace_and_the_operator_none(database: Database) -> None:
    token = await token_for(database, Permission.LIVE_READ, name="wallboard")
    other = await token_for(database, Permission.LIVE_READ, name="other")
    async with limited(database, Ticking()) as (base, noted):
        assert await statuses(base, token, 102) == [200] * 100 + [429] * 2
        assert await statuses(base, other, 1) == [200]
        assert await statuses(base, OPERATOR, 110) == [200] * 110
    assert [(deed.principal, deed.action) for deed in noted.deeds] == [("token:wallboard", "live.read")] * 2


async def test_while_postgresql_is_away_the_operator_goes_on() -> None:
    """A token that may have been revoked does not; and a stranger learns nothing of where PostgreSQL is."""
    gone = Database(make_url("postgresql://callrouter:hunter2@127.0.0.1:9/calls"))
    async with limited(gone, Ticking()) as (base, _):
        answer = await ask(base, "GET", "/live", {"Authorization": f"Bearer crt_{'0' * 12}_{'a' * 43}"})
        assert await statuses(base, OPERATOR, 1) == [200]
    await gone.close()

    assert (answer.status_code, answer.json()["detail"]) == (503, "tokens cannot be looked up now")
    assert answer.headers["retry-after"] == "5"


_BEARER = st.sampled_from(["Bearer", "bearer", "BEARER", "Basic", "Digest", "", "Bearer Bearer"])
_ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)
_BYTES = st.binary(max_size=300).filter(lambda value: not set(value) & {0, 10, 13})


@given(sent=st.tuples(_BEARER, _ASCII).map(lambda pair: " ".join(pair).encode()) | _BYTES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_is_more_than_a_refusal(sent: bytes) -> None:
    """Whatever is sent as Authorization, of any length; straight into the application, which sees every byte."""
    answer = asyncio.run(_asked_raw([sent]))

    assert answer == 401


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 59, 60, 61, 1000, 60_000])
def test_tokens_of_every_length(length: int) -> None:
    assert asyncio.run(_asked_raw([b"Bearer " + b"a" * length])) == 401
    assert asyncio.run(_asked_raw([b"Bearer " + (b"crt_000000000000_" + b"a" * length)])) == 401
    assert asyncio.run(_asked_raw([b"Bearer wrong", f"Bearer {TOKEN}".encode()])) == 401
    assert asyncio.run(_asked_raw([f"Bearer {TOKEN}".encode()])) == 200


@cache
def _never_too_often() -> FastAPI:
    """An engine's pages, in front of which nobody has to wait: each request is 1,000 s after the last."""
    clock = Ticking()
    clock.step = 1000.0
    return engine_app(make_gate(clock=clock))


async def _asked_raw(values: list[bytes]) -> int:
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": b"",
        "headers": [(b"authorization", value) for value in values],
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    await _never_too_often()(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize(
    ("trusted", "sent", "noted"),
    [
        ((), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.0/8",), "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), "2001:db8::1", "2001:db8::1"),
        (("127.0.0.1",), "::ffff:203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), "<script>, none", "unknown"),
        (("10.0.0.1",), "203.0.113.9", "127.0.0.1"),
    ],
)
async def test_only_trusted_proxies_say_who_asks(
    free_port: Callable[[], int], trusted: tuple[str, ...], sent: str, noted: str
) -> None:
    trail, port = Noted(), free_port()
    server = HttpServer(engine_app(make_gate(trail=trail)), listen("127.0.0.1", port, "PORT"), trusted)
    running = asyncio.get_running_loop().create_task(server.run_until_stopped())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        await ask(f"http://127.0.0.1:{port}", "GET", "/live", {"X-Forwarded-For": sent})
    finally:
        server.stop()
        await running

    assert [deed.address for deed in trail.deeds] == [noted]


def test_a_customer_of_ipv6_is_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("unknown") == "unknown"
