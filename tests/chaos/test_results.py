"""The table that is made of the rounds, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import chaos


def a_round(**changed: Any) -> dict[str, Any]:
    """One in which all went well."""
    found: dict[str, Any] = dict.fromkeys(("dropped", "missing", "doubled", "wrong", "lost_keys", "twice"), 0)
    found |= {"fault": "engine-killed", "run": "2026-11-30T00:00:00+00:00", "build": "abc1234", "live": 200}
    found |= {"silence_seconds": 1.0, "control_seconds": 2.0, "load": 1.0, "held_up_seconds": 0.25, "broken": []}
    found |= {"promised": {"wrong": 0, "control_seconds": 5.0}}
    return found | changed


def test_a_run_is_a_line_with_sums_and_longest_times() -> None:
    rounds = [a_round(wrong=1, silence_seconds=4.0, broken=["wrong"]), a_round(control_seconds=None)]

    (row,) = chaos.section(rounds).tables[0].rows

    assert row[:5] == ["engine-killed", "2026-11-30 00:00", "abc1234", "2", "400"]
    assert row[6] == "0 / 0 / 1"
    assert row[9:] == ["4.0", "never", "1", "0.25", "wrong", "control never (≤ 5)"]


def test_runs_stand_beside_each_other(tmp_path: Path) -> None:
    path = tmp_path / "chaos.jsonl"
    for found in (a_round(), a_round(run="2026-12-01T00:00:00+00:00"), a_round(fault="ami-cut")):
        chaos.append(path, found)

    rows = chaos.section(chaos.rounds(path)).tables[0].rows

    assert [row[0] for row in rows] == ["ami-cut", "engine-killed", "engine-killed"]


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## First\n\nOne.\n\n## Last\n\nTwo.\n")

    chaos.renew(results, [a_round()])
    chaos.renew(results, [a_round(wrong=3)])
    text = results.read_text()

    assert text.startswith("# Results\n\n## First\n\nOne.\n\n## Last\n\nTwo.\n\n## Chaos\n")
    assert text.count("## Chaos") == 1
    assert "0 / 0 / 3" in text


def test_what_follows_the_table_stays(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Chaos\n\nOld.\n\n## Last\n\nTwo.\n")

    chaos.renew(results, [a_round()])

    assert "Old." not in results.read_text()
    assert results.read_text().endswith("\n\n## Last\n\nTwo.\n")
