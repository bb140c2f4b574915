"""Saving is no weaker than publishing: a tree that fails its own expected routes does not go live."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.app.history import PlanHistory
from callrouter.app.live.expected_routes import ExpectedRoutes
from callrouter.app.publishing import rollback_to
from callrouter.dialplan import Loader, PaperSpeech
from callrouter.dialplan.folder.publish import PUBLISH, ROLLBACK, put_in_place
from callrouter.runtime.calls import LiveCalls
from callrouter.runtime.reload import ServedPlans
from callrouter.settings import Settings
from callrouter.store.database import Database

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TREE = """\
client: {client}
numbers: ["{number}"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
start: {start}
nodes:
  {start}:
    hangup: {{ prompt: {{ say: "{words}" }} }}
"""


def text(words: str, start: str = "bye", client: str = "a", number: str = "01 99 00 00 10") -> str:
    return TREE.format(client=client, number=number, words=words, start=start).replace("node: bye", f"node: {start}")


TABLE = 'calls:\n  - { at: "tue 10:00", expect: "node:bye", hears: "Au revoir" }\n'
FINDING = 'a.test.yaml:2: call 1: expected to hear "Au revoir", but the caller heard "Bonjour."'


class Engine:
    """As the engine loads what is saved."""

    def __init__(self, folder: Path, *, refuses: bool = True, live: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.loader = Loader(folder, PaperSpeech())
        self.routes = ExpectedRoutes(folder, refuses=refuses, now=lambda: AT)
        first = self.routes.judge(self.loader.load(AT), live or {})
        self.plans = ServedPlans(first, self.loader, LiveCalls(), now=lambda: AT, judge=self.routes.judge)

    async def save(self, **files: str) -> ServedPlans:
        for name, content in files.items():
            (self.folder / f"{name.replace('_', '.')}.yaml").write_text(content)
        await self.plans.reload()
        return self.plans


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_text(text("Au revoir."))
    (tmp_path / "a.test.yaml").write_text(TABLE)
    (tmp_path / "b.yaml").write_text(text("B.", client="b", number="01 99 00 00 11"))
    return tmp_path


async def test_a_tree_that_fails_its_routes_stays_out(folder: Path) -> None:
    """Its last good version serves, the finding is told with the file, and the others go live."""
    engine = Engine(folder)
    good = engine.plans.plans["a"]
    plans = await engine.save(a=text("Bonjour."), b=text("Deux.", client="b", number="01 99 00 00 11"))

    assert plans.plans["a"] is good
    assert plans.plans["b"].nodes["bye"].sounds[0].text == "Deux."  # type: ignore[attr-defined]
    [refused] = plans.refused
    assert (refused.file, refused.keeps) == ("a.yaml", good)
    assert [str(issue) for issue in refused.issues] == [FINDING]
    assert plans.trouble == f"not served as it stands: {FINDING}"
    assert plans.for_did("+33199000010") is good


async def test_mending_the_tree_or_the_table_ends_it(folder: Path) -> None:
    engine = Engine(folder)
    await engine.save(a=text("Bonjour."))
    plans = await engine.save(a_test=TABLE.replace("Au revoir", "Bonjour"))

    assert plans.trouble == ""
    assert plans.plans["a"].nodes["bye"].sounds[0].text == "Bonjour."  # type: ignore[attr-defined]


async def test_a_table_is_part_of_the_folder(folder: Path) -> None:
    """Its change is seen as that of any other document."""
    engine = Engine(folder)
    before = engine.loader.look()
    (folder / "a.test.yaml").write_text(TABLE + "\n")

    assert engine.loader.look().changed(before) == {"a.test.yaml"}


async def test_a_live_plan_is_never_withdrawn_for_a_route(folder: Path) -> None:
    """A table that asks for more than is live, or a table that cannot be read: it is told, and callers are served."""
    engine = Engine(folder)
    good = engine.plans.plans["a"]
    plans = await engine.save(a_test=TABLE.replace("Au revoir", "Bonsoir"))

    assert plans.plans["a"] is good
    [refused] = plans.refused
    assert (refused.file, refused.keeps) == ("a.test.yaml", good)
    assert plans.trouble.startswith("in service, and not as expected: a.test.yaml:2: call 1: expected to hear")

    plans = await engine.save(a_test="calls: [")
    assert plans.plans["a"] is good
    assert plans.trouble.startswith("in service, and not as expected: a.test.yaml:")


async def test_a_restart_keeps_what_was_live(folder: Path) -> None:
    """Its routes may fail by now: some depend on the day. What was not live before is refused, as by a save."""
    live = {"a": Engine(folder).plans.plans["a"].version}
    (folder / "a.test.yaml").write_text(TABLE.replace("Au revoir", "Bonsoir"))

    assert Engine(folder, live=live).plans.plans.keys() == {"a", "b"}
    assert Engine(folder).plans.plans.keys() == {"b"}


async def test_the_operator_may_have_it_reported_only(folder: Path) -> None:
    engine = Engine(folder, refuses=False)
    plans = await engine.save(a=text("Bonjour."))

    assert plans.plans["a"].nodes["bye"].sounds[0].text == "Bonjour."  # type: ignore[attr-defined]
    assert plans.trouble == f"in service, and not as expected: {FINDING}"


async def test_a_rollback_goes_live(folder: Path, database: Database) -> None:
    """The table beside the older file is the newer one's: that is no reason not to go back."""
    engine = Engine(folder)
    history = PlanHistory(database, folder)
    engine.plans._on_swap = history.note  # as the engine connects them
    await engine.save(a=text("Au revoir, un."))
    older = engine.plans.plans["a"].version
    await engine.save(a=text("Bonjour."), a_test=TABLE.replace("Au revoir", "Bonjour"))
    await history.flush()
    await rollback_to(Settings(_env_file=None, dialplans_dir=folder), database, "a", older, by="anne")
    await engine.plans.reload()

    assert engine.plans.plans["a"].version == older
    assert engine.plans.trouble.startswith("in service, and not as expected: a.test.yaml:2")


async def test_two_rollbacks_while_no_engine_runs_both_go_live(folder: Path) -> None:
    """The second leaves the first what it is, until somebody saves the file again."""
    (folder / "b.test.yaml").write_text(TABLE)
    older = {"a.yaml": text("Bonjour."), "b.yaml": text("B.", client="b", number="01 99 00 00 11")}
    for file, content in older.items():
        put_in_place(folder, {file: content.encode()}, how=ROLLBACK, by="anne")
    put_in_place(folder, {"shared/prompts.yaml": b"prompts: {}\n"}, how=PUBLISH, by="ci")
    live = {"a": "another", "b": "another"}

    assert Engine(folder, live=live).plans.plans.keys() == {"a", "b"}
    (folder / "a.yaml").write_text(text("Bonjour à tous."))
    assert Engine(folder, live=live).plans.plans.keys() == {"b"}
