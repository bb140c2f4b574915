"""What cannot start says why, in a sentence, and ends with a status."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.asterisk.pbx import Pbx
from deploy.demo.stack import clean_environment

if TYPE_CHECKING:
    from conftest import Town

CALLROUTER = str(Path(sys.executable).with_name("callrouter"))


def start(town: Town, tmp_path: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**town.stack.engine.environment, "CALLROUTER_DATA_DIR": str(tmp_path / "data")}
    environment |= {f"CALLROUTER_{name}": value for name, value in changed.items()}
    return subprocess.run(
        [CALLROUTER, "up"],
        env=clean_environment() | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def says(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr + done.stdout, done.stderr[-2000:]


def free_ports(free_port: object) -> dict[str, str]:
    assert callable(free_port)
    engine = free_port()
    web = next(port for port in iter(free_port, None) if port != engine)
    return {"ENGINE_PORT": str(engine), "WEB_PORT": str(web)}


def test_wrong_ami_secret(
    town: Town, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, free_port: object
) -> None:
    """On an Asterisk that no engine is logged in to: where one is, a second one waits for its turn."""
    with Pbx.start(tmp_path_factory.mktemp("pbx")) as pbx:
        done = start(town, tmp_path, AMI_PORT=str(pbx.ami_port), AMI_SECRET="wrong", **free_ports(free_port))
    says(done, "CALLROUTER_AMI_SECRET")


def test_missing_ami_secret(town: Town, tmp_path: Path, free_port: object) -> None:
    says(start(town, tmp_path, AMI_SECRET="", **free_ports(free_port)), "CALLROUTER_AMI_SECRET")


@pytest.mark.parametrize("name", ["ENGINE_PORT", "WEB_PORT"])
def test_port_taken(town: Town, tmp_path: Path, free_port: object, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        says(start(town, tmp_path, **{**free_ports(free_port), name: taken}), taken, f"CALLROUTER_{name}")


def test_database_unreachable(town: Town, tmp_path: Path, free_port: object) -> None:
    ports = free_ports(free_port)
    url = f"postgresql://nobody:nothing@127.0.0.1:{ports['WEB_PORT']}/none"
    says(start(town, tmp_path, DATABASE_URL=url, **ports), "127.0.0.1", "DATABASE_URL")


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_no_dialplans(town: Town, tmp_path: Path, free_port: object, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    says(start(town, tmp_path, DIALPLANS_DIR=str(tmp_path / folder), **free_ports(free_port)), folder)
