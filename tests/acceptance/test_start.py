"""What cannot start says why, in a sentence, and ends with the status that is documented."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callrouter.store.database import Database
from deploy.asterisk.pbx import Pbx
from deploy.demo.stack import clean_environment
from tests.patience import COMMAND_SECONDS

if TYPE_CHECKING:
    from tests.acceptance.conftest import Town

CALLROUTER = str(Path(sys.executable).with_name("callrouter"))


MISCONFIGURED, FAILED = 2, 1
"""As `callrouter --help`'s module says: a setting or a client's file is wrong; anything else."""


def start(town: Town, tmp_path: Path, verb: str = "up", **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**town.stack.engine.environment, "CALLROUTER_DATA_DIR": str(tmp_path / "data")}
    environment |= {f"CALLROUTER_{name}": value for name, value in changed.items()}
    return subprocess.run(
        [CALLROUTER, verb],
        env=clean_environment() | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def says(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stderr[-2000:]
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr + done.stdout, done.stderr[-2000:]


def free_ports(free_port: Callable[[], int]) -> dict[str, str]:
    engine = free_port()
    web = next(port for port in iter(free_port, None) if port != engine)
    return {"ENGINE_PORT": str(engine), "WEB_PORT": str(web)}


@pytest.fixture(scope="module")
def lonely_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """An Asterisk that no engine is logged in to: where one is, a second one waits for its turn."""
    with Pbx.start(tmp_path_factory.mktemp("pbx")) as pbx:
        yield pbx


@pytest.fixture(scope="module")
def newer_database(postgres: str) -> str:
    """The URL of a database that a newer release has upgraded."""

    async def make() -> str:
        connection = await asyncpg.connect(postgres)
        await connection.execute("CREATE DATABASE newer")
        await connection.close()
        database = Database(make_url(postgres).set(database="newer"))
        await database.upgrade()
        async with database.connection() as opened:
            await opened.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            comment = "callrouter: releases whose schema is at 9999 or later run on it"
            await opened.execute(text(f"COMMENT ON TABLE alembic_version IS '{comment}'"))
        await database.close()
        return database.url.render_as_string(hide_password=False)

    return asyncio.run(make())


@pytest.mark.parametrize("verb", ["up", "engine"])
def test_wrong_ami_secret(town: Town, tmp_path: Path, lonely_pbx: Pbx, free_port: Callable[[], int], verb: str) -> None:
    wrong = {"AMI_PORT": str(lonely_pbx.ami_port), "AMI_SECRET": "wrong"}
    says(start(town, tmp_path, verb, **wrong, **free_ports(free_port)), FAILED, "CALLROUTER_AMI_SECRET")


STOPPED_SECONDS = 12.0
"""Longer than an engine waits for an Asterisk that is not there."""


@pytest.mark.parametrize("answers", [False, True])
def test_wrong_ami_secret_on_a_machine_that_does_not_let_it_run(
    town: Town, tmp_path: Path, lonely_pbx: Pbx, free_port: Callable[[], int], answers: bool
) -> None:
    """The engine is stopped for a while, from its beginning or from when it answers: it ends the start all the same."""
    wrong = {"AMI_PORT": str(lonely_pbx.ami_port), "AMI_SECRET": "wrong", **free_ports(free_port)}
    stopped = list[int]()

    def stop() -> None:
        for _ in range(30_000):
            found = [pid for pid in _engines(wrong["ENGINE_PORT"]) if not answers or _listens(wrong["ENGINE_PORT"])]
            if found:
                break
            time.sleep(0.002)
        os.kill(found[0], signal.SIGSTOP)
        stopped.append(found[0])
        time.sleep(STOPPED_SECONDS)
        os.kill(found[0], signal.SIGCONT)

    stopping = threading.Thread(target=stop)
    stopping.start()
    done = start(town, tmp_path, "up", **wrong)
    stopping.join()

    assert len(stopped) == 1
    says(done, FAILED, "CALLROUTER_AMI_SECRET")
    assert "is started again" not in done.stdout + done.stderr


def _engines(port: str) -> list[int]:
    """Processes of `callrouter engine` that are to listen at that port."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().split(b"\0")
            if b"engine" in command and f"CALLROUTER_ENGINE_PORT={port}".encode() in (
                (process / "environ").read_bytes().split(b"\0")
            ):
                found.append(int(process.name))
    return found


