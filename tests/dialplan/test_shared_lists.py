"""Lists of callers that all clients may ask, and trees that go by the number dialled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callrouter.core.plan import Plan
from callrouter.dialplan import Catalogue, Loader, PaperSpeech, load_directory
from callrouter.questions.diff.compare import compare
from callrouter.questions.diff.wording import sentences
from callrouter.questions.occasions import caller_kinds
from callrouter.questions.outcomes import outcomes

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LISTS = 'country: FR\nlists:\n  nuisance: ["0162*", "09 48 12 34 56"]\n  vip: ["06 12 34 00 09"]\n'
QUEUES = "queues:\n  medical: { members: [agent-1] }\n  legal: { members: [agent-2] }\n"
CLIENT = """\
client: {name}
numbers: ["01 99 00 00 {last}"]
timezone: {zone}
language: fr
fallback: {{ queue: medical }}
{lists}
start: who
nodes:
  who: {{ caller: {{ {asked}: refuse, otherwise: desk }} }}
  refuse: {{ reject: {{}} }}
  desk: {{ queue: {{ name: medical, max_wait: 1m, overflow: refuse }} }}
"""
TWO_NUMBERS = """\
client: practices
numbers: ["01 99 00 00 60", "01 99 00 00 61", "01 99 00 00 62"]
timezone: Europe/Paris
language: fr
fallback: { queue: medical }
start: line
nodes:
  line: { branch: { when: [{ did: ["01 99 00 00 61"], then: second }], otherwise: first } }
  first: { queue: { name: medical, max_wait: 1m, overflow: bye } }
  second: { queue: { name: legal, max_wait: 1m, overflow: bye } }
  bye: { hangup: {} }
"""

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a file into the folder."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "queues.yaml").write_text(QUEUES)

    def put(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)

    return put


def client(
    asked: str = "nuisance", name: str = "a", last: str = "10", zone: str = "Europe/Paris", lists: str = ""
) -> str:
    """A client that refuses callers of one list."""
    return CLIENT.format(name=name, asked=asked, last=last, zone=zone, lists=lists)


def load(folder: Path) -> Catalogue:
    """The folder as it stands."""
    return load_directory(folder, PaperSpeech(), now=NOW)


def said(catalogue: Catalogue) -> list[str]:
    """Every finding."""
    return [str(issue) for issue in catalogue.issues]


def ends(plan: Plan, number: str) -> set[str]:
    """Where calls of a number end."""
    kinds = {kind.caller.number: kind for kind in caller_kinds(plan)}
    assert number in kinds
    found = outcomes(plan, NOW).found
    return {one.ending.node for one in found if one.kind.caller.number == number}


def test_every_client_may_ask_a_shared_list(tmp_path: Path, write: Write) -> None:
    """Wherever it lies: the numbers are those of the file's own country."""
    write("shared/lists.yaml", LISTS)
    write("a.yaml", client())
    write(
        "b.yaml",
        client(name="b", last="11").replace("01 99", "020 7946").replace("00 00 11", "0041").replace("Paris", "London"),
    )
    catalogue = load(tmp_path)

    assert said(catalogue) == []
    assert all("refuse" in ends(plan, "+33948123456") for plan in catalogue.plans.values())


def test_a_clients_own_list_stands_instead_of_a_shared_one(tmp_path: Path, write: Write) -> None:
    """Which is a note, and nothing to mend."""
    write("shared/lists.yaml", LISTS)
    write("a.yaml", client("vip", lists='lists: { vip: ["06 12 34 00 01"] }'))
    catalogue = load(tmp_path)

    assert said(catalogue) == [
        "a.yaml:6: note: lists.vip: stands instead of the list of that name in shared/lists.yaml"
    ]
    assert "refuse" in ends(catalogue.plans["a"], "+33612340001")


def test_a_wrong_entry_refuses_its_list_and_who_asks_it(tmp_path: Path, write: Write) -> None:
    """And no other list, and nobody else."""
    write("shared/lists.yaml", LISTS.replace("09 48 12 34 56", "09 48 12 34 5"))
    write("a.yaml", client())
    write("b.yaml", client("vip", name="b", last="11"))
    catalogue = load(tmp_path)

    assert said(catalogue) == [
        'shared/lists.yaml:3: list "nuisance": "09 48 12 34 5" is no telephone number of FR: it has 1 digit too few',
        'a.yaml:9: node "who": list "nuisance" is refused: mend it in shared/lists.yaml first',
    ]
    assert [*catalogue.plans] == ["b"]


