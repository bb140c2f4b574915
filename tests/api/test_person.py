"""/api/person and /api/retention: asked, refused, and what the commands answer."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from callrouter.cli.person import person
from callrouter.cli.retention import retention
from callrouter.core.call import Call
from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client
from tests.store.conftest import _call
from tests.store.figures.test_rebuilding import write

from .serving import serving
from .test_web_app import AUTHORISED, web

NUMBER = "06 12 34 00 01"


@pytest.fixture
def make_call() -> Callable[..., Call]:
    return _call


@pytest.fixture
async def api(database: Database, make_call: Callable[..., Call]) -> Any:
    await write(database, [make_call(1), make_call(2)])
    async with serving(web(database)) as base, plain_client(base_url=base, headers=AUTHORISED) as client:
        yield client


async def test_a_person_is_found_exported_and_erased(api: Any) -> None:
    """The receipt holds no number, is found again by its id, and asked for again it is the same."""
    found = (await api.post("/api/person/find", json={"number": NUMBER})).json()["found"]
    assert (found["calls"], found["messages"]) == (2, 2)
    exported = await api.post("/api/person/export", json={"number": NUMBER})
    with zipfile.ZipFile(io.BytesIO(exported.content)) as made:
        assert len(json.loads(made.read("person.json"))["calls"]) == 2
    asked = {"number": NUMBER, "reason": "on request", "confirm": True}
    receipt = (await api.post("/api/person/erase", json=asked)).json()
    assert receipt["stores"]["calls"] == receipt["stores"]["calls"] | {"found": 2, "erased": 2}
    assert "612340001" not in json.dumps(receipt)
    again = (await api.post("/api/person/erase", json=asked)).json()
    assert (again["erasure_id"], again["stores"]) == (receipt["erasure_id"], receipt["stores"])
    assert (await api.get(f"/api/person/erasures/{receipt['erasure_id']}")).json()["hint"] == "01"
    assert (await api.post("/api/person/find", json={"number": NUMBER})).json()["found"]["calls"] == 0
    assert (await api.get("/api/retention")).json() == {"runs": []}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("find", {"number": "abc"}, 422),
        ("erase", {"number": NUMBER, "reason": "x", "confirm": False}, 409),
        ("erase", {"number": NUMBER, "reason": "of 0612340001", "confirm": True}, 422),
        ("erase", {"number": NUMBER, "confirm": True}, 422),
    ],
)
async def test_what_cannot_be_done_is_said(api: Any, path: str, body: dict[str, Any], status: int) -> None:
    answer = await api.post(f"/api/person/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await api.get("/api/person/erasures/none")).status_code == 404


async def test_the_commands_say_the_same(
    database: Database,
    database_url: str,
    make_call: Callable[..., Call],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    """In threads of their own: each command has a loop."""
    import asyncio

    await write(database, [make_call(1)])
    monkeypatch.setenv("CALLROUTER_DATABASE_URL", database_url)
    monkeypatch.setenv("CALLROUTER_DATA_DIR", str(tmp_path))

    async def said(app: Any, *arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    assert "calls: 1" in await said(person, "find", NUMBER)
    assert "1 calls" in await said(person, "export", NUMBER, "--to", str(tmp_path / "all.zip"))
    erased = await said(person, "erase", NUMBER, "--reason", "on request", "--yes", "--language", "fr")
    assert erased.startswith("Effacement ")
    assert "calls: 1 trouvés, 1 effacés" in erased
    assert "Nothing is older" in await said(retention, "plan")
    assert "Nothing was deleted yet" in await said(retention, "runs")
    assert "nothing deleted" in await said(retention, "run", "--yes")
    assert json.loads(await said(retention, "runs", "--json"))["runs"][0]["error"] == ""
