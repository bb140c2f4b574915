"""Numbers that are dialled: none may lead back here through the telephone network.

A call that is put through to a number of a client leaves by one trunk and comes in by another, as a new call: nothing
bounds how often, and each round costs a line. To go on in a client's tree there is `redirect: { did: … }`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from callrouter.core.nodes import DialNode, Node, RedirectNode
from callrouter.core.rota import Rota
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import Scope

_RINGS = frozenset({"dial", "redirect"})


class _Dialled(Struct, frozen=True, kw_only=True):
    number: str
    who: str
    path: tuple[str | int, ...]
    """Behind the node's name."""


def check_dialled(scope: Scope, tree: Tree, owner: Callable[[str], str]) -> dict[str, str]:
    """Blame each number that is a client's own; every number the tree dials, and the document that has it (or none).

    `owner` names the document of the client that a number is dialled for, or nothing.
    """
    found: dict[str, str] = {}
    for name, node in tree.nodes.items():
        if node.kind not in _RINGS or name.startswith(tree.foreign):
            continue
        for one in _dialled(node):
            if one.number not in found:
                found[one.number] = owner(one.number)
            if file := found[one.number]:
                _blame(scope, node, one, file)
    return found


def _dialled(node: Node) -> Iterator[_Dialled]:
    if isinstance(node, RedirectNode):
        yield _Dialled(number=node.number, who="", path=("redirect", "number"))
    elif isinstance(node, DialNode):
        for index, contact in enumerate(node.contacts):
            for person in contact.people() if isinstance(contact, Rota) else (contact,):
                who = f"contact {shown(person.name)} "
                yield _Dialled(number=person.number, who=who, path=("dial", "contacts", index))


def _blame(scope: Scope, node: Node, one: _Dialled, file: str) -> None:
    whose = "this client itself" if file == scope.document.file else file
    wrong = f"{one.number} is a number of {whose}: the call would come in again through the telephone network"
    if node.name.startswith("("):
        # Made for the fallback: no node of a document bears such a name.
        scope.fail(f"fallback: {wrong}; name a queue, or a number that is not ours", "fallback", "number")
    elif isinstance(node, RedirectNode):
        mend = "to go on in that tree, write did instead of number"
        scope.fail(f"{wrong}; {mend}", "nodes", node.name, *one.path, suggestion="did")
    else:
        mend = "ring a telephone, or go on in that tree by redirect: { did: … }"
        scope.fail(f"{one.who}{wrong}; {mend}", "nodes", node.name, *one.path, suggestion="did")
