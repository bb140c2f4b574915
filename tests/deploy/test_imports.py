"""What runs Asterisk has no circle of imports, wherever in a module they stand."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import deploy.asterisk.pbx

FOLDER = Path(deploy.asterisk.pbx.__file__).parent
PREFIX = "deploy.asterisk."


def test_no_circle() -> None:
    """`static_order` raises CycleError with the circle."""
    graph = {path.stem: _imported(path) for path in FOLDER.glob("*.py")}

    assert {"pbx_cli", "pbx_process"} <= graph["pbx"]
    assert set(TopologicalSorter(graph).static_order()) >= graph.keys()


def _imported(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = (node.module or "" for node in nodes if isinstance(node, ast.ImportFrom))
    return {module.removeprefix(PREFIX) for module in modules if module.startswith(PREFIX)}
