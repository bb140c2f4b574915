"""Variables: what is read must have been set on every way there, and all of them together must fit into a call."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from callrouter.core.conditions import VariableUnset
from callrouter.core.effects import Lookup
from callrouter.core.nodes.about import Needed
from callrouter.core.plan import MAX_VARIABLES_LENGTH, variables_length
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.proof.flow import certain
from callrouter.dialplan.proof.graph import Tree, in_words, way_to
from callrouter.dialplan.scope import NameScope


def check_set(scope: NameScope, tree: Tree) -> None:
    """No variable may be read on a way on which it was not set: its condition could never hold there."""
    found = [
        (name, needed)
        for name, about in tree.about.items()
        for needed in about.variables.needed
        if name in tree.reached
    ]
    if not found:
        return
    bits = {variable: 1 << place for place, variable in enumerate(dict.fromkeys(one.variable for _, one in found))}

    gains = {
        name: {way: sum(bits.get(variable, 0) for variable in variables) for way, variables in known_after.items()}
        for name, about in tree.about.items()
        if (known_after := about.variables.known_after)
    }
    held = certain(tree, gains)
    for name, needed in found:
        if not held[name] & bits[needed.variable]:
            _fail(scope, tree, name, needed)


def _fail(scope: NameScope, tree: Tree, node: str, needed: Needed) -> None:
    variable = needed.variable
    here = ("nodes", node, tree.nodes[node].kind, *needed.path)
    setting = [name for name, about in tree.about.items() if variable in about.variables.longest]
    if not setting:
        known = {one for about in tree.about.values() for one in about.variables.longest}
        wrong = f"variable {shown(variable)} is read here, but no node sets it"
        scope.fail(wrong, *here, suggestion=closest(variable, known))
        return

    def without(name: str) -> Iterable[str]:
        known_after = tree.about[name].variables.known_after
        exits = tree.nodes[name].exits.items()
        return (to for way, to in exits if to in tree.nodes and variable not in known_after.get(way, ()))

    way = way_to(node, tree.roots, without)
    lookups = [name for name in setting if name in way and _looks_up(tree, name)]
    why = f": {shown(lookups[0])} sets it only when the lookup succeeds" if lookups else _unasked(tree, variable, way)
    wrong = f"variable {shown(variable)} is read here, but it is not set on the way {in_words(way)}{why}"
    scope.fail(wrong, *here)


def _looks_up(tree: Tree, name: str) -> bool:
    return any(isinstance(effect, Lookup) for effect in tree.about[name].does)


def _unasked(tree: Tree, variable: str, way: tuple[str, ...]) -> str:
    """Said of a branch on the way that asks whether the variable is set, but after a question about a queue."""
    for name, following in pairwise(way):
        asks = VariableUnset(variable=variable) in tree.about[name].reads.conditions
        if asks and tree.nodes[name].exits.get("otherwise") == following:
            return f": {shown(name)} does not ask for it when a queue before it cannot be looked at; ask for it first"
    return ""


def check_room(scope: NameScope, tree: Tree) -> None:
    """A call carries its variables, so they are bounded together."""
    found = variables_length(tree.about.values())
    if found > MAX_VARIABLES_LENGTH:
        scope.fail(
            f"the tree's variables may take {found} characters, names and longest values together;"
            f" a call can carry {MAX_VARIABLES_LENGTH}: use fewer, or shorter ones",
            "nodes",
        )
