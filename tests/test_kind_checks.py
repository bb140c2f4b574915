"""Who asks which verb a node is. `Node.about()` answers what all others need to know; what is left is counted here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from callrouter.core.nodes import ALL

PACKAGE = Path(__file__).parents[1] / "callrouter"
APART = ("core/nodes/", "dialplan/verbs/")
"""Where each verb speaks of itself."""

KINDS = frozenset(node.kind for node in ALL) | {"include"}
CLASSES = frozenset(node.__name__ for node in ALL) | {
    f"{''.join(part.title() for part in kind.split('_'))}Block" for kind in KINDS
}

ALLOWED = {
    "dialplan/compile/assembly.py": 4,  # include, redirect into a tree and set's language are what grows a tree
    "dialplan/compile/texts.py": 1,  # what an included snippet has spoken
    "dialplan/shared/snippets.py": 1,  # what a snippet includes is given its ways out
    "outgoing/rules.py": 1,  # how callers are called back stands in the verb that asks them
    "questions/expected.py": 2,  # `message:NAME` and `callback:NAME` are outcomes, called as the verbs are
    "questions/rehearsal.py": 1,  # the same
    "stream/cards.py": 1,  # what is whispered to agents
}
"""By module, the checks there are, and why."""


def checks(source: str) -> Iterator[int]:
    """Lines that ask for a node's or a block's class, compare its verb, or list verbs: one for each class or verb."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, classes]):
                yield from (node.lineno for one in ast.walk(classes) if isinstance(one, ast.Name) and one.id in CLASSES)
            case ast.MatchClass(cls=ast.Name(id=name)) if name in CLASSES:
                yield node.lineno
            case ast.Compare(left=left, comparators=others):
                yield from (node.lineno for one in (left, *others) if _is_kind(one) or _is_class(one))
            case ast.Subscript(slice=key) if _is_kind(key):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]) if _is_kind(key):
                yield node.lineno
            case ast.Dict(keys=[_, _, *_] as keys) if all(_is_verb(key) or _is_class(key) for key in keys):
                yield node.lineno
            case ast.Set(elts=[_, _, *_] as listed) | ast.Tuple(elts=[_, _, *_] as listed) if all(
                map(_is_verb, listed)
            ):
                yield node.lineno


def _is_kind(node: ast.AST) -> bool:
    """`node.kind`, or `tree.nodes[name].kind`."""
    match node:
        case ast.Attribute(attr="kind", value=ast.Name(id="node")):
            return True
        case ast.Attribute(attr="kind", value=ast.Subscript(value=ast.Attribute(attr="nodes"))):
            return True
        case _:
            return False


def _is_class(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Name) and node.id in CLASSES


def _is_verb(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value in KINDS


def counted(package: Path) -> dict[str, int]:
    """How many there are, by module."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).as_posix()
        if not module.startswith(APART) and (number := len(list(checks(path.read_text())))):
            found[module] = number
    return found


def test_nobody_else_asks_which_verb_a_node_is() -> None:
    """Whoever needs to know more of nodes asks them, so that a new verb cannot be overlooked."""
    found = counted(PACKAGE)

    assert {module: number for module, number in found.items() if number > ALLOWED.get(module, 0)} == {}
    assert sum(ALLOWED.values()) <= 25


def test_checks_are_found() -> None:
    """Otherwise the count would show nothing."""
    source = """
if isinstance(node, MenuNode | PlayNode): pass
match node:
    case QueueNode(queue=queue): pass
if node.kind == "menu" or tree.nodes[name].kind in HUMAN: pass
HUMAN = frozenset({"queue", "dial"})
SHAPES = {"menu": 1, "dial": 2}
SHAPES.get(node.kind), SHAPES[node.kind]
type(node) is MenuNode
"""

    assert len(list(checks(source))) == 10
