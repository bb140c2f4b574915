"""Files are saved while callers are in their trees: on a real Asterisk, with the whole of callrouter."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from callrouter.asterisk.teams.folder import PbxFolder
from deploy.demo import stories
from deploy.demo.caller import HangUp, Press, UntilSound, Wait
from deploy.demo.plain_http import plain_client
from deploy.demo.stack import CHECKOUT, clean_environment, running
from deploy.demo.verdict import caller_complaints
from tests.patience import COMMAND_SECONDS

if TYPE_CHECKING:
    from tests.acceptance.conftest import LoopThread, Town

FILE = "cabinet-moreau.yaml"
KEY_2 = '"2": secretaries'
NEW_KEY_2 = '"2": bye'


@pytest.fixture
def watch() -> str:
    """Whether the engine watches its folder."""
    return "on"


@pytest.fixture
def left_out() -> tuple[str, ...]:
    """Files that the folder lacks: its expected routes, for what is saved here leads callers otherwise."""
    return ("*.test.yaml",)


@pytest.fixture
def edited_town(thread: LoopThread, tmp_path: Path, watch: str, left_out: tuple[str, ...]) -> Iterator[Town]:
    """A stack that serves a folder of its own."""
    from tests.acceptance.conftest import Town

    folder = tmp_path / "dialplans"
    shutil.copytree(CHECKOUT / "dialplans", folder, ignore=shutil.ignore_patterns(*left_out))
    context = running(environment={"CALLROUTER_DIALPLANS_DIR": str(folder), "CALLROUTER_WATCH": watch})
    stack = thread.run(context.__aenter__())
    try:
        yield Town(stack=stack, thread=thread)
    finally:
        thread.run(context.__aexit__(None, None, None))


def test_a_call_keeps_the_tree_it_began_with(edited_town: Town) -> None:
    """Who is in the menu when the file is saved gets what they were offered; the next caller gets the new tree."""
    town = edited_town
    path = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"], FILE)
    early, late = town.somebody(), town.somebody()
    good, first = path.read_text(), _plan(town)["version"]

    async def save_meanwhile() -> None:
        await asyncio.sleep(2.0)
        _save(path, good.replace(KEY_2, NEW_KEY_2))

    async def both() -> Any:
        calling = town.calling(
            stories.MOREAU, UntilSound(), Wait(3.5), Press("2"), stories.reached(1, 2), Wait(2), HangUp(), caller=early
        )
        return await asyncio.gather(calling, save_meanwhile())

    outcome, _ = town.run(both())
    second = _plan(town)["version"]
    after = town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), caller=late)

    assert caller_complaints(outcome) == []
    assert (outcome.trouble, after.trouble) == ("", "")
    old, new = town.row_of(early), town.row_of(late)
    assert first != second
    assert (old["plan_version"], old["disposition"]) == (first, "answered")
    assert (new["plan_version"], new["path"][-1]) == (second, "bye")
    assert town.nobody_is_left()


def test_a_wrong_file_is_shown_and_undone(edited_town: Town) -> None:
    """The last good version goes on serving; `status` names file and line; `rollback` ends it."""
    town = edited_town
    path = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"], FILE)
    good = path.read_text()
    version = _plan(town)["version"]
    assert _command(town, "status").returncode == 0

    _save(path, good.replace(KEY_2, '"2": secretary'))
    wrong = town.until(lambda: _command(town, "status"), lambda done: done.returncode == 1)
    assert f"Refused: {FILE}; cabinet-moreau keeps version {version}" in wrong.stdout
    assert 'did you mean "secretaries"?' in wrong.stdout
    ready = town.run(_get(town, "/ready"))
    assert ready["status"] == "ready"
    assert "not served as it stands" in ready["degraded"][0]
    assert town.figures()["callrouter_dialplan_last_reload_successful"] == 0
    assert town.figures()["callrouter_dialplan_files_refused"] == 1
    caller = town.somebody()
    town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), stories.reached(1, 2), HangUp(), caller=caller)
    assert town.row_of(caller)["plan_version"] == version

    # A restart does not lose the client either.
    town.run(town.stack.engine.stop())
    town.run(town.stack.engine.start())
    assert _plan(town)["version"] == version

    refused = _command(town, "dialplan", "rollback", "cabinet-moreau")
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    done = _command(town, "dialplan", "rollback", "cabinet-moreau", "--force", "--by", "anne")
    assert done.returncode == 0, done.stderr
    assert path.read_text() == good
    assert _command(town, "status").returncode == 0

    # From there on, a good change, and back.
    _save(path, good.replace(KEY_2, NEW_KEY_2))
    town.until(lambda: _plan(town)["version"], lambda now: now != version)
    done = _command(town, "dialplan", "rollback", "cabinet-moreau", "--by", "anne")
    assert done.returncode == 0, done.stderr
    told = town.until(
        lambda: _command(town, "dialplan", "history", "cabinet-moreau").stdout, lambda said: said.count("anne") == 2
    )
    newest = told.splitlines()[0]
    assert newest.split()[2:] == ["cabinet-moreau", version, "rollback", "by", "anne"]


@pytest.mark.parametrize("left_out", [()])
def test_a_save_that_fails_its_own_expected_routes_stays_out(edited_town: Town) -> None:
    """Callers go the old way; `status` names the route. Without the table the save goes live."""
    town = edited_town
    folder = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"])
    path, table = folder / FILE, folder / FILE.replace(".yaml", ".test.yaml")
    good, version = path.read_text(), _plan(town)["version"]

    _save(path, good.replace(KEY_2, NEW_KEY_2))
    wrong = town.until(lambda: _command(town, "status"), lambda done: done.returncode == 1)
    assert table.name in wrong.stdout
    assert _plan(town)["version"] == version
    caller = town.somebody()
    town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), stories.reached(1, 2), HangUp(), caller=caller)
    assert (town.row_of(caller)["plan_version"], town.row_of(caller)["disposition"]) == (version, "answered")

    table.unlink()
    town.until(lambda: _plan(town)["version"], lambda now: now != version)
    after = town.somebody()
    town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), caller=after)
    assert town.row_of(after)["path"][-1] == "bye"
    assert _command(town, "status").returncode == 0


@pytest.mark.parametrize("watch", ["off"])
def test_without_a_watch_what_is_published_goes_live(edited_town: Town, tmp_path: Path) -> None:
    """A save changes nothing; a set that does not pass is refused whole; one that passes is live at the end."""
    town = edited_town
    served = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"])
    good, first = (served / FILE).read_text(), _plan(town)["version"]
    ci = tmp_path / "ci"
    shutil.copytree(served, ci)
    _save(served / FILE, good + "# a save\n")
    time.sleep(1.0)
    assert _plan(town)["version"] == first

    _save(ci / FILE, good.replace(KEY_2, '"2": secretary'))
    refused = _command(town, "dialplan", "publish", str(ci))
    assert refused.returncode == 1
    assert 'did you mean "secretaries"?' in refused.stdout
    assert "nothing is published" in refused.stderr
    assert (served / FILE).read_text() == good + "# a save\n"

    _save(ci / FILE, good + "# published\n")
    done = _command(town, "dialplan", "publish", str(ci), "--by", "build 17")
    assert done.returncode == 0, done.stderr
    assert "Published 1 changed file of " in done.stdout
    assert _plan(town)["version"] != first
    told = town.until(
        lambda: _command(town, "dialplan", "history", "cabinet-moreau").stdout, lambda said: "build 17" in said
    )
    assert told.splitlines()[0].endswith("publish by build 17")


def test_a_new_team_is_on_the_pbx_within_a_second(edited_town: Town) -> None:
    """A team and an agent are new, and a tree leads to them: nothing else is done, and a caller is served by them."""
    town = edited_town
    folder = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"])
    good = (folder / FILE).read_text()
    pbx = town.stack.pbx
    town.until(lambda: pbx.cli("queue show night"), lambda said: "No such queue" in said)

    teams, agents = folder / "shared" / "queues.yaml", folder / "shared" / "agents.yaml"
    before = town.figures()
    _save(agents, agents.read_text().replace("agents:\n", "agents:\n  zoe: { name: Zoé Blanc, phone: desk-zoe }\n"))
    _save(teams, f"{teams.read_text()}  night:\n    members: [agent-1, zoe]\n    ring: 11s\n")
    began = time.monotonic()
    while "PJSIP/agent-1" not in pbx.cli("queue show night"):
        assert time.monotonic() - began < 3, pbx.cli("queue show")
        time.sleep(0.01)
    took = time.monotonic() - began
    _save(folder / FILE, good.replace("name: medical", "name: night"))
    town.until(lambda: _plan(town)["version"], lambda version: bool(version))
    caller = town.somebody()
    town.until(lambda: _command(town, "show", "cabinet-moreau").stdout, lambda said: "night" in said)
    town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), stories.reached(1), HangUp(), caller=caller)
    told = _command(town, "pbx", "phone", "desk-zoe").stdout

    assert took < 1
    assert town.row_of(caller)["agent"] == "agent-1"
    assert "Endpoint:  desk-zoe" in pbx.cli("pjsip show endpoint desk-zoe")
    assert re.fullmatch(r"user: desk-zoe\nsecret: \S{20,}\n", told)
    for figure in ("callrouter_queues_missing", "callrouter_queues_different", "callrouter_phones_missing"):
        assert before[figure] == town.figures()[figure] == 0
    assert town.run(_get(town, "/ready"))["degraded"] == []


def test_a_client_prefers_an_agent_from_the_next_caller_on(edited_town: Town) -> None:
    """The queue is at the PBX before the tree is in service: no caller overflows in between, and all of them are served
    by who is preferred. Record, figures and status name the team; `status` says which queue there is for whom."""
    town = edited_town
    folder = Path(town.stack.engine.environment["CALLROUTER_DIALPLANS_DIR"])
    good, pbx, before = (folder / FILE).read_text(), town.stack.pbx, _plan(town)["version"]
    town.until(lambda: "PJSIP/agent-2" in pbx.cli("queue show medical"), bool)
    _save(folder / FILE, good.replace("fallback:", "agents: { medical: { prefer: [agent-2] } }\nfallback:"))
    began = time.monotonic()
    while _plan(town)["version"] == before:
        assert time.monotonic() - began < 5
        time.sleep(0.01)
    took, there = time.monotonic() - began, pbx.cli("queue show medical.agent-2")
    callers = [town.somebody() for _ in range(2)]
    for caller in callers:
        town.call(stories.MOREAU, UntilSound(), Wait(0.5), Press("2"), stories.reached(2), HangUp(), caller=caller)
    rows = [town.row_of(caller) for caller in callers]
    said, drawn = _command(town, "status").stdout, _command(town, "show", str(folder / FILE)).stdout
    told = _command(town, "explain", rows[0]["call_id"]).stdout
    published = pbx.cli("database show callrouter/answer")
    figures = town.figures()
    _save(folder / FILE, good)
    town.until(lambda: pbx.cli("queue show medical.agent-2"), lambda shown: "No such queue" in shown)

    assert took < 1
    assert ("PJSIP/agent-1" in there, "PJSIP/agent-2" in there) == (True, True)
    assert [row["agent"] for row in rows] == ["agent-2", "agent-2"]
    assert {visit["queue"] for row in rows for visit in row["queue_visits"]} == {"medical"}
    assert "1 of at most 60 queues derived from teams'" in said
    assert "medical.agent-2" in said
    assert "queue medical (agent-2 first)" in drawn
    assert "waits in queue medical (agent-2 first)" in told, told
    assert ": queue:medical.agent-2" in published
    assert figures["callrouter_dialplan_derived_queues"] == 1
    assert not [name for name in figures if "medical.agent-2" in name]
    assert figures["callrouter_queues_missing"] == figures["callrouter_queues_different"] == 0


def test_a_pbx_that_is_otherwise_is_mended_and_told(edited_town: Town) -> None:
    """Somebody has changed Asterisk's files by hand: the next comparison says so, and the unit brings back what was."""
    town = edited_town
    pbx = town.stack.pbx
    # What is on its way out would have the unit write its files before anybody compares.
    town.until(lambda: PbxFolder(pbx.run_dir / "etc").applied().is_settled, bool)

    def by_hand() -> str:
        (pbx.run_dir / "etc" / "callrouter" / "queues.conf").write_text("; nothing\n")
        pbx.cli("queue reload all")
        return pbx.cli("queue show medical")

    # A comparison that comes in this moment has it mended before we look.
    assert "No such queue" in town.until(by_hand, lambda said: "No such queue" in said)
    town.run(_post(town, "/reload"))
    town.until(lambda: pbx.cli("queue show medical"), lambda said: "PJSIP/agent-1" in said)
    town.until(lambda: town.run(_get(town, "/ready"))["degraded"], lambda degraded: not degraded)
    log = town.stack.engine.log_path.read_text()

    assert "Asterisk lacks a queue that trees name" in log
    assert "Asterisk's queues and telephones are as the folder says" in log


async def _get(town: Town, path: str) -> Any:
    engine = town.stack.engine
    async with plain_client(timeout=10) as client:
        answer = await client.get(f"{engine.engine_url}{path}", headers={"Authorization": f"Bearer {engine.token}"})
    answer.raise_for_status()
    return answer.json()


async def _post(town: Town, path: str) -> None:
    engine = town.stack.engine
    async with plain_client(timeout=10) as client:
        answer = await client.post(f"{engine.engine_url}{path}", headers={"Authorization": f"Bearer {engine.token}"})
    answer.raise_for_status()


def _save(path: Path, content: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(content)
    beside.replace(path)


def _plan(town: Town) -> dict[str, Any]:
    """What is in service of the client."""
    plans = town.run(_get(town, "/status"))["dialplans"]["plans"]
    found: dict[str, Any] = next(plan for plan in plans if plan["client"] == "cabinet-moreau")
    return found


def _command(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | town.stack.engine.environment | {"NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "callrouter", *arguments],
        env=environment, cwd=town.stack.root, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
    )  # fmt: skip
