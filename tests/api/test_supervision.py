"""What supervisors ask for by the API: who may, in whose calls, what the trail has of it, and what the engine says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from callrouter.api.engine_app import create_engine_app
from callrouter.api.supervision.here import OverseenHere
from callrouter.api.supervision.schemas import Act
from callrouter.core.inputs import RecordingSign, SupervisionMode
from callrouter.core.nodes import HangupNode, QueueNode
from callrouter.errors import AmiUnreachable, ConversationRefused
from callrouter.permissions import Permission, Scope, ScopeKind
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.clock import SystemClock
from callrouter.store.access.audit import Deed
from callrouter.store.access.tokens import TokenBook
from callrouter.store.database import Database
from callrouter.testing import Playbook, plan_of
from deploy.demo.plain_http import plain_client
from tests.api.serving import make_gate, serving
from tests.api.test_agents import MEDICAL, OPERATOR
from tests.api.test_auth import token_for
from tests.api.test_web_app import web

CALL = "5f1c6a0e9b7d4c21"
PLAN = plan_of(
    QueueNode(name="team", queue="medical", max_wait_seconds=60, exits={"overflow": "bye"}), HangupNode(name="bye")
)


@dataclass
class Pbx:
    """Takes what is asked, or refuses it."""

    asked: list[tuple[str, ...]] = field(default_factory=list)
    fails: Exception | None = None

    async def set(self, call_id: str, what: SupervisionMode | RecordingSign, third: str) -> None:
        self._take(call_id, what.value, third)

    async def leave(self, call_id: str, phone: str) -> None:
        self._take(call_id, "leave", phone)

    def _take(self, *asked: str) -> None:
        if self.fails:
            raise self.fails
        self.asked.append(asked)


@pytest.fixture
def pbx() -> Pbx:
    return Pbx()


@pytest.fixture
async def bases(pbx: Pbx, database: Database, tmp_path: Path) -> AsyncIterator[tuple[dict[str, str], list[Deed]]]:
    """Where the engine's own pages are, and web's, of one call in the queue medical; and the trail."""
    deeds: list[Deed] = []
    calls = LiveCalls()
    call = Playbook(PLAN).offer().expects("answer", "queue medical").answered().agent_answers("anne")
    calls.add(LiveCall(call.stops_here(), PLAN))
    gate = make_gate(tokens=TokenBook(database))
    overseen = OverseenHere(
        calls=calls,
        supervision=pbx,  # type: ignore[arg-type]  # what is asked of it
        conversations=pbx,  # type: ignore[arg-type]
        clock=SystemClock(),
        note=deeds.append,
    )
    app = create_engine_app(calls, CollectorRegistry(), {}, gate=gate, overseen=overseen)
    async with (
        serving(app) as engine,
        serving(web(database, engine, folder=tmp_path, gate=gate)) as base,
    ):
        yield {"": engine, "/api": base}, deeds


async def ask(base: str, place: str, act: str, headers: dict[str, str], phone: str = "agent-2") -> httpx.Response:
    async with plain_client(base_url=base) as client:
        params = {} if "recording" in act else {"phone": phone}
        return await client.post(f"{place}/calls/{CALL}/{act}", params=params, headers=headers)


@pytest.mark.parametrize("place", ["", "/api"])
@pytest.mark.parametrize("act", Act)
async def test_each_needs_its_own_permission(
    bases: tuple[dict[str, str], list[Deed]], pbx: Pbx, database: Database, place: str, act: Act
) -> None:
    """A team's token acts in its own team's calls; the trail has who, in what, and at which telephone."""
    servers, deeds = bases
    may = await token_for(database, act.permission, Permission.LIVE_READ, scope=MEDICAL, name="may")
    others = [one for one in Permission if one is not act.permission and one.value.startswith(("call.", "recording."))]
    may_not = await token_for(database, *others, scope=MEDICAL, name="not")

    done = await ask(servers[place], place, act, may)
    refused = await ask(servers[place], place, act, may_not)

    assert (done.status_code, refused.status_code) == (200, 403), (done.text, refused.text)
    assert done.json()["agent"] == "anne"
    assert [one[0] for one in pbx.asked] == [CALL]
    [deed] = deeds
    where = "" if "recording" in act else " at agent-2"
    assert (deed.principal, deed.action, deed.object) == ("token:may", act.permission, f"{CALL} {act}{where}")
    assert (deed.client, deed.outcome) == ("acme", "done")


@pytest.mark.parametrize("place", ["", "/api"])
async def test_what_cannot_be_done_is_said_and_in_the_trail(
    bases: tuple[dict[str, str], list[Deed]], pbx: Pbx, place: str
) -> None:
    """By the PBX's state, or because it does not answer."""
    servers, deeds = bases
    found = []
    for fails in (ConversationRefused("nobody talks"), ConversationRefused("not recorded"), AmiUnreachable("gone")):
        pbx.fails = fails
        found.append(await ask(servers[place], place, "listen", OPERATOR))

    assert [one.status_code for one in found] == [409, 409, 503]
    assert found[0].json()["detail"] == "nobody talks"
    assert [one.outcome for one in deeds] == ["refused", "refused", "failed"]


@pytest.mark.parametrize("place", ["", "/api"])
async def test_calls_of_others_are_as_if_they_were_not_there(
    bases: tuple[dict[str, str], list[Deed]], pbx: Pbx, database: Database, place: str
) -> None:
    """And a telephone must be named."""
    servers, _ = bases
    scope = Scope(ScopeKind.TEAMS, frozenset({"legal"}))
    stranger = await token_for(database, Permission.CALL_LISTEN, Permission.LIVE_READ, scope=scope, name="legal")
    hidden = await ask(servers[place], place, "listen", stranger)
    async with plain_client(base_url=servers[place]) as client:
        nobody = await client.post(f"{place}/calls/{CALL}/listen", headers=OPERATOR)
        unknown = await client.post(f"{place}/calls/1-1-1/listen", params={"phone": "a"}, headers=OPERATOR)

    assert (hidden.status_code, nobody.status_code, unknown.status_code) == (404, 422, 404)
    assert pbx.asked == []
