"""Two numbers of one client, on a real Asterisk: each leads to its own node."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.demo.caller import UntilSound
from deploy.demo.stack import CHECKOUT, running

if TYPE_CHECKING:
    from tests.acceptance.conftest import LoopThread, Town

CLIENT = """\
client: two-practices
numbers: ["01 99 00 00 70", "01 99 00 00 71"]
timezone: Europe/Paris
language: fr
fallback: { queue: medical }
start: line
nodes:
  line: { branch: { when: [{ did: "01 99 00 00 71", then: second }], otherwise: first } }
  first: { hangup: { prompt: "Premier cabinet, fermé." } }
  second: { hangup: { prompt: "Second cabinet, fermé." } }
"""


@pytest.fixture
def town_of_practices(thread: LoopThread, tmp_path: Path) -> Iterator[Town]:
    """A stack that serves a client with two numbers, beside those of the demonstration."""
    from tests.acceptance.conftest import Town

    folder = tmp_path / "dialplans"
    shutil.copytree(CHECKOUT / "dialplans", folder)
    (folder / "two-practices.yaml").write_text(CLIENT)
    context = running(environment={"CALLROUTER_DIALPLANS_DIR": str(folder)})
    stack = thread.run(context.__aenter__())
    try:
        yield Town(stack=stack, thread=thread)
    finally:
        thread.run(context.__aexit__(None, None, None))


def test_each_number_leads_to_its_own_node(town_of_practices: Town) -> None:
    """As the trunk sends them, national and with the country's code."""
    town = town_of_practices
    dialled = {"0199000070": "first", "0199000071": "second", "33199000071": "second"}
    paths = {}
    for did in dialled:
        caller = town.somebody()
        outcome = town.call(did, UntilSound(), caller=caller)
        assert outcome.trouble == "", did
        paths[did] = town.row_of(caller)["path"]

    assert paths == {did: ["line", node] for did, node in dialled.items()}
    assert town.nobody_is_left()
