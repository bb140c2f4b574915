"""Requests to web and engine, made from what they publish, by several holders of tokens: on a whole stack."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.engine import make_url

from callrouter.store.database import Database
from deploy.demo import stories
from deploy.demo.caller import HangUp, UntilSound, Wait
from deploy.demo.stack import clean_environment
from tests.acceptance.conftest import Town
from tests.fuzz.tally import CASES, Draw, cases, count
from tests.store.dispatch.rows import linked, take, tell

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS: Final = ("/api/stream", "/stream")
"""Pages that do not end by themselves."""
PATIENT: Final = ("/pbx/teams",)
"""Pages whose answer may wait as long as the question says."""
PER_PAGE: Final = max(2, round(CASES * 0.1 / 120))


@dataclass(frozen=True)
class Page:
    """One operation of one process."""

    base: str
    operation: Any
    permission: str | None

    @property
    def path(self) -> str:
        return str(self.operation.path)


@dataclass
class Api:
    """Both processes, the tokens, and ids of what is there."""

    pages: list[Page]
    tokens: Mapping[str, tuple[str, frozenset[str]]]
    """By name: the token, and what it may do."""
    operator: str
    ids: Mapping[str, list[str]]
    session: requests.Session = field(default_factory=requests.Session)

    def send(self, page: Page, case: Any, token: str | None) -> requests.Response | None:
        """The answer; None of a page that waits, as it may."""
        sent = case.as_transport_kwargs(base_url=page.base)
        sent["headers"] = {name: value for name, value in sent["headers"].items() if name.lower() != "authorization"}
        if token is not None:
            sent["headers"]["Authorization"] = f"Bearer {token}"
        endless = page.path in ENDLESS
        try:
            answer = self.session.request(**sent, stream=endless, timeout=30 if page.path not in PATIENT else 1)
        except requests.Timeout:
            assert page.path in PATIENT, f"no answer from {page.path}"
            return None
        except (UnicodeError, requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL):
            return None  # what the client cannot write was not sent
        if endless:
            answer._content = b"" if answer.status_code == 200 else answer.raw.read(10_000)
            answer.close()
        return answer


def made_token(town: Town, name: str, *options: str) -> str:
    """A token, by the command line, as an operator makes one."""
    return command(town, "token", "create", name, *options)


def command(town: Town, *arguments: str) -> str:
    """What `callrouter` says, on the stack's own settings."""
    program = Path(sys.executable).with_name("callrouter")
    done = subprocess.run(
        [program, *arguments],
        env=clean_environment() | town.stack.engine.environment,
        cwd=town.stack.root,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


def database_url(town: Town) -> str:
    """Of the record, as the command line says it."""
    return command(town, "db", "url")


async def links(url: str) -> list[str]:
    """Tokens of links to messages: one whose telling failed, one that is on its way, and one whose time is over."""
    database = Database(make_url(url))
    try:
        told = [(await take(database), state) for state in ("failed", "sending", "accepted")]
        ends = [datetime.now(UTC) + timedelta(hours=hours) for hours in (24, 24, -1)]
        return [
            await linked(database, await tell(database, message, state), end)
            for (message, state), end in zip(told, ends, strict=True)
        ]
    finally:
        await database.close()


def pages_of(base: str, document: dict[str, Any]) -> Iterator[Page]:
    for found in from_dict(document).get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # or it raises: a document that is wrong is a finding
        yield Page(base, operation, operation.definition.raw.get("x-permission"))


@pytest.fixture(scope="module")
def api(town: Town) -> Iterator[Api]:
    """The stack, after some calls."""
    callers = stories.STORIES if CASES else ()
    calls = [town.calling(one.did, *one.script, caller=one.caller, seconds=120.0) for one in callers]
    calls += [town.calling(did, UntilSound(), Wait(0.3), HangUp()) for did in (stories.MOREAU, stories.GARNIER)]
    town.together(calls, apart_seconds=0.3)
    rows = town.until(town.rows, lambda rows: len(rows) >= len(calls))
    engine = town.stack.engine
    pages = [
        *pages_of(engine.web_url, requests.get(f"{engine.web_url}/api/openapi.json", timeout=30).json()),
        *pages_of(engine.engine_url, requests.get(f"{engine.engine_url}/openapi.json", timeout=30).json()),
    ]
    tokens = town.run(links(database_url(town)))
    reads = ("call.read", "message.read", "stats.read", "live.read", "recording.read", "callback.read", "audit.read")
    writes = ("message.take", "message.change", "message.acknowledge")
    one_client = [option for may in (*reads, *writes) for option in ("--may", may)] + ["--client", "cabinet-moreau"]
    found = {
        "one-client": (made_token(town, "one-client", *one_client), frozenset({*reads, *writes})),
        "audit": (made_token(town, "audit", "--may", "audit.read", "--all"), frozenset({"audit.read"})),
    }
    recordings = town.get("/api/recordings")["recordings"]
    ids = {
        "call_id": [row["call_id"] for row in rows],
        "recording_id": [one["recording_id"] for one in recordings],
        "agent": ["agent-1", "agent-2"],
        "message_id": [one["message_id"] for one in town.get("/api/messages")["messages"]],
        "client": ["cabinet-moreau", "etude-lenoir"],
        "token": tokens,
    }
    yield Api(pages=pages, tokens=found, operator=engine.token, ids=ids)
    # Somebody will have had the PBX drained; others call here.
    operator = {"Authorization": f"Bearer {engine.token}"}
    requests.delete(f"{engine.engine_url}/pbx/drain", headers=operator, timeout=30)


def real_ids(draw: Draw, api: Api, case: Any) -> None:
    """Half of the cases ask for what is there: what is not is soon answered."""
    for name, known in api.ids.items():
        for where in (case.path_parameters, case.body):
            if isinstance(where, dict) and name in where and known and draw(st.booleans()):
                where[name] = draw(st.sampled_from(known))


def try_page(api: Api, page: Page, mode: GenerationMode) -> None:
    """So many requests of one kind to one page, each as somebody."""

    # What is wrong about a request is mostly found by throwing away many that are right.
    many = PER_PAGE if mode is GenerationMode.POSITIVE else max(2, PER_PAGE // 5)

    @cases(2, many / max(CASES, 1))
    @given(page.operation.as_strategy(generation_mode=mode), st.data())
    def tried(case: Any, data: st.DataObject) -> None:
        count("HTTP API: requests")
        real_ids(data.draw, api, case)
        who = data.draw(st.sampled_from(["operator", "operator", "operator", "nobody", "stranger", *api.tokens]))
        token, may = {"operator": (api.operator, None), "nobody": (None, ()), "stranger": ("s" * 30, ())}.get(
            who, api.tokens.get(who, (None, ()))
        )
        answer = api.send(page, case, token)
        if answer is None:
            return
        case.validate_response(answer, checks=CHECKS)
        assert "Traceback" not in answer.text
        if page.permission is None or may is None:
            return
        if page.permission not in may:
            wanted = (401, 429) if who in ("nobody", "stranger") else (403, 429)
            assert answer.status_code in wanted, (who, page.permission, answer.status_code, answer.text[:300])

    with contextlib.suppress(Unsatisfiable):  # nothing about this page can be wrong: it takes nothing
        tried()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_page_answers_as_it_says(api: Api, mode: GenerationMode) -> None:
    """No 5xx, no status, type or body that is not announced; who may not is refused, whatever they send."""
    for page in api.pages:
        try_page(api, page, mode)


def test_there_are_pages_of_both(api: Api) -> None:
    assert len({page.base for page in api.pages}) == 2
    assert len(api.pages) > 40


@cases(40, 0.01)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    st.lists(
        st.sampled_from(["api", "m", "calls", "stats", "..", "%2e%2e", "static", "", "%00", "é", "x" * 300]), max_size=5
    ),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
)
def test_any_address(api: Api, method: str, parts: list[str], query: str) -> None:
    """Paths that nobody published, and queries of any text."""
    count("HTTP API: addresses")
    for base in sorted({page.base for page in api.pages}):
        answer = api.session.request(
            method,
            f"{base}/{'/'.join(parts)}",
            params=query,
            headers={"Authorization": f"Bearer {api.operator}"},
            timeout=30,
            allow_redirects=False,
        )

        assert answer.status_code < 500, answer.text
        assert "Traceback" not in answer.text


def test_the_log_holds_no_fault(api: Api, town: Town) -> None:
    """Whatever was asked, nothing reached the top of a request."""
    log = town.stack.engine.log_path.read_text(encoding="utf-8", errors="replace")

    assert "a request failed" not in log
    assert '"exception"' not in log
