"""Derived queues for people: in drawings, in what the PBX is to have, in a comparison of two folders."""

from __future__ import annotations

import json
from pathlib import Path

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.questions.diff.told import differences
from callrouter.testing import TUESDAY_10
from tests.cli.test_main import run
from tests.dialplan.folder.test_derived_bound import folder_of

WANTED = {
    "anne": "{ prefer: [agent-2], never: [agent-3] }",
    "boris": "{ never: agent-3, prefer: agent-2 }",
    "carol": "{ never: [agent-9] }",
}


def loaded(folder: Path) -> Catalogue:
    return load_directory(folder, PaperSpeech(), now=TUESDAY_10)


def test_show_and_teams_say_which_there_are_and_who_is_rung(tmp_path: Path) -> None:
    """Their number, their agents in order, and whose callers wait there; `teams` has them with their settings."""
    folder = folder_of(tmp_path / "f", WANTED)
    shown = run("show", str(folder), cwd=tmp_path).stdout
    teams = json.loads(run("teams", str(folder), cwd=tmp_path).stdout)["teams"]
    alone = run("show", str(folder / "carol.yaml"), cwd=tmp_path).stdout

    assert shown.count("queue medical (agent-2 first, never agent-3), priority 0") == 4  # and the fallback's
    first, second = shown.splitlines()[-2:]
    assert "Queues derived from teams' (2; a folder may have 60):\n" in shown
    assert first.startswith("  medical.-agent-9: agent-1 or agent-2 or ")
    assert first.endswith("(for carol)")
    assert second.startswith("  medical.agent-2.-agent-3: agent-2, then agent-1 or agent-4 or ")
    assert second.endswith("(for anne, boris)")
    assert "medical.agent-2" not in alone
    assert [team["name"] for team in teams] == ["medical", "medical.-agent-9", "medical.agent-2.-agent-3"]
    assert "agent-3" not in {one["agent"] for one in teams[2]["members"]}
    assert (teams[2]["levels"]["agent-1"], "agent-2" in teams[2]["levels"]) == (2, False)


def test_teams_of_a_folder_without_clients(tmp_path: Path) -> None:
    """And of one with a file that is wrong: the teams are shown all the same."""
    folder = folder_of(tmp_path / "f", {})
    without = json.loads(run("teams", str(folder), cwd=tmp_path).stdout)["teams"]
    (folder / "wrong.yaml").write_text("client: [")
    wrong = json.loads(run("teams", str(folder), cwd=tmp_path).stdout)["teams"]

    assert [team["name"] for team in without] == [team["name"] for team in wrong] == ["medical"]


def test_a_preference_that_changes_is_a_difference(tmp_path: Path) -> None:
    """Callers wait for others than before; so it is told, of the fallback too."""
    old = loaded(folder_of(tmp_path / "old", {"anne": ""}))
    new = loaded(folder_of(tmp_path / "new", {"anne": "{ never: [agent-3] }"}))
    (found,) = differences(old.plans, new.plans, TUESDAY_10)
    told = " ".join([*found.notes, *map(str, found.sentences)])

    assert "wait for medical (never agent-3)" in told
    assert "When something fails, callers now reach queue medical (never agent-3) instead of queue medical." in told
