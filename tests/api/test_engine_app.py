"""The engine's HTTP side, asked over HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter import __version__
from callrouter.api import readiness
from callrouter.api.engine_app import create_engine_app
from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.readiness import PRIVATE, Check
from callrouter.core.call import Call
from deploy.demo.plain_http import plain_client
from tests.patience import ANSWER_SECONDS

from .serving import TOKEN, make_gate, serving
from .stories import HOSTILE_NAME, after, live

STRANGE = (None, "another token than ours")
"""What somebody sends who has none."""


@dataclass
class Line:
    call: Call


async def well() -> str | None:
    return None


def application(*calls: Call, checks: Mapping[str, Check] | None = None) -> FastAPI:
    lines = [Line(call) for call in calls]
    return create_engine_app(
        lines, CollectorRegistry(), checks or {"asterisk": well}, gate=make_gate(), now=lambda: after(20)
    )


async def get(base: str, path: str, token: str | None = TOKEN) -> httpx.Response:
    async with plain_client(base_url=base) as client:
        return await client.get(path, headers={"Authorization": f"Bearer {token}"} if token else {})


async def test_alive_and_ready() -> None:
    async with serving(application()) as base:
        health, ready = await get(base, "/health", None), await get(base, "/ready", None)

    assert (health.status_code, health.json()) == (200, {"status": "alive", "version": __version__, "degraded": []})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": ["asterisk"], "degraded": []})


async def test_what_is_wrong_without_harm_is_a_note() -> None:
    async def refused() -> str | None:
        return "not served as it stands: a.yaml:3: node"

    made = create_engine_app(
        [], CollectorRegistry(), {"asterisk": well}, gate=make_gate(), notes={"dialplans": refused}
    )
    async with serving(made) as base:
        health, ready = await get(base, "/health"), await get(base, "/ready")
        asked = [(page, token) for page in ("/health", "/ready") for token in STRANGE]
        quiet = [(await get(base, page, token)).json()["degraded"] for page, token in asked]

    assert (health.status_code, ready.status_code) == (200, 200)
    assert quiet == [[f"dialplans: {PRIVATE}"]] * 4
    said = ["dialplans: not served as it stands: a.yaml:3: node"]
    assert (health.json()["degraded"], ready.json()["degraded"]) == (said, said)


async def test_not_ready_says_why() -> None:
    async def down() -> str | None:
        return "nobody answers at the AMI address 127.0.0.1:5038"

    async with serving(application(checks={"database": well, "asterisk": down})) as base:
        ready = await get(base, "/ready")

    assert ready.status_code == 503
    assert ready.headers["content-type"] == "application/problem+json"
    assert ready.json()["detail"] == "asterisk: nobody answers at the AMI address 127.0.0.1:5038"
    assert list(ready.json()["checks"]) == ["asterisk"]


@pytest.mark.parametrize("token", STRANGE)
async def test_why_is_for_who_has_the_token(token: str | None) -> None:
    """Anybody hears what fails; hosts, users, files and clients stand in the reasons."""

    async def down() -> str | None:
        return "user callrouter is refused by 10.1.2.3:5038"

    async with serving(application(checks={"database": well, "asterisk": down})) as base:
        ready = await get(base, "/ready", token)

    assert ready.status_code == 503
    assert ready.json()["checks"] == {"asterisk": PRIVATE}
    assert ready.json()["detail"] == f"asterisk: {PRIVATE}"
    assert "10.1.2.3" not in ready.text


async def test_a_check_that_hangs_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs() -> str | None:
        await asyncio.sleep(60)
        return None

    monkeypatch.setattr(readiness, "CHECK_SECONDS", 0.05)
    async with serving(application(checks={"database": hangs})) as base:
        ready = await get(base, "/ready")

    assert ready.json()["checks"] == {"database": "no answer within 0.05 s"}


async def test_live_calls_as_they_stand() -> None:
    async with serving(application(live("2", start=after(5)), live("1", name=HOSTILE_NAME))) as base:
        answer = await get(base, "/live")

    first, second = answer.json()["calls"]
    assert (first["call_id"], second["call_id"]) == ("1", "2")
    assert first["caller"] == {"number": "+33612340001", "name": HOSTILE_NAME, "presentation": "allowed"}
    assert first["path"] == ["hours", "welcome", "secretaries"]
    assert (first["elapsed_seconds"], first["waiting_seconds"], first["state"]) == (20, 8, "queued")


@pytest.mark.parametrize(
    "sent", ["", "Bearer", f"Basic {TOKEN}", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é"]
)
async def test_without_the_token_callers_are_not_shown(sent: str) -> None:
    async with serving(application(live())) as base, plain_client(base_url=base) as client:
        answer = await client.get("/live", headers={b"Authorization": sent.encode()})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"
    assert "+336" not in answer.text


async def test_what_the_engine_would_pass_over_is_refused() -> None:
    """All calls are no answer to who asks for one client's."""
    async with serving(application(live())) as base:
        answer = await get(base, "/live?client=moreau")

    assert answer.status_code == 422
    assert answer.json()["detail"] == "query.client: there is no such parameter; this page has no parameters"


def test_an_empty_token_is_refused() -> None:
    with pytest.raises(ValueError, match="would let everybody in"):
        create_engine_app([], CollectorRegistry(), {}, gate=make_gate(""))


async def test_what_is_not_there_is_a_problem() -> None:
    async with serving(application()) as base:
        answer = await get(base, "/lives")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"}


async def test_the_client_reads_what_the_engine_says() -> None:
    async with serving(application(live("1"))) as base:
        seen = await EngineClient(base, TOKEN, timeout_seconds=ANSWER_SECONDS).live()

    assert [call.call_id for call in seen.calls] == ["1"]


async def test_the_client_says_what_is_wrong(free_port: Callable[[], int]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(EngineAway, match=rf"the engine at {nowhere} does not answer .*: check that it runs"):
        await EngineClient(nowhere, TOKEN, timeout_seconds=ANSWER_SECONDS).live()

    async with serving(application()) as base:
        with pytest.raises(EngineAway, match="refuses our token"):
            await EngineClient(base, "another", timeout_seconds=ANSWER_SECONDS).live()
        with pytest.raises(EngineAway, match="is not an engine of this release"):
            await EngineClient(f"{base}/elsewhere", TOKEN, timeout_seconds=ANSWER_SECONDS).live()


async def test_the_client_does_not_wait_for_an_engine_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # the kernel takes the connection, and nobody answers it
        port = mute.getsockname()[1]
        with pytest.raises(EngineAway, match="does not answer"):
            await EngineClient(f"http://127.0.0.1:{port}", TOKEN, timeout_seconds=0.2).live()