def _listens(port: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 0.1):
        return True
    return False


@pytest.mark.parametrize("verb", ["up", "engine"])
def test_missing_ami_secret(town: Town, tmp_path: Path, free_port: Callable[[], int], verb: str) -> None:
    done = start(town, tmp_path, verb, AMI_SECRET="", **free_ports(free_port))
    says(done, MISCONFIGURED, "CALLROUTER_AMI_SECRET")


def test_up_writes_its_token_into_no_log(
    town: Town, tmp_path: Path, lonely_pbx: Pbx, free_port: Callable[[], int]
) -> None:
    """It says in which file the token is; and a `.env` that all could read is closed."""
    (tmp_path / ".env").write_text("CALLROUTER_LOG_LEVEL=debug\n")
    (tmp_path / ".env").chmod(0o644)
    wrong = {"AMI_PORT": str(lonely_pbx.ami_port), "AMI_SECRET": "wrong", "API_TOKEN": ""}
    done = start(town, tmp_path, "up", **wrong, **free_ports(free_port))
    kept = tmp_path / "data" / "api-token"

    says(done, FAILED, str(kept))
    assert kept.read_text().strip() not in done.stdout + done.stderr
    assert [path.stat().st_mode & 0o777 for path in (kept, tmp_path / ".env")] == [0o600, 0o600]
    assert (tmp_path / "data" / "spool").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data").stat().st_mode & 0o006 == 0


@pytest.mark.parametrize("verb", ["engine", "web"])
def test_missing_token(town: Town, tmp_path: Path, free_port: Callable[[], int], verb: str) -> None:
    says(start(town, tmp_path, verb, API_TOKEN="", **free_ports(free_port)), MISCONFIGURED, "CALLROUTER_API_TOKEN")


@pytest.mark.parametrize(
    ("verb", "name"), [("up", "ENGINE_PORT"), ("up", "WEB_PORT"), ("engine", "ENGINE_PORT"), ("web", "WEB_PORT")]
)
def test_port_taken(town: Town, tmp_path: Path, free_port: Callable[[], int], verb: str, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        done = start(town, tmp_path, verb, **{**free_ports(free_port), name: taken})
    says(done, MISCONFIGURED, taken, f"CALLROUTER_{name}")


@pytest.mark.parametrize("verb", ["up", "engine", "web"])
def test_newer_schema(town: Town, tmp_path: Path, newer_database: str, free_port: Callable[[], int], verb: str) -> None:
    done = start(town, tmp_path, verb, DATABASE_URL=newer_database, **free_ports(free_port))
    says(done, FAILED, "newer callrouter", "9999")


@pytest.mark.parametrize("verb", ["up", "engine", "web"])
def test_database_unreachable(town: Town, tmp_path: Path, free_port: Callable[[], int], verb: str) -> None:
    ports = free_ports(free_port)
    url = f"postgresql://nobody:nothing@127.0.0.1:{ports['WEB_PORT']}/none"
    says(start(town, tmp_path, verb, DATABASE_URL=url, **ports), FAILED, "127.0.0.1", "DATABASE_URL")


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_no_dialplans(town: Town, tmp_path: Path, lonely_pbx: Pbx, free_port: Callable[[], int], folder: str) -> None:
    (tmp_path / "empty").mkdir()
    lonely = {"AMI_PORT": str(lonely_pbx.ami_port), "AMI_SECRET": lonely_pbx.ami_secret}
    done = start(town, tmp_path, DIALPLANS_DIR=str(tmp_path / folder), **lonely, **free_ports(free_port))
    says(done, MISCONFIGURED, folder)
