"""`callrouter check`: findings for people, machines and GitHub."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.patience import COMMAND_SECONDS

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "tests" / "dialplan" / "broken"


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command itself, at the top of the checkout."""
    command = [sys.executable, "-m", "callrouter", "check", *arguments]
    environment = os.environ | {"CALLROUTER_DIALPLANS_DIR": "dialplans"}  # whatever a `.env` there says
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )


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


def test_a_warning_does_not_fail(tmp_path: Path) -> None:
    """It is printed all the same."""
    shutil.copytree(BROKEN / "shared", tmp_path / "shared")
    done = check(str(shutil.copy(BROKEN / "fallback_absent.yaml", tmp_path)))

    assert done.returncode == 0
    assert "warning: " in done.stdout


def test_one_file_is_compared_with_those_beside_it(tmp_path: Path) -> None:
    """For a client, or a number however it is written, that both claim, and for numbers it has dialled."""
    good = (BROKEN / "folders" / "acme.yaml").read_text()
    shutil.copytree(BROKEN / "shared", tmp_path / "shared")
    (tmp_path / "other.yaml").write_text(good.replace('"01 99 00 00 90"', '"+33 (0)1 99.00.00.90", "01 99 00 00 91"'))
    overflow = 'sales:\n    redirect: { number: "01 99 00 00 91", failed: word }'
    mine = good.replace("sales:\n    queue: { name: sales, max_wait: 3m, overflow: word }", overflow)
    (tmp_path / "acme.yaml").write_text(mine)

    beyond = "the call would come in again through the telephone network"
    mend = 'to go on in that tree, write did instead of number (did you mean "did"?)'
    assert check(str(tmp_path / "acme.yaml")).stdout.splitlines()[:-1] == [
        f'acme.yaml:14: node "sales": +33199000091 is a number of other.yaml: {beyond}; {mend}',
        'acme.yaml:1: client: "acme" is the client of other.yaml too',
        "acme.yaml:3: numbers: +33199000090 is a number of other.yaml:3 too",
    ]


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

    assert done.stdout.splitlines()[0] == (
        '::error file=tests/dialplan/broken/queue_unknown.yaml,line=23::node "sales": queue "sale" is not in'
        ' shared/queues.yaml (did you mean "sales"?)'
    )


def test_a_folder_that_is_not_there() -> None:
    """A sentence, exit 2, no traceback."""
    done = check("nowhere")

    assert done.returncode == 2
    assert done.stderr == "callrouter: nowhere does not exist: name a folder of clients' files, or one client's file\n"


def test_trees_are_drawn() -> None:
    """For those who want to look at them."""
    assert "start → filter: caller" in check("--show").stdout
