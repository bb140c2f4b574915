"""Callers without a number who are turned away, though they need not have hidden it.

Since 2026-01-01 French operators hide numbers of mobiles that they cannot authenticate, in the way in which a caller
hides theirs, and a forwarding often loses what authenticates. So a tree that serves nobody without a number turns away
callers who did nothing, and cannot do otherwise. A client may mean it, and accept it by name.
"""

from __future__ import annotations

from callrouter.core.nodes.about import Family
from callrouter.core.numbers import CallerList
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.graph import Tree, reach
from callrouter.dialplan.scope import NameScope

_SERVES = frozenset({Family.ASKS, Family.REACHES, Family.KEEPS})
"""What a caller can want: to say who they are, to be put through, to leave something."""


def check_turned_away(scope: NameScope, tree: Tree) -> None:
    """Warn of an exit to which a list leads callers without a number, when it serves nobody and another exit does."""
    for name, about in tree.about.items():
        if not about.reads.lists or name.startswith(tree.foreign):
            continue
        exits = tree.nodes[name].exits
        if not any(_serves(tree, target) for target in exits.values()):
            continue
        for callers in about.reads.lists:
            if callers.without_number and not _serves(tree, exits.get(f"list:{callers.name}", "")):
                _blame(scope, tree, name, callers)


def _serves(tree: Tree, start: str) -> bool:
    """Whether a call that goes on at a node may be served; nothing is known of one that could not be compiled."""
    return start not in tree.leads or any(tree.about[name].family in _SERVES for name in reach((start,), tree.leads))


def _blame(scope: NameScope, tree: Tree, name: str, callers: CallerList) -> None:
    why = ", ".join(sorted(callers.without_number))
    wrong = (
        f"list {shown(callers.name)} turns away callers without a number ({why}): operators hide numbers that they "
        "cannot authenticate, and a forwarding may lose them; ask these callers for a number instead"
    )
    scope.fail(wrong, "nodes", name, tree.nodes[name].kind, callers.name, name="no-number-refused")
