"""`status` and `dialplan` as an operator runs them, against an engine's HTTP side and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from callrouter.api.engine_app import Operations, create_engine_app
from callrouter.api.status import DialplansOut, RefusedCallsOut, StatusOut, WithoutNumberOut
from callrouter.app.history import PlanHistory
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.store.database import Database

from ..api.serving import TOKEN, make_gate, serving  # noqa: TID252  # tests are no installed package
from .test_main import run

TREE = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: Europe/Paris
language: fr
fallback: { node: bye }
start: bye
nodes:
  bye:
    hangup: { prompt: { say: "Au revoir." } }
"""


class Engine:
    """Plans, and what an operator asks of them."""

    def __init__(self, folder: Path) -> None:
        self.loader = Loader(folder, PaperSpeech())
        self.plans = ServedPlans(self.loader.load(), self.loader, LiveCalls(), now=lambda: datetime.now(UTC))

    async def status(self) -> StatusOut:
        at = datetime(2026, 11, 24, 9, tzinfo=UTC)
        walked = {("a", "older"): 1, ("a", self.plans.plans["a"].version): 2}
        return StatusOut(
            version="0.1.0",
            at=at,
            started_at=at,
            problems=[f"dialplan files: {self.plans.trouble}"] if self.plans.trouble else [],
            asterisk="up",
            database="up",
            live_calls=3,
            refused_calls=RefusedCallsOut(total=12, by_client={"a": 2, "": 10}, last_at=at),
            without_number=[
                without_number("+33199000010", calls=40, unavailable=24),
                without_number("+33199000011", calls=400, unavailable=20),
                without_number("+33199000012", calls=9, unavailable=9),
            ],
            backlog=2,
            backlog_seconds=1.5,
            dialplans=DialplansOut.of(self.plans, walked, watching=True),
        )

    async def reload(self) -> None:
        await self.plans.reload()

    def application(self) -> FastAPI:
        operations = Operations(status=self.status, reload=self.reload)
        return create_engine_app([], CollectorRegistry(), {}, gate=make_gate(), operations=operations)


def without_number(did: str, *, calls: int, unavailable: int) -> WithoutNumberOut:
    """What calls to a number show."""
    few = {"withheld": 3, "unauthenticated": 4} if calls > unavailable else {"withheld": 0, "unauthenticated": 0}
    return WithoutNumberOut(did=did, client="a", calls=calls, unavailable=unavailable, **few)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.yaml").write_text(TREE)
    return served


def command(folder: Path, base: str = "", url: str = "", token: str = TOKEN):  # type: ignore[no-untyped-def]
    environment = {
        "CALLROUTER_ENGINE_URL": base,
        "CALLROUTER_API_TOKEN": token,
        "CALLROUTER_DIALPLANS_DIR": str(folder),
        "CALLROUTER_DATABASE_URL": url,
        "LOGNAME": "anne",
    }
    return lambda *arguments: asyncio.to_thread(run, *arguments, cwd=folder.parent, env=environment)


async def test_status_of_an_engine_that_is_well(folder: Path) -> None:
    engine = Engine(folder)
    async with serving(engine.application()) as base:
        done = await command(folder, base)("status")
        as_json = await command(folder, base)("status", "--json")

    version = engine.plans.plans["a"].version
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.split() for line in done.stdout.splitlines()]
    assert ["Asterisk", "up"] in said
    assert ["Calls", "3", "live;", "2", "not", "written", "yet,", "the", "oldest", "for", "2", "s"] in said
    assert "31 of 40 calls to +33199000010 (a)" in done.stdout
    assert "+33199000011" not in done.stdout.replace(version, ""), "as many as anywhere"
    assert "+33199000012" not in done.stdout, "too few to say anything"
    assert "12 calls: 10 by the machine's limit, 2 by a's limit; the last before" in done.stdout
    assert any(line[:2] == ["a", version] and line[-3:] == ["2", "1", "a.yaml"] for line in said)
    assert json.loads(as_json.stdout)["dialplans"]["plans"][0]["numbers"] == ["+33199000010"]


