"""The PBX's teams are the folder's own: what shared/queues.yaml and shared/agents.yaml say is what Asterisk has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.asterisk.pbx import Pbx, PbxError, teams_of_folder

CHECKOUT = Path(__file__).resolve().parents[2]
PBX = CHECKOUT / "deploy" / "asterisk" / "pbx.py"
QUEUES = """\
queues:
  night:
    title: Whoever is awake
    members: [anne, bruno]
    strategy: ringall
    ring: 12s
    retry: 0.4s
    wrap_up: 20s
    max_callers: 7
  returns: {}
"""
AGENTS = "agents:\n  anne: { name: Anne Martin, phone: desk-12 }\n  bruno: {}\n  claire: {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of clients' files with teams of its own."""
    shared = tmp_path / "dialplans" / "shared"
    shared.mkdir(parents=True)
    (shared / "queues.yaml").write_text(QUEUES)
    (shared / "agents.yaml").write_text(AGENTS)
    return tmp_path / "dialplans"


def render(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PBX), "render", "--out", str(out), "--agents", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def sections(path: Path) -> dict[str, list[str]]:
    """The lines of each section that has the name of a queue or a telephone."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text().splitlines():
        if heading := re.match(r"\[([a-z0-9-]+)\]\(", line):
            name = heading[1]
        found.setdefault(name, []).append(line)
    return found


def test_the_folders_teams_are_rendered(folder: Path, tmp_path: Path) -> None:
    """Every setting acts, in whole seconds; members are rung at their own telephones, which exist, with secrets."""
    done = render(tmp_path / "etc", "--dialplans", str(folder))
    assert done.returncode == 0, done.stderr
    written = tmp_path / "etc" / "callrouter"
    queues, phones = sections(written / "queues.conf"), sections(written / "phones.conf")

    assert [name for name in queues if name] == ["night", "returns"]
    assert queues["night"][1:] == [
        "strategy = ringall",
        "timeout = 12",
        "retry = 1",
        "wrapuptime = 0",  # a client may say otherwise than its team: callrouter-wrap-up of extensions.conf
        "maxlen = 7",
        "member => PJSIP/desk-12,0,anne,PJSIP/desk-12",
        "member => PJSIP/bruno,0,bruno,PJSIP/bruno",
    ]
    assert {"agent-1", "desk-12", "bruno", "claire"} <= set(phones)
    assert {"desk-12", "bruno", "claire"} <= set(json.loads((tmp_path / "etc/callrouter-secrets.json").read_text()))


def test_another_machines_teams_are_rendered_alike(folder: Path, tmp_path: Path) -> None:
    """Where callrouter is not installed: by the file that `callrouter teams` writes where it is."""
    teams = tmp_path / "teams.json"
    program = str(Path(sys.executable).with_name("callrouter"))
    subprocess.run([program, "teams", str(folder), "--out", str(teams)], check=True)
    for out, arguments in (("here", ["--dialplans", str(folder)]), ("there", ["--teams", str(teams)])):
        done = render(tmp_path / out, *arguments)
        assert done.returncode == 0, done.stderr

    assert (tmp_path / "here/callrouter/queues.conf").read_text() == (
        tmp_path / "there/callrouter/queues.conf"
    ).read_text()


def test_rendering_needs_the_standard_library_only(folder: Path, tmp_path: Path) -> None:
    """As on a PBX, or in its image, that has none of callrouter's packages."""
    teams = tmp_path / "teams.json"
    program = str(Path(sys.executable).with_name("callrouter"))
    subprocess.run([program, "teams", str(folder), "--out", str(teams)], check=True)
    command = [sys.executable, "-I", "-S", str(PBX), "render", "--out", str(tmp_path / "etc"), "--teams", str(teams)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "[night](line)" in (tmp_path / "etc/callrouter/queues.conf").read_text()


def test_asterisk_has_the_teams(folder: Path, tmp_path: Path) -> None:
    """A real one, with the members, and without a doubtful line."""
    with Pbx.start(tmp_path / "pbx", agents=1, teams=teams_of_folder(folder)) as pbx:
        night, returns = pbx.cli("queue show night"), pbx.cli("queue show returns")
        phone = pbx.cli("pjsip show endpoint desk-12")
        log = pbx.log()

    assert "night has 0 calls (max 7) in 'ringall' strategy" in night
    assert {"anne (PJSIP/desk-12)", "bruno (PJSIP/bruno)"} == set(re.findall(r"\w+ \(PJSIP/[\w-]+\)", night))
    assert "No Members" in returns
    assert "Endpoint:  desk-12" in phone
    assert not re.search(r"\b(WARNING|ERROR)\b", log)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("queues.yaml", "queues: { night: { members: [anna] } }\n", 'did you mean "anne"?'),
        ("queues.yaml", "queues: { night: { strategy: ringal } }\n", 'did you mean "ringall"?'),
        ("queues.yaml", "queues: { general: {} }\n", 'queue "general": the PBX has this name'),
        (
            "agents.yaml",
            'agents: { anne: { phone: "desk 12" }, bruno: {} }\n',
            'telephone "desk 12": the PBX knows',
        ),
        ("agents.yaml", "agents: { anne: { phone: trunk }, bruno: {} }\n", 'telephone "trunk": the PBX has this name'),
        (
            "agents.yaml",
            "agents: { anne: { phone: trunk-acme }, bruno: {} }\n",
            'telephone "trunk-acme": names that begin with trunk-',
        ),
    ],
)
def test_what_cannot_act_is_refused(folder: Path, tmp_path: Path, file: str, text: str, said: str) -> None:
    """A wrong file, or a name that Asterisk's files cannot hold, renders nothing."""
    (folder / "shared" / file).write_text(text)
    done = render(tmp_path / "etc", "--dialplans", str(folder))

    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "etc" / "queues.conf").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"teams": [{"name": "x"}], "phones": []}', '{"teams": 7, "phones": 7}']
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    """Not what `callrouter teams` writes."""
    teams = tmp_path / "teams.json"
    teams.write_text(text)
    done = render(tmp_path / "etc", "--teams", str(teams))

    assert (done.returncode, "this is not what `callrouter teams` writes" in done.stderr) == (1, True), done.stderr


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As everywhere: the path, in a sentence."""
    with pytest.raises(PbxError, match="missing is no folder"):
        teams_of_folder(tmp_path / "missing")
