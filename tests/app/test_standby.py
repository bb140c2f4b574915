"""Of two engines, whoever asks is answered by the one that leads, whichever address stands first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter.api.engine_client import EngineAddresses, EngineAway, EngineClient
from callrouter.app.leading.front import create_standby_app
from deploy.demo.plain_http import plain_client
from tests.api.serving import TOKEN, make_gate, serving
from tests.api.stories import live
from tests.api.test_engine_app import application
from tests.patience import ANSWER_SECONDS


async def waits() -> str:
    return "another engine has the place"


def standby() -> FastAPI:
    return create_standby_app(CollectorRegistry(), {"standby": waits}, gate=make_gate())


async def test_it_is_alive_and_not_ready() -> None:
    async with serving(standby()) as base, plain_client(base_url=base) as client:
        health, ready = await client.get("/health"), await client.get("/ready")
        knowing = await client.get("/ready", headers={"Authorization": f"Bearer {TOKEN}"})
        elsewhere = [(await client.get("/live")).status_code, (await client.post("/reload")).status_code]

    assert (health.status_code, ready.status_code) == (200, 503)
    assert list(ready.json()["checks"]) == ["standby"]
    assert knowing.json()["checks"] == {"standby": await waits()}
    assert elsewhere == [503, 503]


async def test_the_one_that_leads_answers() -> None:
    """And is asked first from then on."""
    async with serving(standby()) as waiting, serving(application(live("1"))) as leading:
        client = EngineClient(f"{waiting},{leading}", TOKEN, timeout_seconds=ANSWER_SECONDS)
        seen = await client.live()
        again = list(client._addresses)

    assert [call.call_id for call in seen.calls] == ["1"]
    assert again == [leading, waiting]


async def test_one_that_is_not_there_is_passed_over(free_port: Callable[[], int]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with serving(application(live("1"))) as leading:
        seen = await EngineClient(f"{nowhere},{leading}", TOKEN, timeout_seconds=ANSWER_SECONDS).live()
        with pytest.raises(EngineAway, match="refuses our token"):
            await EngineClient(f"{nowhere},{leading}", "another", timeout_seconds=ANSWER_SECONDS).live()

    assert [call.call_id for call in seen.calls] == ["1"]


async def test_two_that_wait_are_said() -> None:
    async with serving(standby()) as one, serving(standby()) as other:
        with pytest.raises(EngineAway, match="does not serve now"):
            await EngineClient(f"{one},{other}", TOKEN, timeout_seconds=ANSWER_SECONDS).live()


def test_addresses_take_turns() -> None:
    addresses = EngineAddresses("http://a:1, http://b:2")
    first = addresses.first
    addresses.next()
    second = addresses.first
    addresses.leads("http://a:1")

    assert (first, second, addresses.first, list(addresses)) == (
        "http://a:1",
        "http://b:2",
        "http://a:1",
        ["http://a:1", "http://b:2"],
    )
