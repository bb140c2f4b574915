"""A verb of our own, added to copies of the two lists: all treat it rightly, and no part of it can be left out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs would be a dependency of their own
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from callrouter.core.call import replace
from callrouter.core.nodes import ALL, Node
from callrouter.core.nodes.about import About, LeftBy, Reads, Variables
from callrouter.core.plan import Plan
from callrouter.dialplan.compile.compiled import Compiled
from callrouter.dialplan.compile.compiler import compile_client
from callrouter.dialplan.documents.client_file import client_file
from callrouter.dialplan.documents.drafts import draft
from callrouter.dialplan.folder.sound_files import PaperSpeech
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.reader import read
from callrouter.dialplan.reference.schema import json_schema
from callrouter.dialplan.reference.text import reference
from callrouter.dialplan.show.mermaid import mermaid
from callrouter.dialplan.show.svg import svg
from callrouter.dialplan.show.text import tree
from callrouter.dialplan.verbs import VERBS, Verb
from callrouter.questions.diff.compare import compare
from callrouter.questions.diff.settings import unheard
from callrouter.questions.diff.wording import sentences
from callrouter.questions.outcomes import outcomes
from callrouter.testing import TUESDAY_10, sound
from tests.core.nodes.test_about import CLAIMS, Nodes, assert_stated, waits_again_as_it_did
from tests.dialplan import random_trees
from tests.dialplan.new_verb import CONFIRM, ConfirmBlock, ConfirmNode, build, describe

NOW = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)
NODES: tuple[type[Node], ...] = (*ALL, ConfirmNode)
WITH_IT = {**VERBS, CONFIRM.name: CONFIRM}
FILE = client_file(WITH_IT)
ASKS = {
    "prompt": "Pour parler à quelqu'un, tapez 1.",
    "variable": "wish",
    "hours": "office",
    "yes": "people",
    "no": "bye",
    "shut": "night",
}
DOCUMENT: dict[str, Any] = {
    "client": "acme",
    "numbers": ["01 99 00 00 90"],
    "timezone": "Europe/Paris",
    "language": "fr",
    "hours": {"office": {"open": {"mon-fri": "08:00-18:00"}}},
    "fallback": {"queue": "medical"},
    "start": "ask",
    "nodes": {
        "ask": {"confirm": ASKS},
        "people": {"queue": {"name": "medical", "max_wait": "3m", "overflow": "bye"}},
        "night": {"message": {"deliver": "office", "done": "bye"}},
        "bye": {"hangup": {}},
    },
}


def _compiled(nodes: dict[str, Any] | None = None, **changed: Any) -> Compiled:
    """The document, with some nodes or keys of the verb changed."""
    own = {"ask": {"confirm": {**ASKS, **changed}}, **(nodes or {})}
    document = {**DOCUMENT, "nodes": {**DOCUMENT["nodes"], **own}}
    content = yaml.safe_dump(random_trees.as_text(document), allow_unicode=True)
    drafted = draft(read(content.encode(), "acme.yaml"), FILE)
    return compile_client(drafted, random_trees.SHARED, PaperSpeech(), TUESDAY_10.date())


def _plan(**changed: Any) -> Plan:
    found = _compiled(**changed)
    assert found.plan, [*map(str, found.issues)]
    return found.plan


def _complaints(nodes: dict[str, Any] | None = None, **changed: Any) -> list[str]:
    return [f"{issue.field}: {issue.message}" for issue in _compiled(nodes, **changed).issues]


# It is treated rightly.


def test_documents_hold_it() -> None:
    """What is written becomes its node; what is wrong is said at its place, in its words."""
    assert isinstance(_plan().nodes["ask"], ConfirmNode)
    assert _complaints() == []
    assert _complaints(hours="offise") == ["nodes.ask.confirm.hours: the client has no hours called offise"]
    without = {key: value for key, value in ASKS.items() if key != "shut"}
    missing = 'shut: "shut" is missing: say where callers go while nobody is there'
    assert _complaints({"ask": {"confirm": without}}) == [missing]


def test_the_real_list_does_not_have_it() -> None:
    """The copies are copies."""
    found = draft(read(yaml.safe_dump(DOCUMENT).encode(), "acme.yaml"))

    assert [issue.message.partition(":")[0] for issue in found.issues] == ['unknown verb "confirm"']


def test_the_proof_knows_how_it_is_left() -> None:
    """By silence, by keys, at once; and which variables it needs and sets."""
    loop = {"people": {"play": {"prompt": "Encore.", "next": "ask"}}}
    (going_round,) = _complaints(loop, no="people")
    assert going_round.endswith("a caller who presses nothing goes round without end: ask → people → ask")
    # A key that means something is needed to go round: that is no loop.
    assert _complaints(loop) == []
    at_once = {"night": {"set": {"variables": {"wish": "0"}, "next": "ask"}}}
    assert "without waiting for anybody" in _complaints(at_once)[0]
    told = {"notify": {"contact": "crm", "data": {"wish": "{wish}"}, "next": "bye"}}
    assert _complaints({"people": told}) == []
    (unset,) = _complaints({"night": told})
    assert 'variable "wish" is read here, but it is not set on the way ask → night' in unset


def test_the_proof_knows_what_it_costs() -> None:
    """Eight keys are many; nine are too many."""
    names = [f"ask_{place}" for place in range(9)]
    following = [*names[1:], "people"]
    asked = {name: {"confirm": {**ASKS, "yes": to}} for name, to in zip(names, following, strict=True)}

    assert "presses at least 9 keys" in _complaints({**asked, "ask": {"answer": {"next": "ask_0"}}})[0]


def test_every_outcome_is_found() -> None:
    """`route --all`: in office hours and outside them, with and without a yes."""
    found = outcomes(_plan(), NOW)

    assert found.complete
    assert found.moments == 2
    told = {(one.ending.outcome, one.ending.node): one.way.in_words for one in found.found}
    assert told["queue:medical", "people"] == "presses 1, queue medical answers"
    assert told["self_served", "bye"] == "presses 9"
    assert told["message:night", "night"] == "leaves a message"


def test_a_difference_is_found() -> None:
    """`diff`: whom another exit concerns, other hours, and what no caller hears."""
    plan = _plan()
    (other,) = sentences(compare(plan, _plan(no="night"), NOW))
    assert str(other).startswith("In opening hours, callers who press a wrong key or press nothing now reach a message")
    assert sentences(compare(plan, _plan(), NOW)) == ()
    later = replace(plan.schedules["office"], week=((),) * 7)
    assert sentences(compare(plan, replace(plan, schedules={"office": later}), NOW)) != ()
    assert [*unheard(plan, _plan(timeout="7s"))] == ["At ask, the longest wait for a yes is now 7 s instead of 5 s."]


def test_it_is_drawn() -> None:
    """In its words, and as one of its family."""
    plan = _plan()
    words = "“Pour parler à quelqu'un, tapez 1.” in office"

    assert f"start → ask: confirm {words}" in tree(plan, WITH_IT)
    assert '{{"ask: confirm “Pour parler' in mermaid(plan, WITH_IT)
    assert "#d6e4f5" in svg(plan, WITH_IT)
    assert "confirm: “Pour parler à" in svg(plan, WITH_IT)


def test_editors_and_people_are_told_of_it() -> None:
    """Schema and reference are made of it."""
    schema = json_schema("client", FILE)
    validator = jsonschema.Draft7Validator(schema)

    assert schema["$defs"]["NodeBlock"]["properties"]["confirm"]["description"] == "Ask for a yes."
    assert schema["$defs"]["ConfirmBlock"]["properties"]["yes"]["description"] == "Where a 1 leads."
    assert [*validator.iter_errors(DOCUMENT)] == []
    assert [*validator.iter_errors({**DOCUMENT, "nodes": {"ask": {"confirm": {}}}})] != []
    section = reference(FILE).partition("### confirm\n")[2].partition("\n### ")[0]
    assert "Ask for a yes while the office is open." in section
    assert "| `shut` | name | **needed** | Where the call goes while nobody is there. |" in section


# Nothing can be left out.


@pytest.mark.parametrize("part", ["kind", "exit_names", "enter", "about"])
def test_a_node_is_whole(part: str) -> None:
    """Its module cannot be imported otherwise."""
    metaclass: Any = type(Node)
    parts = {name: vars(ConfirmNode)[name] for name in ("kind", "exit_names", "enter", "about")}
    metaclass("HalfNode", (Node,), dict(parts), frozen=True, kw_only=True)

    with pytest.raises(TypeError, match=f"HalfNode leaves out {part}"):
        metaclass("HalfNode", (Node,), {k: v for k, v in parts.items() if k != part}, frozen=True, kw_only=True)


@pytest.mark.parametrize("part", About.__struct_fields__)
def test_what_a_node_says_is_whole(part: str) -> None:
    """Nothing is taken for granted."""
    whole = _plan().nodes["ask"].about()
    said = {name: getattr(whole, name) for name in About.__struct_fields__ if name != part}

    with pytest.raises(TypeError, match=f"Missing required argument '{part}'"):
        About(**said)


@pytest.mark.parametrize("part", Verb.__struct_fields__)
def test_a_verb_is_whole(part: str) -> None:
    """What it may hold, how it is built, how it is drawn."""
    whole = {name: getattr(CONFIRM, name) for name in Verb.__struct_fields__ if name != part}

    with pytest.raises(TypeError, match=f"Missing required argument '{part}'"):
        Verb(**whole)


def test_a_verb_says_what_is_missing_and_is_called_as_its_node() -> None:
    """Or it is refused."""

    class Silent(Block):
        """Says nothing of its keys."""

    with pytest.raises(TypeError, match="Silent leaves out missing"):
        Verb(name="confirm", node=ConfirmNode, block=Silent, build=build, describe=describe)
    with pytest.raises(TypeError, match="the names must be the same"):
        Verb(name="affirm", node=ConfirmNode, block=ConfirmBlock, build=build, describe=describe)
    with pytest.raises(TypeError, match="leaves out node, build or describe"):
        Verb(name="confirm", node=ConfirmNode, block=ConfirmBlock, build=build, describe=None)


def test_a_verb_that_asks_says_for_which_keys() -> None:
    """Whoever walks the tree finds out."""
    plan = _plan()
    parts = {name: vars(ConfirmNode)[name] for name in ("kind", "exit_names", "about", "enter", "resume", "_ask")}
    metaclass: Any = type(Node)
    parts["__annotations__"] = vars(ConfirmNode)["__annotations__"]
    half = metaclass("HalfNode", (Node,), parts, frozen=True, kw_only=True)
    asks = plan.nodes["ask"]
    mute = half(**{name: getattr(asks, name) for name in ConfirmNode.__struct_fields__})

    with pytest.raises(NotImplementedError, match="confirm asks for keys and does not say which"):
        outcomes(replace(plan, nodes={**plan.nodes, "ask": mute}), NOW)


def _confirms(kind: type[ConfirmNode]) -> Nodes:
    return st.builds(
        kind, name=st.just(""), sounds=st.just((sound("yes?"),)), variable=st.just("motif"), hours=st.just("open")
    )


def _prove(nodes: Nodes, claim: Callable[[Nodes, st.DataObject], None]) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
    @given(data=st.data())
    def claimed(data: st.DataObject) -> None:
        claim(nodes, data)

    claimed()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_what_it_says_is_true(claim: Callable[[Nodes, st.DataObject], None]) -> None:
    """As it is of every verb."""
    _prove(_confirms(ConfirmNode), claim)


@pytest.mark.parametrize(
    "untrue",
    [
        {"reads": Reads()},
        {"does": ()},
        {"left_by": {"yes": LeftBy.KEY, "no": LeftBy.SILENCE | LeftBy.WRONG_KEYS, "shut": LeftBy.TIME}},
        {"left_by": {"yes": LeftBy.OTHERS, "no": LeftBy.SILENCE | LeftBy.WRONG_KEYS, "shut": LeftBy.NOTHING}},
        {"left_by": {"yes": LeftBy.KEY, "shut": LeftBy.NOTHING}},
        {"variables": Variables()},
    ],
    ids=["reads", "does", "at once", "keys", "an exit", "variables"],
)
def test_what_it_does_not_say_is_found_out(untrue: dict[str, Any]) -> None:
    """By trying."""

    class Liar(ConfirmNode, frozen=True, kw_only=True):
        """Says something else."""

        def about(self) -> About:
            """What is not so."""
            return replace(super().about(), **untrue)

    def prove_all() -> None:
        for claim in CLAIMS:
            _prove(_confirms(Liar), claim)

    with pytest.raises(AssertionError):
        prove_all()


def test_a_verb_that_waits_says_how_it_waits_again() -> None:
    """Otherwise no engine could go on with its callers."""

    class Forgetful(ConfirmNode, frozen=True, kw_only=True):
        """Says nothing of it."""

        wait_again = Node.wait_again

    with pytest.raises(NotImplementedError, match="confirm waits and does not say how it does so again"):
        _prove(_confirms(Forgetful), waits_again_as_it_did)


def test_its_cases_state_it() -> None:
    """A case file that states nothing, or something else, fails."""
    cases = ModuleType("cases.confirm")
    asks = _plan().nodes["ask"]
    with pytest.raises(AssertionError, match="states nothing as ABOUT"):
        assert_stated(ConfirmNode, cases)
    cases.ABOUT = ((asks, asks.about()),)  # type: ignore[attr-defined]
    assert_stated(ConfirmNode, cases)
    cases.ABOUT = ((asks, replace(asks.about(), reads=Reads())),)  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        assert_stated(ConfirmNode, cases)


# The lists agree.


def _agree(nodes: tuple[type[Node], ...], verbs: dict[str, Verb]) -> bool:
    return {verb.node for verb in verbs.values() if verb.node} == set(nodes)


def test_the_two_lists_hold_the_same_verbs() -> None:
    """A verb that stands in one of them only would be half known."""
    assert _agree(ALL, dict(VERBS))
    assert _agree(NODES, WITH_IT)
    assert not _agree(NODES, dict(VERBS))
    assert not _agree(ALL, WITH_IT)


def test_random_trees_hold_every_verb() -> None:
    """Otherwise the proof is tried without it; `include` needs a snippet, which random folders have."""
    assert random_trees.VERBS.keys() == VERBS.keys() - {"include"}
