"""Numbers that are dialled: none may lead back here through the telephone network.

A call that is put through to a number of a client leaves by one trunk and comes in by another, as a new call: nothing
bounds how often, and each round costs a line. To go on in a client's tree there is `redirect: { did: … }`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from callrouter.core.nodes import Node
from callrouter.core.nodes.about import About
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import NameScope


class _Dialled(Struct, frozen=True, kw_only=True):
    number: str
    who: str
    path: tuple[str | int, ...]
    """From below the verb on."""


def check_dialled(scope: NameScope, tree: Tree, owner: Callable[[str], str]) -> dict[str, str]:
    """Blame each number that is a client's own; every number the tree dials, and the document that has it (or none).

    `owner` names the document of the client that a number is dialled for, or nothing.
    """
    found: dict[str, str] = {}
    for name, node in tree.nodes.items():
        about = tree.about[name]
        if not about.uses.rings or name.startswith(tree.foreign):
            continue
        for one in _dialled(about):
            if one.number not in found:
                found[one.number] = owner(one.number)
            if file := found[one.number]:
                _blame(scope, node, one, file)
    return found


def _dialled(about: About) -> Iterator[_Dialled]:
    for ring in about.uses.rings:
        for name, number in ring.numbers:
            yield _Dialled(number=number, who=f"contact {shown(name)} " if name else "", path=ring.path)


def _blame(scope: NameScope, node: Node, one: _Dialled, file: str) -> None:
    whose = "this client itself" if file == scope.document.file else file
    wrong = f"{one.number} is a number of {whose}: the call would come in again through the telephone network"
    if node.name.startswith("("):
        # Made for the fallback: no node of a document bears such a name.
        scope.fail(f"fallback: {wrong}; name a queue, or a number that is not ours", "fallback", "number")
    elif not one.who:
        mend = "to go on in that tree, write did instead of number"
        scope.fail(f"{wrong}; {mend}", "nodes", node.name, node.kind, *one.path, suggestion="did")
    else:
        mend = "ring a telephone, or go on in that tree by redirect: { did: … }"
        scope.fail(f"{one.who}{wrong}; {mend}", "nodes", node.name, node.kind, *one.path, suggestion="did")