def test_a_list_that_nobody_has_is_named_with_what_was_meant(tmp_path: Path, write: Write) -> None:
    """Of both kinds of lists."""
    write("shared/lists.yaml", LISTS)
    write("a.yaml", client("nuisances"))

    assert said(load(tmp_path)) == [
        'a.yaml:9: node "who": list "nuisances" is not in shared/lists.yaml (did you mean "nuisance"?)'
    ]


def test_a_changed_shared_list_is_live_at_once_and_told(tmp_path: Path, write: Write) -> None:
    """The plan is another version, and `diff` says for whom."""
    write("shared/lists.yaml", LISTS)
    write("a.yaml", client())
    loader = Loader(tmp_path, PaperSpeech())
    before = loader.load(NOW)
    write("shared/lists.yaml", LISTS.replace('"0162*"', '"0163*", "0162*"'))
    now = loader.load(NOW)
    found = [str(one) for one in sentences(compare(before.plans["a"], now.plans["a"], NOW))]

    assert before.plans["a"].version != now.plans["a"].version
    assert [one for one in found if "now in list nuisance" in one] == [
        "At any time, callers like +33163991234 (now in list nuisance) now reach a refusal instead of queue:medical."
    ]


def test_numbers_lead_to_nodes_of_their_own(tmp_path: Path, write: Write) -> None:
    """`route --all` has an outcome of each kind of number, and says which."""
    write("practices.yaml", TWO_NUMBERS)
    catalogue = load(tmp_path)
    found = outcomes(catalogue.plans["practices"], NOW).found

    assert said(catalogue) == []
    assert {(one.ending.outcome, one.kind.words) for one in found if one.ending.outcome.startswith("queue")} == {
        ("queue:medical", "any caller who dials +33199000060"),
        ("queue:legal", "any caller who dials +33199000061"),
    }


def test_a_number_that_goes_elsewhere_is_told(tmp_path: Path, write: Write) -> None:
    """And only for those who dial it."""
    write("practices.yaml", TWO_NUMBERS)
    before = load(tmp_path).plans["practices"]
    write("practices.yaml", TWO_NUMBERS.replace('["01 99 00 00 61"]', '["01 99 00 00 61", "01 99 00 00 62"]'))
    now = load(tmp_path).plans["practices"]

    assert [str(one) for one in sentences(compare(before, now, NOW))] == [
        "At any time, callers who dial +33199000062 now reach queue:legal instead of queue:medical."
    ]


WRONG = {
    "another number": (
        '["01 99 00 00 61", "01 99 00 00 63"]',
        "did: +33199000063 is no number of the client, whose numbers are +33199000060, +33199000061, +33199000062",
    ),
    "twice": ('["01 99 00 00 61", "+33 1 99 00 00 61"]', 'did: "+33 1 99 00 00 61" stands here twice'),
    "a digit lost": ('["01 99 00 00 6"]', 'did: "01 99 00 00 6" is no telephone number of FR: it has 1 digit too few'),
    "answered before": (
        '["01 99 00 00 61"], then: first }, { did: "01 99 00 00 61"',
        "condition 2 never decides: all its numbers are answered for by condition 1",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_branch_on_a_number_is_proved(what: str, tmp_path: Path, write: Write) -> None:
    """Numbers are the client's own, each decides once."""
    written, sentence = WRONG[what]
    write("practices.yaml", TWO_NUMBERS.replace('["01 99 00 00 61"]', written))

    assert said(load(tmp_path)) == [f'practices.yaml:8: node "line": {sentence}']


def test_a_number_that_an_earlier_node_has_decided_about(tmp_path: Path, write: Write) -> None:
    """The second branch asks in vain."""
    again = "  again: { branch: { when: [{ did: ['01 99 00 00 61'], then: second }], otherwise: first } }\n"
    write("practices.yaml", TWO_NUMBERS.replace("otherwise: first", "otherwise: again") + again)
    (one,) = said(load(tmp_path))

    assert one == (
        'practices.yaml:12: warning: node "again": condition 1 never holds here: an earlier node has answered it'
        " [decided-before]"
    )
