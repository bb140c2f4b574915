"""The verbs that reach beyond the call: what may be written, what it becomes, and each mistake's sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callrouter.core.conditions import Bounds, Measure, QueueStands, VariableIs, VariableNumber, VariableUnset
from callrouter.core.effects import LookupField, ReadAs
from callrouter.core.nodes import BranchNode, CallbackNode, LookupNode, NotifyNode, PlayNode
from callrouter.core.read_aloud import SpokenVariable
from callrouter.dialplan import Catalogue

TREE = """\
client: a
numbers: ["01 99 00 00 10"]
timezone: Europe/Paris
language: fr
fallback: {{ node: bye }}
contacts:
  crm: {{ url: "https://crm.example/hook?key=1" }}
  doctor: {{ email: doctor@example.org }}
start: it
nodes:
  it:
    {node}
  bye: {{ hangup: }}
"""
QUEUES = "queues: { medical: { members: [agent-1] } }\n"

Load = Callable[[], Catalogue]


@pytest.fixture
def one(tmp_path: Path, load: Load) -> Callable[[str], Catalogue]:
    """Loads a client of one node."""

    def put(node: str) -> Catalogue:
        (tmp_path / "shared").mkdir(exist_ok=True)
        (tmp_path / "shared" / "queues.yaml").write_text(QUEUES)
        (tmp_path / "a.yaml").write_text(TREE.format(node=node))
        return load()

    return put


def test_a_lookup(one: Callable[[str], Catalogue]) -> None:
    """Fields in both ways of writing, secrets by name."""
    found = one(
        'lookup: { url: "https://crm.example:8443/{caller}", method: POST, body: { did: "{did}" }, timeout: 2s,'
        " headers: { Authorization: env:CRM }, fields: { name: customer.name, place: { path: q.0, max: 4 } },"
        " next: bye, failed: bye }"
    )
    node = found.plans["a"].nodes["it"]

    assert isinstance(node, LookupNode)
    assert node.fields == (
        LookupField(variable="name", path=("customer", "name"), longest=64),
        LookupField(variable="place", path=("q", "0"), longest=4),
    )
    assert (node.method, node.timeout_seconds, node.headers) == ("POST", 2.0, (("Authorization", "env:CRM"),))


def test_a_notification(one: Callable[[str], Catalogue]) -> None:
    """To a contact's webhook."""
    node = one('notify: { contact: crm, data: { why: "urgent" }, next: bye }').plans["a"].nodes["it"]

    assert isinstance(node, NotifyNode)
    assert node.url == "https://crm.example/hook?key=1"


def test_a_callback(one: Callable[[str], Catalogue]) -> None:
    """The sentences around the number come with it."""
    plan = one("callback: { done: bye, declined: bye, no_input: bye, no_match: { retry: 2, then: bye } }").plans["a"]
    node = plan.nodes["it"]

    assert isinstance(node, CallbackNode)
    assert (node.region, node.language, node.no_match_retries) == ("FR", "fr", 2)
    assert "tapez 1" in node.choice_sounds[0].text


def test_a_sequence(one: Callable[[str], Catalogue]) -> None:
    """Texts and variables in turn; a date is read in the client's zone."""
    found = one('play: { prompt: ["Bonjour", { date: rdv }], next: bye }')
    # The proof may refuse a variable nobody sets: here only what is compiled counts.
    node = found.plans["a"].nodes["it"] if found.plans else None

    if node is not None:
        assert isinstance(node, PlayNode)
        assert node.sounds[1] == SpokenVariable(
            variable="rdv", read_as=ReadAs.DATE, language="fr", timezone="Europe/Paris"
        )


