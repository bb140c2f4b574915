"""`callrouter agents`, run as a command: against an engine's pages, and on the record."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry

from callrouter.api.agents.wishes import Wish
from callrouter.api.engine_app import create_engine_app
from callrouter.core.agents.sessions import Session, SessionKind
from callrouter.core.agents.standing import PinCheck
from callrouter.core.call import replace
from callrouter.store.agents.pins import PinBook, set_pin
from callrouter.store.agents.sessions import SessionLog
from callrouter.store.database import Database

from ..api.agents_at_work import MONDAY, SomeAgents  # noqa: TID252  # tests are no installed package
from ..api.serving import TOKEN, make_gate, serving  # noqa: TID252
from .test_main import run


class Desk:
    """The command, and the agents that an engine has."""

    def __init__(self, folder: Path, engine: str, database_url: str) -> None:
        self.agents = SomeAgents()
        self._folder = folder
        self._env = {
            "CALLROUTER_DATABASE_URL": database_url,
            "CALLROUTER_API_TOKEN": TOKEN,
            "CALLROUTER_ENGINE_PORT": str(urlsplit(engine).port),
            "LOGNAME": "anne",
        }

    async def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Its end."""
        return await asyncio.to_thread(run, "agents", *arguments, cwd=self._folder, env=self._env)


@pytest.fixture
async def desk(database_url: str, database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    agents = SomeAgents()
    async with serving(create_engine_app([], CollectorRegistry(), {}, gate=make_gate(), agents=agents)) as engine:
        made = Desk(tmp_path, engine, database_url)
        made.agents = agents
        yield made


async def test_who_is_where(desk: Desk) -> None:
    """For a person, and for machines."""
    shown, as_json = await desk.command("list"), await desk.command("list", "--json")

    assert "agent-1" in shown.stdout
    assert "ready" in shown.stdout
    assert [one["agent"] for one in json.loads(as_json.stdout)["agents"]] == ["agent-1", "agent-2"]


async def test_what_is_done_for_an_agent(desk: Desk) -> None:
    """In the name of whoever types; what is refused is a sentence, and the command fails."""
    done = await desk.command("log-in", "agent-1", "--phone", "agent-2")
    await desk.command("pause", "agent-1", "--reason", "lunch")
    desk.agents.refuses = True
    refused = await desk.command("log-out", "agent-1")

    assert done.stdout == "Agent agent-1 is ready at agent-1.\n", done.stderr
    assert desk.agents.wishes == [
        (Wish.LOG_IN, "agent-1", "agent-2", "command:anne"),
        (Wish.PAUSE, "agent-1", "lunch", "command:anne"),
    ]
    assert (refused.returncode, refused.stderr) == (1, "callrouter: agent agent-1 is not logged in\n")


async def test_sessions_of_the_record(desk: Desk, database: Database, tmp_path: Path) -> None:
    """What lasts, and what has ended and why."""
    lunch = Session(agent="agent-1", kind=SessionKind.PAUSE, phone="agent-1", reason="lunch", started_at=MONDAY)
    book = SessionLog(database, tmp_path, pbx="pbx-1")
    book.tell(replace(lunch, ended_at=MONDAY + timedelta(minutes=30), ended_by="agent"))
    book.tell(replace(lunch, kind=SessionKind.LOGIN, reason=""))
    await book.flush()
    shown = await desk.command("sessions", "agent-1")
    nothing = await desk.command("sessions", "agent-2")

    assert "agent-1 at agent-1: pause lunch" in shown.stdout
    assert "lasts  agent-1 at agent-1: login" in shown.stdout
    assert nothing.stdout == "There is no session of that kind.\n"


async def test_figures_of_the_record(desk: Desk, database: Database, tmp_path: Path) -> None:
    """A line a day and one in all; for machines as the API."""
    book = SessionLog(database, tmp_path, pbx="pbx-1")
    login = Session(agent="agent-1", kind=SessionKind.LOGIN, phone="agent-1", started_at=MONDAY)
    book.tell(replace(login, ended_at=MONDAY + timedelta(hours=26), ended_by="agent"))
    lunch = replace(login, kind=SessionKind.PAUSE, reason="lunch", ended_at=MONDAY + timedelta(minutes=30))
    book.tell(replace(lunch, ended_by="agent"))
    await book.flush()
    period = ("--from", "2026-11-23", "--to", "2026-11-25", "--timezone", "UTC")
    shown = await desk.command("figures", *period, "--step", "day")
    as_json = await desk.command("figures", "agent-1", "--month", "2026-11", "--json")
    nobody = await desk.command("figures", "agent-2", *period)
    wrong = await desk.command("figures", "--from", "2026-11-24", "--to", "2026-11-23")

    lines = [line.split() for line in shown.stdout.splitlines() if line.startswith("agent-1")]
    assert lines[0][:7] == ["agent-1", "2026-11-23", "0", "0:00:00", "0:00:00", "0:00:00", "–"]
    assert [(line[1], line[-5]) for line in lines] == [
        ("2026-11-23", "15:00:00"),
        ("2026-11-24", "11:00:00"),
        ("in", "26:00:00"),
    ]
    assert "Paused for lunch: 0:30:00" in shown.stdout
    assert json.loads(as_json.stdout)["totals"][0]["logged_in_seconds"] == 26 * 3600
    assert "No agent did anything, or was there." in nobody.stdout
    assert (wrong.returncode, "--from must be before --to" in wrong.stderr) == (2, True)


async def test_a_pin_is_for_somebody(desk: Desk) -> None:
    """A slip of the name is said before anything is asked."""
    done = await desk.command("pin", "agent-9")

    assert (done.returncode, done.stderr) == (2, "callrouter: there is no agent agent-9 in shared/agents.yaml\n")


async def test_a_pin_is_taken_away(desk: Desk, database: Database) -> None:
    """Once; who has none is said to have none."""
    await set_pin(database, "agent-1", "2580", by="command:anne", now=MONDAY)
    done = await desk.command("pin", "agent-1", "--remove")
    again = await desk.command("pin", "agent-1", "--remove")

    assert done.stdout == "Agent agent-1 has no PIN any more.\n"
    assert "has no PIN" in again.stderr
    assert await PinBook(database).check("agent-1", "2580") is PinCheck.UNSET
