"""Sentences with values in braces, wherever something is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callrouter.core.effects import ReadAs, Sound
from callrouter.core.read_aloud import PromptPart, SpokenVariable
from callrouter.dialplan import Catalogue
from callrouter.dialplan.language.sentences import Place, pieces

CLIENT = """\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
fallback: {{ queue: sales }}
contacts: {{ doctor: {{ number: "06 12 34 00 07" }} }}
start: code
nodes:
  code:
    collect_digits:
      {{ prompt: "Code ?", variable: code, min: 4, max: 4, next: it, no_input: it2, no_match: sales }}
  it2: {{ set: {{ variables: {{ code: "0000" }}, next: it }} }}
  it: {node}
  sales: {{ queue: {{ name: sales, max_wait: 3m, overflow: bye }} }}
  bye: {{ hangup: {{}} }}
"""
SENTENCE = '"Vous appelez du {caller}, code {code}."'
EVERYWHERE = [
    "play: { prompt: %s, next: bye }",
    'menu: { prompt: %s, keys: { "1": sales }, no_input: bye, no_match: bye }',
    'menu: { prompt: "Tapez 1.", keys: { "1": sales }, no_input: { then: bye, prompt: %s }, no_match: bye }',
    'menu: { prompt: "Tapez 1.", keys: { "1": sales }, no_input: bye, no_match: { then: bye, prompt: %s } }',
    "collect_digits: { prompt: %s, variable: other, min: 1, max: 2, next: bye, no_input: bye, no_match: bye }",
    "callback: { prompt: %s, done: bye, declined: bye, no_input: bye, no_match: bye }",
    "message: { prompt: %s, deliver: doctor, done: bye }",
    "queue: { name: sales, max_wait: 3m, brief: %s, overflow: bye }",
    "dial: { contacts: doctor, ring: 20s, screen: %s, no_answer: bye }",
    "reject: { prompt: %s }",
    "hangup: { prompt: %s }",
]


@pytest.fixture
def node(tmp_path: Path, load: Callable[[], Catalogue]) -> Callable[[str], Catalogue]:
    """Loads a client whose node `it` is as given."""

    def put(written: str) -> Catalogue:
        shared = tmp_path / "shared"
        shared.mkdir(exist_ok=True)
        (shared / "queues.yaml").write_text("queues: { sales: { members: [anna] } }\n")
        (shared / "agents.yaml").write_text("agents: { anna: { name: Anna, phone: anna-2 } }\n")
        (tmp_path / "acme.yaml").write_text(CLIENT.format(node=f"{{ {written} }}"))
        return load()

    return put


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("Bonjour.", ("Bonjour.",)),
        ("Du {caller}, merci.", ("Du", Place(variable="caller", read_as=ReadAs.TELEPHONE), "merci.")),
        ("{code}.", (Place(variable="code", read_as=ReadAs.DIGITS),)),
        ("Le {jour:date}", ("Le", Place(variable="jour", read_as=ReadAs.DATE))),
        ("{n:number} euros", (Place(variable="n", read_as=ReadAs.NUMBER), "euros")),
    ],
)
def test_pieces(sentence: str, found: tuple[object, ...]) -> None:
    """Texts and places; punctuation alone is not said."""

    assert pieces(sentence) == found


@pytest.mark.parametrize(
    "sentence", ["{", "}", "{}", "{Dossier}", "{a b}", "{a:}", "{a:b}", "{caller:date}", "{client}"]
)
def test_never_spoken(sentence: str) -> None:
    """A brace that is no place is refused."""
    with pytest.raises(ValueError, match=r"[{}]"):
        pieces(f"Bonjour {sentence}.")


def _parts(value: object) -> list[PromptPart]:
    return [part for part in value if isinstance(part, Sound | SpokenVariable)] if isinstance(value, tuple) else []


@pytest.mark.parametrize("written", EVERYWHERE)
def test_everywhere(node: Callable[[str], Catalogue], written: str) -> None:
    """Every verb that says something reads the values, as the rest of the sentence is in the client's language."""
    # A callback says a telephone number itself, after its prompt: two of them are more than one command holds.
    found = node(written % ('"Du {caller}, bonjour."' if written.startswith("callback") else SENTENCE))

    assert [str(issue) for issue in found.issues if issue.severity.name == "ERROR"] == []
    (plan,) = found.plans.values()
    it = plan.nodes["it"]
    parts = [part for name in it.__struct_fields__ for part in _parts(getattr(it, name))]
    read = {part.variable: part for part in parts if isinstance(part, SpokenVariable)}
    assert read["caller"] == SpokenVariable(
        variable="caller", read_as=ReadAs.TELEPHONE, language="fr", timezone="Europe/Paris", region="FR"
    )
    assert {read[name].read_as for name in read if name == "code"} <= {ReadAs.DIGITS}
    assert {need.variable for need in it.about().variables.needed} == read.keys() - {"caller"}


