"""The command as an operator runs it: exit codes, sentences instead of tracebacks, and a quick start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from callrouter import __version__
from callrouter.cli.application import COMMANDS
from tests.patience import COMMAND_SECONDS

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`callrouter` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "callrouter", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", "COLUMNS": "120", **(env or {})},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def test_version(tmp_path: Path) -> None:
    done = run("--version", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"callrouter {__version__}\n", "")


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)

    assert done.returncode == 0
    for name, summary in COMMANDS.items():
        assert name in done.stdout
        assert summary.split(",")[0].split(":")[0] in done.stdout


@pytest.mark.parametrize("command", [[], ["check"], ["dialplan"], ["dialplan", "publish"]])
def test_help_shows_no_type_beside_a_flag(tmp_path: Path, command: list[str]) -> None:
    """Nothing that looks as if the flag took a value."""
    done = run(*command, "--help", cwd=tmp_path)

    assert done.returncode == 0
    assert "--help" in done.stdout
    assert "<bool>" not in done.stdout


def test_settings_says_where_each_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CALLROUTER_AMI_SECRET=hunter2\n")

    done = run("settings", "--json", cwd=tmp_path, env={"CALLROUTER_AMI_PORT": "5039"})

    shown = {one["variable"]: (one["value"], one["from"]) for one in json.loads(done.stdout)}
    assert shown["CALLROUTER_AMI_SECRET"] == ("********", ".env")
    assert shown["CALLROUTER_AMI_PORT"] == ("5039", "environment")
    assert shown["CALLROUTER_AMI_USER"] == ("callrouter", "default")


def test_settings_for_people(tmp_path: Path) -> None:
    done = run("settings", cwd=tmp_path)

    assert done.returncode == 0
    assert any(line.split()[:3] == ["CALLROUTER_AMI_PORT", "5038", "default"] for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", [["settings"], ["stats"], ["explain", "1-2-3"]])
def test_a_wrong_setting_is_a_sentence_and_exit_code_2(tmp_path: Path, command: list[str]) -> None:
    done = run(*command, cwd=tmp_path, env={"CALLROUTER_AMI_PORT": "abc"})

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("callrouter: CALLROUTER_AMI_PORT (environment) is 'abc': ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["stats"], ["explain", "1-2-3"]])
def test_an_unreachable_database_is_a_sentence_and_exit_code_1(tmp_path: Path, command: list[str]) -> None:
    url = "postgresql://callrouter:hunter2@127.0.0.1:9/calls"

    done = run(*command, cwd=tmp_path, env={"CALLROUTER_DATABASE_URL": url})

    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "CALLROUTER_DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    done = run("chek", cwd=tmp_path)

    assert done.returncode == 2
    assert "No such command 'chek'" in done.stderr


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(tmp_path: Path, name: str) -> None:
    done = run(name, "--help", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Usage: callrouter" in done.stdout


def test_it_starts_light() -> None:
    """Nothing heavy, and no command, is imported before it is needed."""
    code = (
        "import sys, callrouter.cli.application as c; "
        "heavy = {'fastapi', 'sqlalchemy', 'pydantic', 'prometheus_client', 'asyncpg', 'structlog', 'panoramisk'}; "
        "commands = {f'callrouter.cli.{name}' for name in c.COMMANDS}; "
        "print(sorted((heavy | commands) & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_an_engine_loads_what_calls_need() -> None:
    """Callers wait for its start: what answers over HTTP, or changes the schema, comes later."""
    code = (
        "import sys, callrouter.cli.engine; "
        "later = {'fastapi', 'starlette', 'uvicorn', 'alembic', 'jinja2', 'callrouter.app.wiring.front', "
        "'callrouter.api.schemas', 'holidays.countries.france'}; "
        "print(sorted(later & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_route_loads_only_what_it_needs() -> None:
    """Nor does a question about a tree load what serves calls, keeps the record, or draws tables for people."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "callrouter", "route", "dialplans/cabinet-moreau.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    unneeded = {
        *("sqlalchemy", "asyncpg", "alembic", "fastapi", "starlette", "uvicorn", "httpx", "jinja2", "structlog"),
        *("prometheus_client", "panoramisk", "uvloop", "asyncio", "pydantic_settings", "rich", "wave"),
        *("callrouter.store", "callrouter.settings", "callrouter.api", "callrouter.asterisk"),
        *("callrouter.questions.outcomes", "callrouter.questions.diff", "callrouter.dialplan.show"),
    }

    assert "callrouter.questions.asking" in loaded
    assert loaded & unneeded == set()


def test_a_question_that_nobody_reads_to_its_end_says_nothing() -> None:
    """`callrouter show … | head -1`: whoever has read enough is told of no broken pipe."""
    show = [sys.executable, "-m", "callrouter", "show", "dialplans/cabinet-moreau.yaml"]
    with subprocess.Popen(show, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
        assert asked.stdout is not None
        assert asked.stderr is not None
        asked.stdout.close()
        said = asked.stderr.read()

    assert (asked.returncode, said) == (1, b"")