async def test_status_with_a_refused_file(folder: Path) -> None:
    """Exit 1, and every finding; names of files come as one safe line."""
    engine = Engine(folder)
    (folder / "a.yaml").write_text(TREE.replace("start: bye", "start: by"))
    async with serving(engine.application()) as base:
        await engine.plans.reload()
        done = await command(folder, base)("status")

    assert done.returncode == 1
    assert f"Refused: a.yaml; a keeps version {engine.plans.plans['a'].version}" in done.stdout
    assert '  a.yaml:6: start: "by" does not exist (did you mean "bye"?)' in done.stdout
    assert "Wrong: dialplan files: not served as it stands" in done.stdout


@pytest.mark.parametrize("arguments", [["status"]])
async def test_an_engine_that_is_away_is_a_sentence(folder: Path, free_port, arguments: list[str]) -> None:  # type: ignore[no-untyped-def]
    done = await command(folder, f"http://127.0.0.1:{free_port()}")(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


async def test_status_asks_with_the_token_that_up_keeps(folder: Path) -> None:
    """Nobody has to copy it where `callrouter up` runs."""
    kept = folder.parent / ".run" / "data"
    kept.mkdir(parents=True)
    (kept / "api-token").write_text(f"{TOKEN}\n")
    async with serving(Engine(folder).application()) as base:
        done = await command(folder, base, token="")("status")

    assert (done.returncode, done.stderr) == (0, "")


async def test_another_token_is_refused(folder: Path) -> None:
    async with serving(Engine(folder).application()) as base:
        done = await command(folder, base, token="quite another token")("status")

    assert done.returncode == 1
    assert "refuses our token" in done.stderr


async def test_publish_rollback_and_history(folder: Path, database: Database, database_url: str) -> None:
    """A whole day of an operator who deploys from CI."""
    engine = Engine(folder)
    history = PlanHistory(database, folder)
    engine.plans._on_swap = history.note  # as the engine connects them
    first = engine.plans.plans["a"].version
    await engine.plans.reload()
    ci = folder.parent / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(TREE.replace("Au revoir", "Bonne journée"))
    async with serving(engine.application()) as base:
        callrouter = command(folder, base, database_url)
        published = await callrouter("dialplan", "publish", "ci", "--by", "build 17")
        await history.flush()
        (folder / "a.yaml").write_text(TREE)
        await engine.plans.reload()
        await history.flush()
        back = await callrouter("dialplan", "rollback", "a")
        await history.flush()
        told = await callrouter("dialplan", "history")
        as_json = await callrouter("dialplan", "history", "a", "--json", "--limit", "1")
        nobody = await callrouter("dialplan", "history", "nobody")

    second = engine.plans.plans["a"].version
    assert published.returncode == back.returncode == 0, published.stderr + back.stderr
    assert published.stdout.splitlines()[-1] == "In service: 1 client; 0 files refused."
    assert first != second
    lines = [line.split()[2:] for line in told.stdout.splitlines()]
    assert lines[0] == ["a", second, "rollback", "by", "anne"]
    assert lines[2] == ["a", second, "publish", "by", "build", "17"]
    assert json.loads(as_json.stdout)[0]["version"] == second
    assert (nobody.returncode, nobody.stdout) == (1, "nobody was never live here.\n")


async def test_publishing_while_the_engine_is_away(folder: Path, free_port) -> None:  # type: ignore[no-untyped-def]
    """The files are in place, and the command says that nobody has loaded them."""
    ci = folder.parent / "ci"
    ci.mkdir()
    (ci / "a.yaml").write_text(TREE + "# new\n")
    done = await command(folder, f"http://127.0.0.1:{free_port()}")("dialplan", "publish", "ci")

    assert done.returncode == 1
    assert (folder / "a.yaml").read_text() == TREE + "# new\n"
    assert "the files are in place, but the engine at" in done.stderr
