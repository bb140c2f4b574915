"""Clients who use every verb and every shared file, questioned in every way."""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from callrouter.core.agents.standing import WrapUp
from callrouter.core.call import replace
from callrouter.core.nodes import ALL
from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, PaperSpeech, load_directory
from callrouter.dialplan.folder.files import read_tables
from callrouter.dialplan.reference.schema import DOCUMENTS
from callrouter.dialplan.show.mermaid import mermaid
from callrouter.dialplan.show.svg import svg
from callrouter.dialplan.show.text import tree
from callrouter.dialplan.show.week import hours_of_week
from callrouter.questions.diff.compare import compare
from callrouter.questions.diff.same_tree import differing
from callrouter.questions.diff.settings import unheard
from callrouter.questions.diff.wording import sentences
from callrouter.questions.expected import run_expected
from callrouter.questions.outcomes import outcomes, told
from tests.cli.test_main import run
from tests.dialplan.reference.test_schema import complaints

FOLDER = Path(__file__).parent / "full_language"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The folder, without audio."""
    return load_directory(FOLDER, PaperSpeech(), now=NOW)


@pytest.fixture(scope="module")
def clinic(catalogue: Catalogue) -> Plan:
    """The client that uses everything."""
    return catalogue.plans["clinic"]


def test_it_is_the_full_language(catalogue: Catalogue, clinic: Plan) -> None:
    """Every verb, every shared file; and it is right."""
    assert [str(issue) for issue in catalogue.issues] == []
    assert {node.kind for node in clinic.nodes.values()} >= {node.kind for node in ALL}
    assert {path.stem for path in (FOLDER / "shared").iterdir()} == set(DOCUMENTS) - {"client", "expected"}
    for path in FOLDER.glob("*.yaml"):
        assert complaints("expected" if ".test." in path.name else "client", path.read_text()) == []


@pytest.mark.parametrize("now", [NOW, datetime(2027, 8, 14, 23, 0, tzinfo=UTC)])
def test_expected_routes_hold(now: datetime) -> None:
    """At any time of the year."""
    at_that_time = load_directory(FOLDER, PaperSpeech(), now=now)

    assert [str(issue) for issue in run_expected(read_tables(FOLDER), at_that_time, now)] == []


def test_every_outcome(clinic: Plan) -> None:
    """Among them those after an answer, a queue's state, a rota, a withheld number, and in either language."""
    found = outcomes(clinic, NOW)

    assert found.complete
    assert {one.ending.outcome for one in found.found} == {
        *("abandoned", "self_served", "reject", "redirect:+33199009909"),
        *("dial:doctor", "dial:nurse", "dial:matron", "queue:medical", "queue:spare"),
        *("callback:offer", "callback:offer@en", "message:word/ask", "message:word/ask@en"),
        *("message:laboratory/word/ask", "message:laboratory/word/ask@en", "message:order", "message:order@en"),
    }
    assert len(list(told(clinic, found))) == 1 + 2 * len(found.found)


