"""Alert and recording rules do what they say, by Prometheus's own tool; and none is without a test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RULE_FILES = ("recording.yml", "rules.yml")
TEST_FILES = sorted((FOLDER / "tests").glob("*.yml"))


def rules() -> Iterator[Mapping[str, Any]]:
    """All that Prometheus evaluates."""
    for name in RULE_FILES:
        for group in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def written() -> Iterator[Mapping[str, Any]]:
    """All that are written for them."""
    for path in TEST_FILES:
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]


def untested(rules: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Alerts of which no test sees both that they fire and that they do not, and recordings that no test asks for."""
    judged = [one for test in tests for one in test.get("alert_rule_test", ())]
    fires = {one["alertname"] for one in judged if one["exp_alerts"]}
    rests = {one["alertname"] for one in judged if not one["exp_alerts"]}
    asked = " ".join(one["expr"] for test in tests for one in test.get("promql_expr_test", ()) if one["exp_samples"])
    alerts = [rule["alert"] for rule in rules if rule.get("alert", "") not in (fires & rests) and "alert" in rule]
    return alerts + [rule["record"] for rule in rules if "record" in rule and rule["record"] not in asked]


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_the_rules_do_what_their_tests_say(path: Path) -> None:
    done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_test() -> None:
    assert untested([*rules()], [*written()]) == []


def test_a_rule_without_a_test_is_noticed() -> None:
    """One that only fires, or only rests, too."""
    made = [*rules(), {"alert": "New"}, {"alert": "Fires"}, {"alert": "Rests"}, {"record": "callrouter:new:sum"}]
    fires = {"alert_rule_test": [{"alertname": "Fires", "exp_alerts": [{}]}]}
    rests = {"alert_rule_test": [{"alertname": "Rests", "exp_alerts": []}]}

    assert untested(made, [*written(), fires, rests]) == ["New", "Fires", "Rests", "callrouter:new:sum"]


def test_prometheus_reads_both_files() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))

    assert tuple(config["rule_files"]) == RULE_FILES
