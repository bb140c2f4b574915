"""What an observer asks for is what it looks at: one that forgets a kind in `interests` would never be told it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import pytest

import callrouter
from callrouter.core.facts import Bridged, CallEnded, CallStarted, Fact
from callrouter.runtime.listeners import Listeners

PACKAGE = Path(callrouter.__file__).parent
KINDS = {kind.__name__ for kind in get_args(Fact)}
PORT = "Observer"


def observers() -> Iterator[ast.ClassDef]:
    """Every class of the package that can be told facts."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef) or node.name == PORT:
                continue
            observe = methods_of(node).get("observe")
            if observe is not None and "Sequence[Fact]" in ast.unparse(observe.args):
                yield node


def methods_of(node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {child.name: child for child in node.body if isinstance(child, ast.FunctionDef)}


def kinds_in(node: ast.AST) -> set[str]:
    """The kinds of facts that are named there."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return KINDS & (names | {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)})


def interests_of(node: ast.ClassDef) -> ast.expr:
    for child in node.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name) and child.target.id == "interests":
            assert child.value is not None
            return child.value
    raise AssertionError(f"{node.name} does not say which facts it wants")


@pytest.mark.parametrize("observer", list(observers()), ids=lambda node: node.name)
def test_an_observer_wants_what_it_looks_at(observer: ast.ClassDef) -> None:
    """The names in `interests` and in `observe` are the same."""
    assert kinds_in(interests_of(observer)) == kinds_in(methods_of(observer)["observe"]) != set()


def test_there_are_observers() -> None:
    """Those that are known today: the test above looks at the right places."""
    assert {node.name for node in observers()} >= {
        "EndedJournal",
        "EngineMetrics",
        "Asking",
        "FactLog",
        "Recorder",
    }


def test_each_is_told_what_it_wants_in_order() -> None:
    """And nothing else; one that fails keeps nobody from hearing."""
    told: list[tuple[str, str]] = []

    class Observer:
        def __init__(self, name: str, *interests: type[Fact]) -> None:
            self.name, self.interests = name, frozenset(interests)

        def observe(self, facts: Sequence[Fact]) -> None:
            told.extend((self.name, type(fact).__name__) for fact in facts)
            if self.name == "broken":
                raise RuntimeError("this observer is broken")

    listeners = Listeners([Observer("broken", CallStarted, CallEnded), Observer("whole", CallEnded)])
    call = object()
    listeners.tell([CallStarted(call=call), Bridged(call=call), CallEnded(call=call)])  # type: ignore[arg-type]

    assert told == [("broken", "CallStarted"), ("broken", "CallEnded"), ("whole", "CallEnded")]
