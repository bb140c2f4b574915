"""`callrouter check`: findings for people, machines and GitHub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests" / "dialplan" / "broken"


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command itself, at the top of the checkout."""
    command = [sys.executable, "-m", "callrouter", "check", *arguments]
    environment = os.environ | {"CALLROUTER_DIALPLANS_DIR": "dialplans"}  # whatever a `.env` there says
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_demonstration_passes() -> None:
    """Exit 0, one line."""
    done = check()

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 clients with ")
    assert done.stdout.endswith("can be served; 0 errors, 0 warnings.\n")


def test_a_mistake_is_printed_and_fails() -> None:
    """The sentence, and exit 1."""
    done = check(str(BROKEN / "unknown_exit_target.yaml"))

    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == (BROKEN / "unknown_exit_target.txt").read_text().strip()


def test_a_warning_does_not_fail() -> None:
    """It is printed all the same."""
    done = check(str(BROKEN / "fallback_absent.yaml"))

    assert done.returncode == 0
    assert "warning: " in done.stdout


def test_machines_get_json() -> None:
    """Every field by name."""
    done = check("--json", str(BROKEN / "queue_unknown.yaml"))
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert not found["ok"]
    assert found["issues"][0]["line"] == 23
    assert found["issues"][0]["node"] == "sales"
    assert found["issues"][0]["suggestion"] == "sales"
    assert found["issues"][0]["severity"] == "error"


def test_github_gets_annotations() -> None:
    """With the path from the checkout; nothing in a document can begin another command."""
    done = check("--github", str(BROKEN / "queue_unknown.yaml"))

    assert done.stdout == (
        '::error file=tests/dialplan/broken/queue_unknown.yaml,line=23::node "sales": queue "sale" is not in'
        ' shared/queues.yaml (did you mean "sales"?)\n'
    )


def test_a_folder_that_is_not_there() -> None:
    """A sentence, exit 2, no traceback."""
    done = check("nowhere")

    assert done.returncode == 2
    assert done.stderr == "callrouter: nowhere does not exist: name a folder of clients' files, or one client's file\n"


def test_trees_are_drawn() -> None:
    """For those who want to look at them."""
    assert "start → filter: caller" in check("--show").stdout
