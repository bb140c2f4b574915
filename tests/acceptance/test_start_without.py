"""An engine that starts without PostgreSQL, or without its folder, serves from what it kept, and goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deploy.demo import stories
from deploy.demo.caller import HangUp, Outcome, UntilSound, UntilTone, Wait
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


@contextlib.contextmanager
def silent_postgresql(town: Town) -> Iterator[None]:
    """The next start finds one that takes connections and says nothing: the folder is loaded when it is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        town.stack.engine.environment |= {"CALLROUTER_DATABASE_URL": url, "CALLROUTER_LOG_LEVEL": "debug"}
        yield


def _said(town: Town) -> Callable[[], str]:
    """What the log says from now on."""
    path = town.stack.engine.log_path
    before = len(path.read_text())
    return lambda: path.read_text()[before:]


def test_callers_do_not_wait_for_postgresql_nor_for_the_folder(town: Town) -> None:
    said, caller = _said(town), town.somebody("Paul Mercier")
    with silent_postgresql(town):
        town.run(town.stack.engine.start(wait=False))
        town.until(said, lambda log: "logged in to Asterisk" in log, 60)
        assert town.call(DID, Wait(1.0), HangUp(), caller=caller).trouble == ""
        log = town.until(said, lambda log: "dialplans in service" in log and "call ended" in log, 30)

    began, loaded = log.index(f'"caller":"{caller.number}"'), log.index("dialplans in service")
    assert began < loaded, "the call began by what was live last"
    ended = next(line for line in log.splitlines() if "call ended" in line)
    assert '"client":"etude-lenoir"' in ended
    assert "a background task died" not in log


def test_a_live_call_goes_on_though_its_file_is_gone(town: Town) -> None:
    """Its client is withdrawn while the caller hears the menu, the engine is killed, and PostgreSQL says nothing."""
    engine = town.stack.engine
    folder = Path(engine.environment["CALLROUTER_DIALPLANS_DIR"])
    town.run(engine.start())
    said = _said(town)

    async def withdraw_and_kill() -> None:
        await asyncio.sleep(3.0)
        (folder / "cabinet-moreau.yaml").unlink()
        await asyncio.to_thread(town.until, said, lambda log: '"withdrawn":"cabinet-moreau"' in log, 20)
        await asyncio.sleep(0.5)  # what a call walks is written to disk
        await engine.kill()
        await engine.start(wait=False)

    async def both() -> Outcome:
        tone = UntilTone(stories.reached(1, 2).hertz, 60)
        calling = town.calling(stories.MOREAU, UntilSound(), tone, Wait(2), HangUp())
        return (await asyncio.gather(calling, withdraw_and_kill()))[0]

    with silent_postgresql(town):
        assert town.run(both()).trouble == ""
        log = town.until(said, lambda log: "call ended" in log, 30)

    assert "live calls were taken over" in log
    ended = next(line for line in log.splitlines() if "call ended" in line)
    assert '"disposition":"answered"' in ended
    assert "welcome → secretaries" in ended
