"""Every kind of node has its transcripts, in `cases/<kind>.py`; together they take each of its exits."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from callrouter.core.nodes import ALL, Node
from callrouter.testing import Playbook

CASES = Path(__file__).parent / "cases"
Case = Callable[[], Playbook]


def case_file(kind: str) -> ModuleType:
    """A kind's file."""
    return importlib.import_module(f"tests.core.nodes.cases.{kind}")


def _cases(kind: str) -> dict[str, Case]:
    """The functions `case_*` of a kind's file."""
    found = vars(case_file(kind))
    return {name.removeprefix("case_"): case for name, case in found.items() if name.startswith("case_")}


BY_KIND = {node.kind: _cases(node.kind) for node in ALL if (CASES / f"{node.kind}.py").exists()}
ALL_CASES = [pytest.param(case, id=f"{kind}-{name}") for kind, cases in BY_KIND.items() for name, case in cases.items()]


@pytest.mark.parametrize("case", ALL_CASES)
def test_transcript(case: Case) -> None:
    """The engine does what the transcript says, and the state stays small."""
    playbook = case()

    assert playbook.call.ended
    assert max(playbook.state_sizes) <= 900


@pytest.mark.parametrize("node", ALL, ids=lambda node: node.kind)
def test_every_kind_has_cases_for_every_exit(node: type[Node]) -> None:
    """A new node without cases cannot pass."""
    taken = set()
    for case in BY_KIND.get(node.kind, {}).values():
        playbook = case()
        taken |= {visit.exit for visit in playbook.call.visits if isinstance(playbook.plan.nodes.get(visit.node), node)}

    assert BY_KIND.get(node.kind), f"write tests/core/nodes/cases/{node.kind}.py"
    assert node.exit_names | node.optional_exits <= taken


def test_no_case_file_is_without_a_node() -> None:
    """A file nobody reads is a mistake in its name."""
    kinds = {node.kind for node in ALL}

    assert {path.stem for path in CASES.glob("[a-z]*.py")} == kinds