@pytest.mark.parametrize("written", EVERYWHERE)
def test_what_is_not_set(node: Callable[[str], Catalogue], written: str) -> None:
    """A value that no way sets is an error wherever it is said."""
    found = node(written % '"Code {other_one}."')

    assert any('variable "other_one" is read here' in str(issue) for issue in found.issues)


def test_a_question_and_what_goes_before_it(node: Callable[[str], Catalogue]) -> None:
    """Both are one command to Asterisk, and must fit into it together."""
    three = '["Vous appelez du {caller}.", { digits: code }]'
    silent = f"{{ then: bye, prompt: {three} }}"
    found = node(f'menu: {{ prompt: {three}, keys: {{ "1": sales }}, no_input: {silent}, no_match: bye }}')

    assert any("with the question after it, is too long" in str(issue) for issue in found.issues)


def test_a_menu_of_languages(tmp_path: Path, load: Callable[[], Catalogue]) -> None:
    """Each sentence bears its own voice; what follows the key is in the language chosen."""
    (tmp_path / "acme.yaml").write_text("""\
client: acme
numbers: ["01 99 00 00 90"]
timezone: Europe/Paris
language: fr
languages: [fr, en]
fallback: { number: "01 99 00 00 91" }
contacts: { doctor: { number: "06 12 34 00 07", email: doctor@a.example } }
start: which
nodes:
  which:
    menu:
      prompt:
        - { say: "Vous appelez du {caller}. Pour le français, tapez 1.", language: fr }
        - { say: "For English, press 2.", language: en }
      keys: { "1": hello, "2": english }
      no_input: hello
      no_match: hello
  english: { set: { language: en, next: hello } }
  hello: { play: { prompt: { say: { fr: "Du {caller}.", en: "From {caller}." } }, next: again } }
  again:
    message:
      prompt: [{ say: "Laissez un message.", language: fr }, { say: "Leave a message.", language: en }]
      deliver: doctor
      done: bye
  bye: { hangup: {} }
""")
    found = load()

    assert list(map(str, found.issues)) == []
    nodes = found.plans["acme"].nodes
    assert [part.file for part in nodes["which"].sounds] == ["say/fr", "{caller}", "say/fr", "say/en"]  # type: ignore[attr-defined]
    for name in ("again", "again@en"):
        assert [part.file for part in nodes[name].sounds] == ["say/fr", "say/en"]  # type: ignore[attr-defined]
    said = {name: nodes[name].sounds for name in ("hello", "hello@en")}  # type: ignore[attr-defined]
    assert {name: [part.text for part in parts] for name, parts in said.items()} == {
        "hello": ["Du", "{caller}"],
        "hello@en": ["From", "{caller}"],
    }
    assert [parts[1].language for parts in said.values()] == ["fr", "en"]


def test_a_voice_of_its_own(node: Callable[[str], Catalogue]) -> None:
    """A menu of languages: each sentence in its own, and only there."""
    languages = '[{ say: "Pour le français, tapez 1." }, { say: "For English, press 2.", language: en }]'
    found = node(f'menu: {{ prompt: {languages}, keys: {{ "1": sales, "2": bye }}, no_input: bye, no_match: bye }}')

    assert [str(issue) for issue in found.issues if issue.severity.name == "ERROR"] == []
    (plan,) = found.plans.values()
    assert [(part.file, part.text) for part in plan.nodes["it"].sounds] == [  # type: ignore[attr-defined]
        ("say/fr", "Pour le français, tapez 1."),
        ("say/en", "For English, press 2."),
    ]
