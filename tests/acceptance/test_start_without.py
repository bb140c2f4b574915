"""An engine that starts without PostgreSQL, or without its folder, serves from what it kept, and goes on by itself."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deploy.demo.caller import HangUp, Wait
from deploy.demo.plain_http import plain_client
from deploy.demo.stack import CHECKOUT, running

if TYPE_CHECKING:
    from tests.acceptance.conftest import LoopThread, Town

DID = "0199000020"


@pytest.fixture
def town(thread: LoopThread, tmp_path: Path) -> Iterator[Town]:
    """A stack with a folder of its own, which has been live and was stopped."""
    from tests.acceptance.conftest import Town

    folder = tmp_path / "dialplans"
    shutil.copytree(CHECKOUT / "dialplans", folder)
    context = running(environment={"CALLROUTER_DIALPLANS_DIR": str(folder)})
    stack = thread.run(context.__aenter__())
    try:
        thread.run(stack.engine.stop())
        yield Town(stack=stack, thread=thread)
    finally:
        thread.run(context.__aexit__(None, None, None))


async def _get(town: Town, path: str) -> Any:
    engine = town.stack.engine
    headers = {"Authorization": f"Bearer {engine.token}"}
    try:
        async with plain_client(timeout=5) as client:
            answer = await client.get(f"{engine.engine_url}{path}", headers=headers)
            return answer.json() if answer.status_code == 200 else {}
    except httpx.TransportError:
        return {}


def _degraded(town: Town) -> str:
    ready = town.until(lambda: town.run(_get(town, "/ready")), bool, 30)
    return " ".join(ready["degraded"])


def test_without_postgresql_and_without_the_folder(town: Town) -> None:
    """Both are away at the start, and calls are served; when they are back, all is as before, and rows are there."""
    folder = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"])
    data = town.stack.root / "data"
    folder.rename(folder.with_name("elsewhere"))
    (data / "postgres").rename(data / "elsewhere")
    (data / "postgres").write_text("no folder")
    town.run(town.stack.engine.start(wait=False))

    degraded = _degraded(town)
    assert "database: PostgreSQL is away" in degraded
    assert "the plans in service are those of" in degraded
    status = town.run(_get(town, "/status"))
    assert status["database"].startswith("the embedded PostgreSQL")
    assert status["dialplans"]["kept_at"]
    clients = {plan["client"] for plan in status["dialplans"]["plans"]}
    caller = town.somebody("Paul Mercier")
    assert town.call(DID, Wait(2.0), HangUp(), caller=caller).trouble == ""

    folder.with_name("elsewhere").rename(folder)
    (data / "postgres").unlink()
    (data / "elsewhere").rename(data / "postgres")
    town.until(lambda: _degraded(town), lambda degraded: degraded == "", 60)
    town.run(town.stack.engine._wait_until_ready())
    assert town.row_of(caller)["did"] == "+33199000020"
    status = town.run(_get(town, "/status"))
    assert (status["database"], status["dialplans"]["kept_at"]) == ("up", None)
    assert {plan["client"] for plan in status["dialplans"]["plans"]} == clients
    assert "a background task died" not in town.stack.engine.log_path.read_text()


def test_callers_do_not_wait_for_postgresql_nor_for_the_folder(town: Town) -> None:
    """PostgreSQL takes connections and says nothing: the folder is loaded when that is given up."""
    engine, caller = town.stack.engine, town.somebody("Paul Mercier")
    before = len(engine.log_path.read_text())

    def said() -> str:
        return engine.log_path.read_text()[before:]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        engine.environment |= {"CALLROUTER_DATABASE_URL": url, "CALLROUTER_LOG_LEVEL": "debug"}
        town.run(engine.start(wait=False))
        town.until(said, lambda log: "logged in to Asterisk" in log, 60)
        assert town.call(DID, Wait(1.0), HangUp(), caller=caller).trouble == ""
        log = town.until(said, lambda log: "dialplans in service" in log and "call ended" in log, 30)

    began, loaded = log.index(f'"caller":"{caller.number}"'), log.index("dialplans in service")
    assert began < loaded, "the call began by what was live last"
    ended = next(line for line in log.splitlines() if "call ended" in line)
    assert '"client":"etude-lenoir"' in ended
    assert "a background task died" not in log