def _changed_text(*changes: tuple[str, str]) -> Plan:
    """The clinic with other texts."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "clients"
        shutil.copytree(FOLDER, place, dirs_exist_ok=True)
        text = (place / "clinic.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (place / "clinic.yaml").write_text(text)
        catalogue = load_directory(place / "clinic.yaml", PaperSpeech(), now=NOW)
    assert catalogue.ok, [str(issue) for issue in catalogue.issues]
    return catalogue.plans["clinic"]


def test_a_change_is_told(clinic: Plan) -> None:
    """Where it hangs on what a web service answers, in either language."""
    other = _changed_text(('"{rank}" }, next: people }', '"{rank}" }, next: second }'))
    found = [str(one) for one in sentences(compare(clinic, other, NOW))]

    assert any("when the web service answers rank = gold" in one for one in found), "\n".join(found)


def test_times_are_told_by_what_decides(clinic: Plan) -> None:
    """Of several hours and rotas, those that matter; what follows from them is not said."""
    other = _changed_text(('"1": season, "2": english', '"1": season, "4": desk, "2": english'))
    found = [str(one) for one in sentences(compare(clinic, other, NOW))]

    assert (
        "In hours of desk, ordinary callers and callers of list abroad (+35199123456) who press 4, then do anything but"
        " key 0000# now reach queue:medical instead of queue:spare."
    ) in found
    assert any(one.startswith("Outside hours of desk (not on holidays), while nurse is on call, ") for one in found)


def test_a_change_that_no_caller_meets_has_its_place(clinic: Plan) -> None:
    """What is sent to somebody else changes nothing for callers, and is no secret either."""
    other = _changed_text(('data: { rank: "{rank}" }', 'data: { level: "{rank}" }'))

    assert {now for _, now in differing(clinic, other)} == {"tell", "tell@en"}
    assert differing(clinic, clinic) == ()


def test_for_whom_agents_answer_and_how_long_they_are_left_alone(catalogue: Catalogue, clinic: Plan) -> None:
    """As the client says, else as its team does; a change of either is told."""
    briefing = clinic.briefing("medical")
    laboratory = next(plan for plan in catalogue.plans.values() if plan.client != clinic.client)
    other = _changed_text(("bonjour\nwrap_up: { answered: 30s, transferred: 10s }", "bonsoir"))
    told = list(unheard(clinic, other))

    assert (briefing.phrase, clinic.phrase_sounds[0].text) == ("Clinique du Parc, bonjour",) * 2
    assert briefing.wrap_up == WrapUp(answered_seconds=30.0, transferred_seconds=10.0)
    assert laboratory.briefing("spare").wrap_up == WrapUp(answered_seconds=20.0, transferred_seconds=20.0)
    assert laboratory.briefing("nowhere").wrap_up == WrapUp()
    phrase, left_alone = told
    assert (
        phrase == "Agents now answer for the client «Clinique du Parc, bonsoir» instead of «Clinique du Parc, bonjour»."
    )
    assert left_alone.startswith(
        "After a conversation agents are now left alone as long as their team says instead of "
    )
    assert left_alone.endswith(" instead of for 30 s, 10 s after a transfer.")


def test_a_form_that_the_tree_fills_in(clinic: Plan) -> None:
    """In either language; what is put into it is told where it changes."""
    other = _changed_text(('"patient {dossier}"', '"client {dossier}"'))
    now = "name = client {dossier}, subject = results"
    before = "name = patient {dossier}, subject = results"

    assert f"next → order: form usual ({before}), for box" in tree(clinic)
    assert {*unheard(clinic, other)} == {
        f"At {node}, what is put into the form is now {now} instead of {before}." for node in ("order", "order@en")
    }


def test_names_and_lines_are_no_difference(clinic: Plan) -> None:
    """Nor is the order of the nodes."""
    renamed = _changed_text(("farewell", "adieu"), ("# A client that uses", "#\n# A client that uses"))

    assert differing(clinic, renamed) == ()


def test_it_can_be_drawn(clinic: Plan) -> None:
    """Every node, in every form."""
    for drawn in (tree(clinic), mermaid(clinic), svg(clinic)):
        for name in ("offer", "word/ask", "laboratory/line"):
            assert name in drawn


def test_a_week_names_each_set_of_hours(clinic: Plan) -> None:
    """The other client's by their name; and the rota's turns."""
    lines = list(hours_of_week(clinic, date(2026, 11, 23)))

    assert [line.strip() for line in lines if re.match(r"  \S", line)] == [
        "hours desk",
        "hours always",
        "hours laboratory/open",
        "rota on_call",
    ]
    assert "    Mon 30 Nov  doctor, from 08:00 nurse" in list(hours_of_week(clinic, date(2026, 11, 30)))


def test_turns_of_a_rota_in_another_zone(clinic: Plan) -> None:
    """They change when the rota's own clock says so, and the client's clock says when that is."""
    moved = replace(clinic, timezone="Europe/London")

    assert "    Mon 30 Nov  doctor, from 07:00 nurse" in list(hours_of_week(moved, date(2026, 11, 30)))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--keys", "1,,,1", "--queue-state", "medical=agents:3,waiting:7", "--queue-state", "spare=free:0"],
            "callback:offer",
        ),
        (["--keys", "1,1234#", "--lookup", "rank=gold"], "answered, queue:medical"),
        (["--keys", "1,1234#", "--lookup", "failed"], "answered, queue:spare"),
        (["--keys", "1,1234#", "--lookup", "ask=failed"], "answered, queue:spare"),
        (["--keys", "1", "--queue-state", "*=empty"], "message_left, message:word/ask"),
        (["--keys", "3", "--dial", "on_call=busy", "--expect", "dial:matron"], "redirected, dial:matron"),
    ],
)
def test_route_with_lookups_and_queues(tmp_path: Path, options: list[str], line: str) -> None:
    """As on the command line."""
    done = run("route", str(FOLDER / "clinic.yaml"), "--at", "2026-11-24T10:00", *options, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f"ended: {line}\n" in done.stdout or line in done.stdout.splitlines()[-1]


def test_check_passes(tmp_path: Path) -> None:
    """With the tables."""
    done = run("check", str(FOLDER), cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    assert "0 errors, 0 warnings" in done.stdout


def test_a_table_names_all_that_is_wrong(tmp_path: Path) -> None:
    """A wrong key in one row hides none of the others."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    rows = (
        "{ at: 'tue 10:00', expct: queue }",
        "{ at: 'tue 10:00', keys: '3', expect: queue }",
        "{ at: 'tue 10:00', keys: '3', hang_up_after: 0, expect: queue }",
        "{ at: '0001-01-01T00:00', expect: queue }",
        "{ at: 'tue 10:00', lookups: { rang: gold }, expect: queue }",
        "{ at: 'tue 10:00', queues: { medical: { agens: 1 } }, expect: queue }",
        "{ at: 'tue 10:00', expect: dial:matrn }",
        "{ at: '2027-03-28T02:30', keys: '3', expect: dial }",
        "{ at: '2045-06-01T10:00', keys: '3', expect: dial }",
    )
    table = tmp_path / "clinic.test.yaml"
    table.write_text("calls:\n" + "".join(f"  - {row}\n" for row in rows))
    found = [
        str(one)
        for one in run_expected(
            read_tables(tmp_path / "clinic.yaml"), load_directory(tmp_path, PaperSpeech(), now=NOW), NOW
        )
    ]

    for number, part in (
        (2, 'unknown key "expct"'),
        (3, "call 2: expected queue, but the call came to dial:"),
        (4, "waits are counted from 1"),
        (5, "is not within 1970 to 2200"),
        (6, '(did you mean "rank"?)'),
        (7, '(did you mean "agents"?)'),
        (8, 'no contact or rota "matrn" (did you mean "matron"?)'),
        (9, "warning: call 8: at: 02:30 does not exist on that day, the clocks go forward: 03:00 is taken"),
        (10, "warning: call 9: at: public holidays are known for"),
    ):
        assert any(one.startswith(f"clinic.test.yaml:{number}: ") and part in one for one in found), (part, found)
