"""Variables: what is read must have been set on every way there, and all of them together must fit into a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from msgspec import Struct

from callrouter.core.nodes import BranchNode, Node
from callrouter.core.nodes.branch import QueueStands, VariableIs, VariableNumber, VariableStartsWith, VariableUnset
from callrouter.core.plan import MAX_VARIABLES_LENGTH, variables_length
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.proof.blame import blame
from callrouter.dialplan.proof.flow import certain
from callrouter.dialplan.proof.graph import Tree, in_words, way_to
from callrouter.dialplan.scope import Scope


class Read(Struct, frozen=True, kw_only=True):
    """A variable that a node makes use of, and where the document says so."""

    variable: str
    path: tuple[str | int, ...]
    """Behind the node's name."""


def reads(node: Node) -> Iterator[Read]:
    """What a node needs to be set. To ask *whether* a variable is set needs nothing, and settles it for the rest."""
    if isinstance(node, BranchNode):
        settled: set[str] = set()
        for index, condition in enumerate(node.when):
            if isinstance(condition, VariableUnset):
                settled.add(condition.variable)
            if not isinstance(condition, VariableIs | VariableStartsWith | VariableNumber):
                continue
            whether = isinstance(condition, VariableIs) and not condition.values
            if not whether and condition.variable not in settled:
                yield Read(variable=condition.variable, path=("branch", "when", index))
    else:
        for variable in sorted(node.variables_read()):
            yield Read(variable=variable, path=(node.kind,))


def sets(node: Node, way: str) -> Iterable[str]:
    """Variables that are set for certain behind an exit."""
    if not isinstance(node, BranchNode):
        return node.variables_set(way)
    taken = int(way.removeprefix("when:")) if way.startswith("when:") else len(node.when)
    asked = node.when[:taken]
    if taken == len(node.when):
        # A queue that cannot be looked at leads here at once: what stands behind it was not asked.
        queues = (place for place, one in enumerate(asked) if isinstance(one, QueueStands))
        asked = asked[: next(queues, taken)]
    # A condition on a value holds only where there is one; "is not set" was asked before and did not hold.
    found = {one.variable for one in asked if isinstance(one, VariableUnset)}
    if taken < len(node.when):
        condition = node.when[taken]
        if isinstance(condition, VariableIs | VariableStartsWith | VariableNumber):
            found.add(condition.variable)
    return found


def check_set(scope: Scope, tree: Tree) -> None:
    """No variable may be read on a way on which it was not set: its condition could never hold there."""
    found = [(node, read) for node in tree.nodes.values() for read in reads(node) if node.name in tree.reached]
    if not found:
        return
    bits = {name: 1 << place for place, name in enumerate(dict.fromkeys(read.variable for _, read in found))}

    gains: dict[str, dict[str, int]] = {}
    for node in tree.nodes.values():
        if isinstance(node, BranchNode) or node.variable_lengths():
            gains[node.name] = {way: sum({bits.get(name, 0) for name in sets(node, way)}) for way in node.exits}
    held = certain(tree, gains)
    for node, read in found:
        if not held[node.name] & bits[read.variable]:
            _fail(scope, tree, node, read)


def _fail(scope: Scope, tree: Tree, node: Node, read: Read) -> None:
    variable = read.variable
    setting = [one for one in tree.nodes.values() if variable in one.variable_lengths()]
    if not setting:
        known = {name for one in tree.nodes.values() for name in one.variable_lengths()}
        wrong = f"variable {shown(variable)} is read here, but no node sets it"
        blame(scope, node, wrong, *read.path, suggestion=closest(variable, known))
        return

    def without(name: str) -> Iterable[str]:
        here = tree.nodes[name]
        return (to for way, to in here.exits.items() if to in tree.nodes and variable not in sets(here, way))

    way = way_to(node.name, tree.roots, without)
    lookups = [one.name for one in setting if one.kind == "lookup" and one.name in way]
    why = f": {shown(lookups[0])} sets it only when the lookup succeeds" if lookups else _unasked(tree, variable, way)
    wrong = f"variable {shown(variable)} is read here, but it is not set on the way {in_words(way)}{why}"
    blame(scope, node, wrong, *read.path)


def _unasked(tree: Tree, variable: str, way: tuple[str, ...]) -> str:
    """Said of a branch on the way that asks whether the variable is set, but behind a queue."""
    for name, following in pairwise(way):
        node = tree.nodes[name]
        asks = isinstance(node, BranchNode) and VariableUnset(variable=variable) in node.when
        if asks and node.exits["otherwise"] == following:
            return f": {shown(name)} does not ask for it when a queue before it cannot be looked at; ask for it first"
    return ""


def check_room(scope: Scope, tree: Tree) -> None:
    """A call carries its variables, so they are bounded together."""
    found = variables_length(tree.nodes.values())
    if found > MAX_VARIABLES_LENGTH:
        scope.fail(
            f"the tree's variables may take {found} characters, names and longest values together;"
            f" a call can carry {MAX_VARIABLES_LENGTH}: use fewer, or shorter ones",
            "nodes",
        )
