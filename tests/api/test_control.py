"""Conversations controlled over the API: through web to the engine, on whose behalf, and whatever is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from callrouter.api.control.here import ControlledHere
from callrouter.api.engine_app import create_engine_app
from callrouter.asterisk.transfers.control import Control
from callrouter.core.call import Call, QueueVisit, replace
from callrouter.core.plan import Plan
from callrouter.errors import AmiUnreachable, ConversationRefused
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import TokenBook
from callrouter.store.database import Database
from callrouter.store.tables import AuditOutcome
from deploy.demo.plain_http import plain_client
from tests.api.serving import TOKEN, Noted, make_gate, serving
from tests.api.stories import live
from tests.api.test_auth import token_for
from tests.api.test_web_app import web

OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
PLAN = Plan(
    client="cabinet-moreau", name="M", version="1", numbers=(), timezone="UTC", language="en", start="", nodes={}
)


@dataclass
class Controls:
    """Does nothing, or says no."""

    asked: list[tuple[Control, str, str]] = field(default_factory=list)
    error: Exception | None = None

    async def do(self, control: Control, call_id: str, detail: str = "") -> None:
        """As CallControl."""
        self.asked.append((control, call_id, detail))
        if self.error is not None:
            raise self.error


class _Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 6, 9, 0, tzinfo=UTC)


@dataclass
class Both:
    """Web in front of an engine with one call."""

    places: dict[str, str]
    controls: Controls
    deeds: list[Deed]
    noted: Noted
    call: Call
    calls: LiveCalls

    async def ask(self, verb: str, headers: dict[str, str], place: str = "/api", **params: str) -> httpx.Response:
        """In the one call."""
        async with plain_client(base_url=self.places[place], headers=headers) as client:
            return await client.post(f"{place}/calls/{self.call.call_id}/{verb}", params=params)


@pytest.fixture
async def both(database: Database, tmp_path: Path) -> AsyncIterator[Both]:
    call, controls, deeds, noted = live(), Controls(), list[Deed](), Noted()
    calls = LiveCalls()
    calls.add(LiveCall(call, PLAN))
    gate = make_gate(tokens=TokenBook(database), trail=noted)
    here = ControlledHere(calls=calls, controls=controls, clock=_Clock(), note=deeds.append)
    async with AsyncExitStack() as stack:
        app = create_engine_app(calls, CollectorRegistry(), {}, gate=gate, controlled=here)
        engine = await stack.enter_async_context(serving(app))
        base = await stack.enter_async_context(serving(web(database, engine, folder=tmp_path, gate=gate)))
        yield Both(
            places={"": engine, "/api": base}, controls=controls, deeds=deeds, noted=noted, call=call, calls=calls
        )


VERBS = [
    ("hold", {}, ""),
    ("resume", {}, ""),
    ("transfer", {"to": "team.medical"}, "team.medical"),
    ("consult", {"to": "+33612345678"}, "+33612345678"),
    ("complete", {}, ""),
    ("take-back", {}, ""),
    ("keypad", {"keys": "42#"}, "42#"),
    ("hang-up", {}, ""),
]


@pytest.mark.parametrize("place", ["", "/api"])
@pytest.mark.parametrize(("verb", "params", "detail"), VERBS, ids=[verb for verb, _, _ in VERBS])
async def test_it_is_done_and_in_the_trail(
    both: Both, database: Database, place: str, verb: str, params: dict[str, str], detail: str
) -> None:
    """On behalf of who asked; keys, which may be somebody's secret, are only counted there."""
    headers = await token_for(database, Permission.CALL_CONTROL, name="desk")
    answer = await both.ask(verb, headers, place, **params)

    assert answer.status_code == 200, answer.text
    assert answer.json()["call_id"] == both.call.call_id
    assert both.controls.asked == [(Control(verb), both.call.call_id, detail)]
    (deed,) = both.deeds
    shown = "3 keys" if verb == "keypad" else detail
    assert deed.object == f"{both.call.call_id} {verb} {shown}".strip()
    expected = ("token:desk", Permission.CALL_CONTROL, both.call.client, AuditOutcome.DONE)
    assert (deed.principal, deed.action, deed.client, deed.outcome) == expected


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (ConversationRefused("the caller is on hold already"), 409, AuditOutcome.REFUSED),
        (ConversationRefused("the link to Asterisk is down", away=True), 503, AuditOutcome.REFUSED),
        (AmiUnreachable("the connection is gone"), 503, AuditOutcome.FAILED),
    ],
)
@pytest.mark.parametrize("place", ["", "/api"])
async def test_what_cannot_be_done_says_why(
    both: Both, place: str, error: Exception, status: int, outcome: AuditOutcome
) -> None:
    """The same by both ways; it is in the trail."""
    both.controls.error = error
    answer = await both.ask("hold", OPERATOR, place)

    assert answer.status_code == status
    assert str(error) in answer.json()["detail"]
    assert [deed.outcome for deed in both.deeds] == [outcome]


