"""`show` and `diff` as an operator runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_main import run

DIALPLANS = Path(__file__).parents[2] / "dialplans"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git repository with the demonstration clients in `clients`, committed."""
    shutil.copytree(DIALPLANS, tmp_path / "clients", symlinks=True)
    identity = ("-c", "user.name=Operator", "-c", "user.email=operator@example.org")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "Start")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def _change(folder: Path) -> None:
    file = folder / "clients" / "cabinet-moreau.yaml"
    file.write_text(file.read_text().replace('sat: "09:00-12:00"', 'sat: "09:00-13:00"'))


def test_diff_with_a_revision(checkout: Path) -> None:
    """The folder and the one file; from below the top as well."""
    _change(checkout)
    whole = run("diff", "HEAD:clients", "clients", cwd=checkout)
    single = run("diff", "HEAD:clients/cabinet-moreau.yaml", "cabinet-moreau.yaml", cwd=checkout / "clients")

    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.startswith("Cabinet du docteur Moreau (cabinet-moreau)\n  On Saturdays 12:00–13:00")
    assert single.stdout == whole.stdout


def test_diff_for_machines(checkout: Path) -> None:
    """With an exit code for those who ask for it."""
    _change(checkout)
    done = run("diff", "HEAD:clients", "clients", "--json", "--exit-code", cwd=checkout)

    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["changed"]
    assert found["clients"][0]["changes"][0]["times"] == "on Saturdays 12:00–13:00 (not on holidays)"


def test_nothing_changes(checkout: Path) -> None:
    """And it says so."""
    done = run("diff", "HEAD:clients", "clients", "--exit-code", cwd=checkout)

    assert (done.returncode, done.stdout) == (0, "Nothing changes for any caller.\n")


def test_clients_who_come_and_go(checkout: Path) -> None:
    """Their callers are named by the number they dial."""
    (checkout / "clients" / "plomberie-garnier.yaml").unlink()
    gone = run("diff", "HEAD:clients", "clients", cwd=checkout).stdout
    new = run("diff", "clients", "HEAD:clients", cwd=checkout).stdout

    assert "callers of +33199000030, +33199000031 now hear that the number is not in service" in gone
    assert "is new, on +33199000030, +33199000031." in new


@pytest.mark.parametrize(
    ("old", "sentence"),
    [
        ("nowhere", "nowhere does not exist"),
        ("HEAD~9:clients", "git cannot read HEAD~9:clients"),
        ("HEAD:nowhere", "git cannot read HEAD:nowhere"),
        ("--output=x:clients", "No such option: --output"),
        (":clients", "names no revision"),
    ],
)
def test_a_side_that_is_not_there(checkout: Path, old: str, sentence: str) -> None:
    """A sentence and exit code 2."""
    done = run("diff", old, "clients", cwd=checkout)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_side_that_cannot_be_served(checkout: Path) -> None:
    """Its findings are shown."""
    (checkout / "clients" / "cabinet-moreau.yaml").write_text("client: x\n")
    done = run("diff", "HEAD:clients", "clients", cwd=checkout)

    assert done.returncode == 2
    assert "cabinet-moreau.yaml:" in done.stderr


