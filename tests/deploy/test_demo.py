"""The demonstration keeps to itself: it never touches what an operator runs from the same checkout."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo import stack
from tests.patience import COMMAND_SECONDS

OPERATORS = "postgresql://operator:secret@db.example:5432/production"


async def test_an_operators_settings_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those of the environment nor those of a `.env` in the checkout."""
    monkeypatch.setenv("CALLROUTER_DATABASE_URL", OPERATORS)
    monkeypatch.setattr(stack, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.chdir(_folder(tmp_path / "checkout"))
    (tmp_path / "checkout" / ".env").write_text(f"CALLROUTER_DATABASE_URL={OPERATORS}\nCALLROUTER_AMI_USER=operator\n")
    log = _folder(tmp_path / "root") / "callrouter.log"
    engine = stack.Engine(environment={}, engine_url="", web_url="", token="", log_path=log, verb="settings")

    await engine.start(wait=False)
    while engine.is_running:
        await asyncio.sleep(0.05)

    shown = {words[0]: words[1:] for line in log.read_text().splitlines() if len(words := line.split()) > 1}
    assert shown["CALLROUTER_AMI_USER"][:2] == ["callrouter", "default"]
    assert "db.example" not in log.read_text()


def test_no_test_sees_settings_of_this_machine(tmp_path: Path) -> None:
    """Fixtures of the whole run, which begin before any test, neither."""
    (tmp_path / "test_inner.py").write_text(
        "import json, os, pytest\n"
        "@pytest.fixture(scope='session', autouse=True)\n"
        "def seen():\n"
        "    print('seen', json.dumps([name for name in os.environ if name.startswith('CALLROUTER_')]))\n"
        "def test_it(): pass\n"
    )
    checkout = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=checkout,
        env=os.environ | {"CALLROUTER_DATABASE_URL": OPERATORS},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.partition("seen ")[2].splitlines()[0]) == []


@pytest.mark.parametrize("calls", ["abc", "-1", "1.5", "٣"])
def test_a_number_of_calls_that_is_none(calls: str) -> None:
    """`CALLS=abc make run`: a sentence before anything is started, and status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo.run"],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | {"CALLS": calls},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )

    assert done.returncode == 2
    assert f"CALLS is {calls!r}, and must be a number" in done.stderr
    assert "Traceback" not in done.stderr


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