def test_conditions(one: Callable[[str], Catalogue]) -> None:
    """Each becomes one question of the core."""
    node = one(
        "branch: { otherwise: bye, when: ["
        "{ queue: medical, agents: { below: 1 }, then: bye },"
        "{ queue: medical, expected_wait: { above: 2m }, then: bye },"
        "{ variable: x, is_set: false, then: bye },"
        "{ variable: x, number: { at_least: 1, at_most: 2.5 }, then: bye },"
        "{ variable: x, one_of: [a, b], then: bye } ] }"
    )
    branch = node.plans["a"].nodes["it"] if node.plans else None

    assert branch is not None, node.issues
    assert isinstance(branch, BranchNode)
    assert branch.when == (
        QueueStands(queue="medical", measure=Measure.AGENTS, bounds=Bounds(below=1)),
        QueueStands(queue="medical", measure=Measure.EXPECTED_WAIT, bounds=Bounds(above=120)),
        VariableUnset(variable="x"),
        VariableNumber(variable="x", bounds=Bounds(at_least=1, at_most=2.5)),
        VariableIs(variable="x", values=("a", "b")),
    )


MISTAKES = [
    ("notify: { contact: doctor, next: bye }", 'contact "doctor" has no "url" to be told at'),
    ("notify: { contact: cmr, next: bye }", 'contact "cmr" is not in shared/contacts.yaml (did you mean "crm"?)'),
    ('notify: { contact: crm, data: { a: "{" }, next: bye }', 'the "{" at character 1 belongs to no variable'),
    ("lookup: { url: ftp://x/, next: bye, failed: bye }", "is no address of a web service: write https://…"),
    ('lookup: { url: "https://{caller}/", next: bye, failed: bye }', "the host must be written out"),
    ('lookup: { url: "https://a.example{caller}/", next: bye, failed: bye }', "the host must be written out"),
    ('lookup: { url: "https://u:p@a.example/", next: bye, failed: bye }', "holds no user and no password"),
    ("lookup: { url: https://a.example/, next: bye }", "failed"),
    (
        "lookup: { url: https://a.example/, timeout: 11s, next: bye, failed: bye }",
        '"11s" is too long: a caller waits at most 10s',
    ),
    (
        "lookup: { url: https://a.example/, headers: { Authorization: Bearer abc }, next: bye, failed: bye }",
        "a secret does not stand in a document: write env:NAME",
    ),
    (
        "lookup: { url: https://a.example/, headers: { Host: b }, next: bye, failed: bye }",
        "header Host is written by callrouter itself",
    ),
    (
        'lookup: { url: https://a.example/, headers: { "X\\r\\nY": b }, next: bye, failed: bye }',
        "is no name of a header",
    ),
    ("lookup: { url: https://a.example/, body: { a: b }, next: bye, failed: bye }", 'a GET has no "body"'),
    ("lookup: { url: https://a.example/, fields: { a: b..c }, next: bye, failed: bye }", "is no way into an answer"),
    (
        "lookup: { url: https://a.example/, fields: { a: { path: b, max: 900 } }, next: bye, failed: bye }",
        "max is 900: a field takes 1 to 200 bytes",
    ),
    ("branch: { when: [{ queue: medcal, agents: { below: 1 }, then: bye }], otherwise: bye }", 'queue "medcal"'),
    ("branch: { when: [{ queue: medical, then: bye }], otherwise: bye }", '"queue" needs exactly one of "agents"'),
    ("branch: { when: [{ queue: medical, agents: {}, then: bye }], otherwise: bye }", "needs a bound"),
    (
        "branch: { when: [{ queue: medical, agents: { below: 1, above: 3 }, then: bye }], otherwise: bye }",
        "can never hold: nothing lies between these bounds",
    ),
    (
        "branch: { when: [{ agents: { below: 1 }, percentage: 3, then: bye }], otherwise: bye }",
        '"agents" needs "queue"',
    ),
    ("play: { prompt: { say: a, digits: b }, next: bye }", "must hold exactly one of say, sound, digits"),
    (
        "play: { prompt: [{ digits: a }, { digits: b }, { digits: c }, { digits: d }], next: bye }",
        "the sequence is too long for one play",
    ),
    ("callback: { done: bye, no_input: bye, no_match: bye }", "declined"),
]


@pytest.mark.parametrize(("node", "sentence"), MISTAKES, ids=lambda value: value[:60])
def test_mistakes(one: Callable[[str], Catalogue], node: str, sentence: str) -> None:
    """Each is refused, with its line and a sentence."""
    found = one(node)

    said = [str(issue) for issue in found.issues]
    assert not found.plans, said
    assert any(sentence in line and line.startswith("a.yaml:1") for line in said), said