@pytest.mark.parametrize("place", ["", "/api"])
async def test_who_may_not(both: Both, database: Database, place: str) -> None:
    """Without the permission 403; of another client's call as if it were not there, and both are in the trail."""
    reader = await token_for(database, Permission.LIVE_READ, name="reader")
    other = Scope(ScopeKind.CLIENTS, frozenset({"somebody-else"}))
    stranger = await token_for(database, Permission.CALL_CONTROL, scope=other, name="stranger")

    assert (await both.ask("hold", reader, place)).status_code == 403
    assert (await both.ask("hold", stranger, place)).status_code == 404
    assert both.controls.asked == []
    assert len(both.noted.deeds) == 2


@pytest.mark.parametrize("place", ["", "/api"])
async def test_a_caller_who_is_another_teams_now(both: Both, database: Database, place: str) -> None:
    """A team that had them may not act any more, and the team that has them may, whatever the order of their names."""
    tokens = {
        team: await token_for(
            database, Permission.CALL_CONTROL, scope=Scope(ScopeKind.TEAMS, frozenset({team})), name=team
        )
        for team in ("medical", "legal")
    }
    for now, before in (("legal", "medical"), ("medical", "legal")):
        live_call = both.calls.get(both.call.call_id)
        assert live_call is not None
        visit = QueueVisit(queue=now, entered_at=both.call.clocks.ringing_at)
        live_call.call = replace(live_call.call, queue_visits=(*live_call.call.queue_visits, visit))
        assert (await both.ask("hold", tokens[before], place)).status_code == 404
        assert (await both.ask("hold", tokens[now], place)).status_code == 200


async def test_the_engine_is_away(both: Both, database: Database, tmp_path: Path) -> None:
    """502, as of everything that only it can do."""
    async with serving(web(database, "http://127.0.0.1:9", folder=tmp_path)) as base:
        both.places["/api"] = base
        answer = await both.ask("hold", OPERATOR)

    assert answer.status_code == 502


ODD = st.one_of(st.text(max_size=70), st.sampled_from(["*hold", "a\r\nAction: x", "${X}", "../..", "0" * 65, "é", ""]))


@given(verb=st.sampled_from(["transfer", "consult", "keypad", "hold", "nothing"]), value=ODD, extra=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_asked(both: Both, verb: str, value: str, extra: bool) -> None:
    """Never an error of ours; what is done is a target, or keys, and nothing else."""
    both.controls.asked.clear()
    params: dict[str, Any] = {"keys" if verb == "keypad" else "to": value}
    if extra:
        params["by"] = value
    answer = await both.ask(verb, OPERATOR, **params)

    assert answer.status_code in (200, 404, 422)
    for control, _, detail in both.controls.asked:
        allowed = "0123456789*#ABCD" if control is Control.KEYPAD else None
        assert allowed is None or set(detail) <= set(allowed)
        if control in (Control.TRANSFER, Control.CONSULT):
            assert detail.isascii()
            assert not set(detail) - set("+_.-") - set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
