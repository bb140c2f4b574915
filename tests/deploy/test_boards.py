"""Grafana's boards: stable, explained, of metrics that there are. What they answer: acceptance/test_watched.py."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (DEPLOY / "grafana/dashboards").glob("*")}
UIDS = {"wall": "callrouter-wall", "operations": "callrouter", "client": "callrouter-client"}
"""What links and bookmarks name: for ever."""
SCHEMA = 39
"""That of Grafana 11."""


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that show something."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def test_they_have_the_names_that_links_know() -> None:
    assert {name: board["uid"] for name, board in BOARDS.items()} == UIDS
    assert {board["schemaVersion"] for board in BOARDS.values()} == {SCHEMA}


@pytest.mark.parametrize("name", UIDS)
def test_every_panel_says_what_it_is_and_in_which_unit(name: str) -> None:
    board = BOARDS[name]
    for panel in panels(board):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        if panel["type"] in ("stat", "bargauge"):  # nought, and nobody knows, are two things
            assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]
    titles = Counter(panel["title"] for panel in panels(board))
    assert [title for title, count in titles.items() if count > 1] == []
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize("name", UIDS)
def test_panels_do_not_lie_on_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_what_everybody_sees_can_be_read_from_afar() -> None:
    """On one screen without scrolling (30 rows are 1080 lines), in figures of 50 points or more."""
    board = BOARDS["wall"]
    figures = [panel["options"]["text"]["valueSize"] for panel in panels(board) if panel["type"] == "stat"]

    assert min(figures) >= 50
    assert max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels(board)) <= 30
    assert board["templating"]["list"] == []


@pytest.mark.parametrize("name", UIDS)
def test_rules_and_variables_that_are_used_are_there(name: str) -> None:
    board = BOARDS[name]
    text = json.dumps([panel["targets"] for panel in panels(board)])
    known = {one["name"] for one in board["templating"]["list"]} | {"__rate_interval", "__range"}
    rules = yaml.safe_load((DEPLOY / "prometheus" / "recording.yml").read_text(encoding="utf-8"))
    recorded = {rule["record"] for group in rules["groups"] for rule in group["rules"]}

    assert set(re.findall(r"\$(\w+)", text)) <= known
    assert set(re.findall(r"callrouter:[\w:]+", text)) <= recorded


def test_compose_shows_them_to_grafana() -> None:
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/callrouter.yml").read_text(encoding="utf-8"))
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    (one,) = provider["providers"]

    assert f"./grafana/dashboards:{one['options']['path']}:ro" in compose["services"]["grafana"]["volumes"]
    assert "./prometheus:/etc/prometheus:ro" in compose["services"]["prometheus"]["volumes"]
