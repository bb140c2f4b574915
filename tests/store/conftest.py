"""A real PostgreSQL for the tests of the store: one server for the session, a fresh database for every test."""

from __future__ import annotations

import itertools
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    DialOutcome,
    Disposition,
    Message,
    QueueOutcome,
    QueueVisit,
    Revision,
    Visit,
    replace,
)
from callrouter.store.database import Database
from callrouter.store.embedded import start_server, stop_server

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_numbers = itertools.count()


@dataclass
class Server:
    """A PostgreSQL that a test may stop, start and freeze."""

    handle: Any
    url: str

    def pg_ctl(self, *arguments: str) -> None:
        """Run pg_ctl on this server."""
        subprocess.run(
            [str(self.handle.bin_path / "pg_ctl"), "-w", "-D", str(self.handle.pgdata), *arguments],
            user=self.handle.system_user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def crash(self) -> None:
        """Stop without a farewell to anybody."""
        self.pg_ctl("-m", "immediate", "stop")

    def start(self) -> None:
        """Start again, at the same place."""
        options = f'-h "" -k {self.handle.get_postmaster_info().socket_dir}'
        self.pg_ctl("-o", options, "-l", str(self.handle.log), "start")

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay open, and nothing answers."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Undo `freeze`."""
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[Any]:
        postmaster = self.handle.get_postmaster_info().process
        return [postmaster, *postmaster.children(recursive=True)]

    async def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{next(_numbers)}"
        connection = await asyncpg.connect(self.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


def _server(folder: Path) -> Iterator[Server]:
    handle, url = start_server(folder)
    yield Server(handle, url)
    stop_server(handle)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The session's PostgreSQL; nobody may stop it."""
    with tempfile.TemporaryDirectory(prefix="callrouter-pg-") as folder:
        yield from _server(Path(folder))


@pytest.fixture
def own_server(data_dir: Path) -> Iterator[Server]:
    """A PostgreSQL for this test alone, which may be stopped."""
    yield from _server(data_dir)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for an embedded PostgreSQL.

    Not pytest's own: under root the server runs as another user, and every pytest that starts closes its folder to
    others again.
    """
    with tempfile.TemporaryDirectory(prefix="callrouter-pg-") as folder:
        yield Path(folder)


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """A fresh database with this release's schema."""
    opened = await Database.open(await server.new_database(), Path("unused"))
    await opened.upgrade()
    yield opened
    await opened.close()


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """Makes ended calls that differ by their number: `make_call(7)`, and by any field of `Call`."""
    return _call


def _call(number: int = 1, **fields: Any) -> Call:
    ringing_at: datetime = fields.pop("ringing_at", MONDAY + timedelta(seconds=number))

    def after(seconds: float) -> datetime:
        return ringing_at + timedelta(seconds=seconds)

    call = Call(
        call_id=f"call-{number:06}",
        revision=Revision(1795427775000, 9),
        client="cabinet-moreau",
        plan_version="5f2d3c9a10be",
        did="+33140000001",
        caller=CallerId(number="+33612340001", name="Hélène Dupont"),
        state=CallState.ENDED,
        step=4,
        node="secretaries",
        variables={"vip": "no"},
        clocks=Clocks(
            ringing_at=ringing_at,
            answered_at=after(0.01),
            entered_service_at=after(10.5),
            offered_at=after(10.6),
            bridged_at=after(18.25),
            ended_at=after(78.25),
        ),
        visits=(
            Visit(node="hours", exit="open", because="Mon 10:00", at=after(0.02)),
            Visit(node="welcome", exit="key:2", because="key 2", at=after(10.5)),
            Visit(node="secretaries", exit="answered", because="anne, 8 s", at=after(78)),
        ),
        queue_visits=(
            QueueVisit(
                queue="medical",
                entered_at=after(10.5),
                offers=1,
                offered_at=after(10.6),
                agent="anne",
                answered_at=after(18.25),
                left_at=after(78.25),
                outcome=QueueOutcome.ANSWERED,
            ),
        ),
        dials=(DialAttempt(target="on_call", started_at=after(5), ended_at=after(10), outcome=DialOutcome.NO_ANSWER),),
        messages=(
            Message(
                recording=f"rec-{number}", node="note", deliver="email_doctor", started_at=after(70.5), seconds=7.5
            ),
        ),
        disposition=Disposition.ANSWERED,
        hangup_cause=16,
    )
    return replace(call, **fields)
