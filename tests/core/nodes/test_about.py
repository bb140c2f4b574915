"""What nodes say of themselves, as their case files state it, and held against what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callrouter.core import engine
from callrouter.core.call import Call, Clocks, replace
from callrouter.core.effects import (
    Answer,
    CollectDigits,
    Dial,
    Effect,
    EnterQueue,
    Hangup,
    LookAtQueues,
    Lookup,
    Play,
    Record,
)
from callrouter.core.facts import NodeVisited
from callrouter.core.inputs import CallOffered, CollectEnded
from callrouter.core.nodes import ALL, HangupNode, Leave, Node, SetNode, Stay, Step
from callrouter.core.nodes.about import About, LeftBy
from callrouter.core.plan import Plan
from callrouter.core.transfers.waits import is_given_away
from callrouter.testing import TUESDAY_10, plan_of
from tests.core.nodes.test_nodes import case_file
from tests.core.strategies import HOURS, KINDS, VARIABLES, exits_of, happenings, offers

ENGINES_OWN = (Answer, Hangup)
"""Effects the engine asks for by itself, besides those of nodes."""


@pytest.mark.parametrize("kind", ALL, ids=lambda node: node.kind)
def test_stated(kind: type[Node]) -> None:
    """The case file says it again, in plain words: nobody changes it by the way."""
    assert_stated(kind, case_file(kind.kind))


def assert_stated(kind: type[Node], cases: ModuleType) -> None:
    """A verb's case file says what some of its nodes say."""
    stated = getattr(cases, "ABOUT", ())
    assert stated, f"{cases.__name__} states nothing as ABOUT"
    for node, about in stated:
        assert isinstance(node, kind)
        assert node.about() == about


def test_a_verb_that_leaves_out_a_part_is_refused() -> None:
    """When its module is imported."""
    parts: dict[str, Any] = {
        "kind": "wait",
        "exit_names": frozenset({"next"}),
        "enter": lambda self, plan, call, at: None,
        "about": lambda self: None,
    }
    metaclass: Any = type(Node)
    metaclass("WaitNode", (Node,), dict(parts), frozen=True, kw_only=True)

    for part in parts:
        without = {name: value for name, value in parts.items() if name != part}
        with pytest.raises(TypeError, match=f"WaitNode leaves out {part}"):
            metaclass("WaitNode", (Node,), without, frozen=True, kw_only=True)


def test_no_part_of_what_is_said_may_be_left_out() -> None:
    """There is nothing a verb says without saying it."""
    with pytest.raises(TypeError, match="Missing required argument 'family'"):
        About()  # type: ignore[call-arg]
    assert not [field for field in About.__struct_defaults__ if field is not None]


def says(about: About, effect: Effect) -> bool:
    """Whether a node says that it may ask for this."""
    match effect:
        case Play() | Record():
            return any(type(one) is type(effect) for one in about.does)
        case CollectDigits(max_digits=wanted):
            return any(isinstance(one, CollectDigits) and wanted <= one.max_digits for one in about.does)
        case EnterQueue():  # for whom an agent answers is the plan's to say, and how a recording is named the call's
            return replace(effect, briefing=None, recording="", objection="") in about.does
        case LookAtQueues():
            return effect in about.does
        case Dial(numbers=numbers):
            rung = {number for ring in about.uses.rings for _, number in ring.numbers}
            said = [one for one in about.does if isinstance(one, Dial)]
            return set(numbers) <= rung and any(set(numbers) <= set(one.numbers) for one in said)
        case Lookup(fields=fields):
            return any(isinstance(one, Lookup) and fields == one.fields for one in about.does)
        case _:
            return isinstance(effect, ENGINES_OWN)


OF_EACH_KIND = pytest.mark.parametrize("kind", ALL, ids=lambda node: node.kind)
SOME = settings(max_examples=20, deadline=None)
instants = st.integers(0, 366 * 24 * 60).map(lambda minutes: TUESDAY_10 + timedelta(minutes=minutes))
values = st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["", "1", "7", "12", "75011", "x"]), min_size=1)


Nodes = st.SearchStrategy[Node]


def alone(nodes: Nodes, data: st.DataObject) -> tuple[Plan, Node]:
    """A tree of one node, after which each exit has an end of its own; variables are set before it."""
    node = data.draw(nodes)
    node = replace(node, name="it", exits={way: f"after {way}" for way in exits_of(node)})
    given = SetNode(name="given", variables=data.draw(values), exits={"next": "it"})
    ends = (HangupNode(name=name) for name in node.exits.values())
    return plan_of(given, node, *ends, schedules={"open": HOURS}), node


def does_what_it_says(nodes: Nodes, data: st.DataObject) -> None:
    """Whatever happens: it asks for what it says, and sets the variables it says, by the exits it says."""
    plan, node = alone(nodes, data)
    about, offered = node.about(), data.draw(offers)
    assert about.left_by.keys() == node.exits.keys()
    turn, at, before = engine.start(plan, offered), offered.at, dict[str, str]()
    for _ in range(6):
        if turn.call.node == "it" and not is_given_away(turn.call):  # then it is what an agent wants
            assert all(says(about, effect) for effect in turn.effects)
        for visited in (fact for fact in turn.facts if isinstance(fact, NodeVisited)):
            if visited.visit.node == "it" and visited.visit.exit in node.exits:
                _check_variables(about, visited.visit.exit, before, visited.call.variables)
            before = dict(visited.call.variables)
        told = data.draw(happenings(turn.call, at))
        turn, at = engine.step(plan, turn.call, told), told.at


