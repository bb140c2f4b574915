"""Expected routes: the demonstration clients' own hold; a table that is wrong, or not met, says where and how."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.questions.expected import run_expected

DIALPLANS = Path(__file__).parents[2] / "dialplans"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The demonstration clients, without audio."""
    return load_directory(DIALPLANS, PaperSpeech(), now=NOW)


@pytest.mark.parametrize("now", [NOW, datetime(2027, 8, 14, 23, 0, tzinfo=UTC)])
def test_the_demonstration_clients_hold(now: datetime) -> None:
    """Each has a table, and keeps it at any time of the year."""
    at_that_time = load_directory(DIALPLANS, PaperSpeech(), now=now)

    assert len(read_tables(DIALPLANS)) == len(at_that_time.plans) >= 4
    assert run_expected(read_tables(DIALPLANS), at_that_time, now) == []


def _run(tmp_path: Path, catalogue: Catalogue, row: str, name: str = "cabinet-moreau.test.yaml") -> list[str]:
    (tmp_path / name).write_text(f"calls:\n  - {{ at: '2026-01-06T10:00', keys: '2', expect: queue }}\n  - {row}\n")
    return [str(issue) for issue in run_expected(read_tables(tmp_path), catalogue, NOW)]


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        (
            "{ at: 'tue 10:00', keys: '1', expect: queue:medical }",
            "call 2: expected queue:medical, but the call came to dial:on_call, in urgent (cabinet-moreau.yaml:",
        ),
        ("{ at: 'tue 10:00', expect: queue:medicl }", '"medicl" (did you mean "medical"?)'),
        ("{ at: 'tue 10:00', expect: message:nigth }", '"nigth" (did you mean "night"?)'),
        ("{ at: 'tue 10:00', expect: answerd }", '"answerd" is no outcome (did you mean "answered"?)'),
        ("{ at: 'tue 10:00', expect: quue:medical }", 'is no outcome (did you mean "queue"?)'),
        ("{ at: 'tomorrow', expect: queue }", "call 2: at: 'tomorrow' is no time"),
        ("{ at: 'tue 10:00', from: '12', expect: queue }", 'call 2: from: "12" is no telephone number of FR'),
        ("{ at: 'tue 10:00', to: '01 99 00 00 99', expect: queue }", "is no number of cabinet-moreau"),
        ("{ at: 'tue 10:00', keys: 'x', expect: queue }", "call 2: keys: 'x' is no key of a telephone"),
        ("{ at: 'tue 10:00', queues: { medicol: full }, expect: queue }", '(did you mean "medical"?)'),
        (
            "{ at: 'tue 10:00', queues: { medical: gone }, expect: queue }",
            "medical: 'gone' is none of answered, abandoned",
        ),
        ("{ at: 'tue 10:00', expect: queue medical }", 'is no outcome (did you mean "queue:medical"?)'),
        ("{ at: 'tue 10:00', dial: { on_call: noanswer }, expect: queue }", '(did you mean "no_answer"?)'),
        ("{ at: 'tue 10:00', dial: { on_cal: busy }, expect: queue }", '(did you mean "on_call"?)'),
        ("{ at: 'tue 10:00', hears: Bonsoir, expect: queue }", 'expected to hear "Bonsoir", but the caller heard'),
        ("{ at: 'tue 10:00' }", '"expect" is missing'),
        ("{ at: 'tue 10:00', expct: queue }", 'unknown key "expct" (did you mean "expect"?)'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, catalogue: Catalogue, row: str, finding: str) -> None:
    """With file and line."""
    found = _run(tmp_path, catalogue, row)

    assert any(finding in one for one in found), found
    assert all(one.startswith("cabinet-moreau.test.yaml:3: ") for one in found)


@pytest.mark.parametrize(
    ("calls", "findings"),
    [
        ("", ["calls: is empty"]),
        ("[]", ["calls: is empty"]),
        ("tomorrow", ['calls: must be a mapping, not "tomorrow": it needs at, expect']),
        ("[{ at: 'tue 10:00' }]", ['"expect" is missing: say what must come of it, as in queue:medical']),
        ("{ at: 'tue 10:00', keys: '2', expect: queue:medical }", []),
        ("{ at: 'tue 10:00', expect: queue:legal }", ['call 1: cabinet-moreau.yaml has no queue "legal"']),
    ],
)
def test_a_table_of_one_call_or_none(tmp_path: Path, catalogue: Catalogue, calls: str, findings: list[str]) -> None:
    """One call may stand alone, as wherever a list is asked for; each mistake is told once, in our words."""
    (tmp_path / "cabinet-moreau.test.yaml").write_text(f"calls: {calls}\n")
    found = run_expected(read_tables(tmp_path), catalogue, NOW)

    assert [one.message for one in found] == findings


def test_a_table_without_a_client(tmp_path: Path, catalogue: Catalogue) -> None:
    """Its file was probably renamed."""
    found = _run(tmp_path, catalogue, "{ at: 'tue 10:00', expect: queue }", "cabinet-moreu.test.yaml")

    (only,) = found
    assert only.startswith("cabinet-moreu.test.yaml: there is no cabinet-moreu.yaml beside it")
    assert only.endswith('(did you mean "cabinet-moreau.yaml"?)')


def test_a_table_that_is_no_yaml(tmp_path: Path, catalogue: Catalogue) -> None:
    """The reader's own sentence."""
    (tmp_path / "cabinet-moreau.test.yaml").write_text("calls: [\n")

    assert "is not YAML" in str(run_expected(read_tables(tmp_path), catalogue, NOW)[0])


def test_one_client_alone(tmp_path: Path, catalogue: Catalogue) -> None:
    """Only the table beside the file that is asked about."""
    assert [table.file for table in read_tables(DIALPLANS / "etude-lenoir.yaml")] == ["etude-lenoir.test.yaml"]