@pytest.mark.parametrize(
    ("option", "beginning"),
    [
        ([], "Brighton Books (brighton-books, en,"),
        (["--mermaid"], '---\ntitle: "Brighton Books"\n---\nflowchart TD'),
        (["--svg"], "<svg xmlns="),
        (["--hours", "2026-W52"], "Brighton Books (brighton-books.yaml), 2026-W52: Mon 21 Dec to Sun 27 Dec 2026"),
    ],
)
def test_show(tmp_path: Path, option: list[str], beginning: str) -> None:
    """In each form."""
    done = run("show", str(DIALPLANS / "brighton-books.yaml"), *option, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(beginning)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--hours", "soon"], "--hours: 'soon' is no week"), (["--svg"], "an SVG holds one tree")],
)
def test_show_says_what_is_wrong(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """A sentence and exit code 2."""
    done = run("show", str(DIALPLANS), *arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_difference_that_no_caller_meets(checkout: Path) -> None:
    """What is whispered to agents, who answers a team's line, and what only a shared file knows."""
    file = checkout / "clients" / "cabinet-moreau.yaml"
    file.write_text(file.read_text().replace('brief: { say: "Cabinet Moreau." }', 'brief: { say: "Chez Moreau." }'))
    for name, old, new in (
        ("queues", "members: [agent-1, agent-2]", "members: [agent-1, agent-4]"),
        ("contacts", "garnier.example", "garnier-fils.example"),
        ("agents", "# The secretaries.", "# All secretaries."),
    ):
        shared = checkout / "clients" / "shared" / f"{name}.yaml"
        shared.write_text(shared.read_text().replace(old, new))
    done = run("diff", "HEAD:clients", "clients", "--exit-code", cwd=checkout)

    assert done.returncode == 1
    assert done.stdout == (
        "Cabinet du docteur Moreau (cabinet-moreau)\n"
        "  At secretaries, what agents hear first of queue medical is now «Chez Moreau.» instead of «Cabinet"
        " Moreau.».\n"
        "\n"
        "Queue medical: agent-4 now answers it; agent-2 no longer does.\n"
        "Contact email_plumber: email is now depannage@garnier-fils.example instead of depannage@garnier.example.\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--at", "0001-01-01T00:00"], "--at: '0001-01-01T00:00' is not within 1970 to 2200"),
        (["--message", "nan"], '--message: "nan" is no duration'),
        (["--message", "-5"], '--message: "-5" is no duration'),
        (["--hang-up-after", "0"], "--hang-up-after: waits are counted from 1"),
        (["--hang-up-after", "-1"], '--hang-up-after: "-1" is not a whole number'),
        (["--queue-state", "medical=agents:x"], "--queue-state: agents: "),
        (["--queue-state", "medical=agent:1"], "'agent' cannot be said of a queue (did you mean \"agents\"?)"),
        (["--queue-state", "medical=agents:1,free:2"], "2 agents cannot be free where 1 are logged in"),
        (["--lookup", "rank=gold"], "--lookup: 'rank' is no variable of a lookup: it has none"),
    ],
)
def test_route_says_what_is_wrong(tmp_path: Path, options: list[str], sentence: str) -> None:
    """A sentence and exit code 2, never a traceback."""
    done = run("route", str(DIALPLANS / "cabinet-moreau.yaml"), *options, cwd=tmp_path)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("at", "remark"),
    [
        ("2026-03-29T02:30", "02:30 does not exist on that day, the clocks go forward: 03:00 is taken"),
        ("2045-06-01T10:00", "public holidays are known for "),
    ],
)
def test_route_says_how_a_time_was_understood(tmp_path: Path, at: str, remark: str) -> None:
    """Beside the call."""
    done = run("route", str(DIALPLANS / "cabinet-moreau.yaml"), "--at", at, cwd=tmp_path)

    assert done.returncode == 0
    assert remark in done.stderr


@pytest.mark.parametrize("command", ["check", "show", "teams"])
@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("shared", "is what clients share, and no client's: name the folder above"),
        ("shared/queues.yaml", "is what clients share, and no client's: name the folder above"),
        ("cabinet-moreau.test.yaml", "cabinet-moreau.yaml, or the folder; they are played with it"),
    ],
)
def test_a_document_of_another_kind(tmp_path: Path, command: str, named: str, sentence: str) -> None:
    """One sentence, instead of findings in every line; `teams` would take all of them from the PBX."""
    done = run(command, str(DIALPLANS / named), cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert (sentence if command != "teams" or named == "shared" else "is no folder") in done.stderr


def test_route_of_a_number_nobody_has(tmp_path: Path) -> None:
    """It is named, and so is what its callers hear."""
    done = run("route", str(DIALPLANS), "--to", "01 99 00 00 77", cwd=tmp_path)

    assert done.returncode == 2
    assert "has the number 01 99 00 00 77: callers hear that it is not in service" in done.stderr