def _check_variables(about: About, way: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    own = about.variables
    changed = {name for name, value in after.items() if before.get(name) != value}
    assert changed <= own.longest.keys()
    assert all(len(after[name]) <= own.longest[name] for name in changed)
    if all(needed.variable in before for needed in own.needed):
        assert own.known_after.get(way, frozenset()) <= after.keys()


def entering(plan: Plan, data: st.DataObject, digits: str = "") -> tuple[Call, datetime]:
    """A call that reaches the node, of anybody, at any instant of a year."""
    offered: CallOffered = data.draw(offers)
    call = Call(
        call_id=f"call-{data.draw(st.integers(0, 40))}",
        client="acme",
        plan_version="0",
        did=offered.did,
        caller=offered.caller,
        clocks=Clocks(ringing_at=offered.at, answered_at=offered.at),
        node="it",
        digits=digits,
        variables=data.draw(values),
    )
    return call, data.draw(instants)


def decided(step: Step) -> object:
    """What a step decides, without what is said and sent."""
    match step:
        case Leave(exit=way):
            return way
        case Stay(state=state, call=call, effects=effects):
            asked = [one for one in effects if isinstance(one, Dial | EnterQueue | LookAtQueues)]
            return state, call.memory, [type(effect) for effect in effects], asked
        case _:
            return type(step)


def reads_only_what_it_says(nodes: Nodes, data: st.DataObject) -> None:
    """Two calls that a node says it cannot tell apart go the same way."""
    plan, node = alone(nodes, data)
    about, (one, at), (other, later) = node.about(), entering(plan, data), entering(plan, data)
    read = about.variables.compared | {needed.variable for needed in about.variables.needed}
    others = {name: value for name, value in other.variables.items() if name not in read}
    other = replace(other, variables={**others, **{name: one.variables[name] for name in read & one.variables.keys()}})

    if about.reads.seen(plan, one, at) == about.reads.seen(plan, other, later):
        assert decided(node.enter(plan, one, at)) == decided(node.enter(plan, other, later))


def is_passed_at_once_only_where_it_says_so(nodes: Nodes, data: st.DataObject) -> None:
    """With every variable set that must be; keys that are there already are keys."""
    plan, node = alone(nodes, data)
    about, digits = node.about(), data.draw(st.sampled_from(["", "1", "99"]))
    call, at = entering(plan, data, digits)
    needed = {one.variable: "1" for one in about.variables.needed}
    step = node.enter(plan, replace(call, variables={**needed, **call.variables}), at)

    if isinstance(step, Leave):
        keyed = LeftBy.KEY | LeftBy.WRONG_KEYS if digits else LeftBy(0)
        assert about.left_by[step.exit] & (LeftBy.NOTHING | keyed)


def is_answered_as_it_says(nodes: Nodes, data: st.DataObject) -> None:
    """Keys that mean something lead on by an exit for keys; those that mean nothing never do; silence has its own."""
    plan, node = alone(nodes, data)
    about, (call, at) = node.about(), entering(plan, data)
    asks = [effect for effect in about.does if isinstance(effect, CollectDigits)]
    step = node.enter(plan, call, at)
    if not asks or not isinstance(step, Stay):
        return
    (asked,) = step.effects
    assert isinstance(asked, CollectDigits)
    question = node.question(asked)
    number = (question.number.max_digits * "1",) if question.number else ()
    keys = data.draw(st.sampled_from([*question.keys, *number, *question.seldom, question.wrong, ""]))
    after = node.resume(plan, replace(step.call, digits=keys), CollectEnded(step=1, at=at), at)

    if isinstance(after, Leave):
        _check_variables(about, after.exit, step.call.variables, after.call.variables)
        by = about.left_by[after.exit]
        if keys in ("", question.wrong):
            assert (LeftBy.WRONG_KEYS if keys else LeftBy.SILENCE) in by
        else:
            assert LeftBy.KEY in by or keys in question.seldom
    else:
        assert keys not in (*number, *(question.keys if question.wrong else ()))


def waits_again_as_it_did(nodes: Nodes, data: st.DataObject) -> None:
    """At each of its waits, whenever that is asked for: the same once more, of which nobody keeps anything."""
    plan, _ = alone(nodes, data)
    offered = data.draw(offers)
    turn, at = engine.start(plan, offered), offered.at
    for _ in range(6):
        if turn.effects and not isinstance(turn.effects[-1], Hangup):
            again = engine.ask_again(plan, turn.call, at + timedelta(days=data.draw(st.integers(0, 1))))
            assert again.call is turn.call
            assert again.facts == ()
            assert [*map(_asked, again.effects)] == [*map(_asked, turn.effects)]
            assert all(map(_says_no_more, again.effects, turn.effects))
        told = data.draw(happenings(turn.call, at))
        turn, at = engine.step(plan, turn.call, told), told.at


def _asked(effect: Effect) -> Effect:
    """An effect without what is said of an earlier try, and the place in a line."""
    match effect:
        case CollectDigits():
            return replace(effect, sounds=())
        case EnterQueue():
            return replace(effect, turn_at=None, priority=0, rising=None)
        case _:
            return effect


def _says_no_more(again: Effect, first: Effect) -> bool:
    if not isinstance(again, CollectDigits) or not isinstance(first, CollectDigits):
        return True
    return first.sounds[len(first.sounds) - len(again.sounds) :] == again.sounds


CLAIMS = (
    does_what_it_says,
    reads_only_what_it_says,
    is_passed_at_once_only_where_it_says_so,
    is_answered_as_it_says,
    waits_again_as_it_did,
)
"""What is claimed of every node, whatever it is and whatever happens."""


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
@OF_EACH_KIND
@SOME
@given(data=st.data())
def test_it_is_true(kind: type[Node], claim: Callable[[Nodes, st.DataObject], None], data: st.DataObject) -> None:
    """What a node says of itself."""
    claim(KINDS[kind], data)
