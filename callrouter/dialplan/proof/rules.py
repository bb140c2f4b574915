"""Rules of one question: none may be hidden by an earlier one, and no two may claim the same day.

A `caller` asks its lists in order, a `branch` its conditions; the first that holds decides. A rule that an earlier one
always answers for is dead, and the client believes in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from callrouter.core.nodes import BranchNode, CallerNode
from callrouter.core.nodes.branch import DateWithin, ShareOfCalls, VariableIs
from callrouter.core.numbers import ANONYMOUS, CallerList
from callrouter.dialplan.issues import shown
from callrouter.dialplan.proof.blame import blame
from callrouter.dialplan.proof.flow import certain
from callrouter.dialplan.proof.graph import Tree
from callrouter.dialplan.scope import Scope


def check_rules(scope: Scope, tree: Tree) -> None:
    """Lists of callers, and conditions of branches."""
    asking = [node for node in tree.nodes.values() if isinstance(node, CallerNode) and node.lists]
    if asking:
        _check_lists(scope, tree, asking)
    for node in tree.nodes.values():
        if isinstance(node, BranchNode) and len(node.when) > 1:
            _check_conditions(scope, node)


def _check_lists(scope: Scope, tree: Tree, asking: Sequence[CallerNode]) -> None:
    """Each list, against those asked before it in the same node, and in nodes that every call has passed.

    What is certain behind an exit: the lists that were asked, and do not hold the caller.
    """
    lists = list({id(one): one for node in asking for one in node.lists}.values())
    place = {id(one): bit for bit, one in enumerate(lists)}

    refused: dict[str, dict[str, int]] = {}
    for node in asking:
        bits = 0
        ways = refused.setdefault(node.name, {})
        for callers in node.lists:
            ways[f"list:{callers.name}"] = bits
            bits |= 1 << place[id(callers)]
        ways["otherwise"] = bits
    before = certain(tree, refused) if len(asking) > 1 else {}
    for node in asking:
        known = before.get(node.name, 0)
        earlier = [(one, "") for bit, one in enumerate(lists) if known >> bit & 1]
        for callers in node.lists:
            target = node.exits.get(f"list:{callers.name}", "")
            against = [one for one, leads in earlier if leads != target]
            if hidden := _hidden(callers, against):
                _blame_hidden(scope, node, callers, hidden, whole=_all_hidden(callers, against))
            earlier.append((callers, target))


def _blame_hidden(
    scope: Scope, node: CallerNode, callers: CallerList, hidden: tuple[str, str, str], *, whole: bool
) -> None:
    entry, holder, by = hidden
    mend = f"ask {shown(callers.name)} first"
    if whole:
        wrong = f"list {shown(callers.name)} never decides: list {shown(holder)}, asked before, holds all of it; {mend}"
    else:
        wrong = f"{entry} of list {shown(callers.name)} never gets here: {by} of list {shown(holder)} is asked before"
        wrong += f"; {mend}"
    blame(scope, node, wrong, "caller", callers.name)


def _hidden(callers: CallerList, earlier: Iterable[CallerList]) -> tuple[str, str, str] | None:
    """The first entry that an earlier list holds already, that list, and the entry of it that does."""
    for entry in _entries(callers):
        for one in earlier:
            if by := _holds(one, entry):
                return entry, one.name, by
    return None


def _all_hidden(callers: CallerList, earlier: list[CallerList]) -> bool:
    return all(any(_holds(one, entry) for one in earlier) for entry in _entries(callers))


def _entries(callers: CallerList) -> tuple[str, ...]:
    """As they are compared: E.164, beginnings with a star."""
    prefixes = (f"{prefix}*" for prefix in callers.prefixes)
    return (*sorted(callers.numbers), *prefixes, *((ANONYMOUS,) if callers.anonymous else ()))


def _holds(callers: CallerList, entry: str) -> str:
    """The entry of a list that holds all callers of an entry, or an empty string."""
    if entry == ANONYMOUS:
        return ANONYMOUS if callers.anonymous else ""
    if entry in callers.numbers:
        return entry
    beginning = entry.removesuffix("*")
    return next((f"{prefix}*" for prefix in callers.prefixes if beginning.startswith(prefix)), "")


def _check_conditions(scope: Scope, node: BranchNode) -> None:
    for index, condition in enumerate(node.when):
        for earlier, other in enumerate(node.when[:index]):
            if node.exits.get(f"when:{earlier}") == node.exits.get(f"when:{index}"):
                continue
            if wrong := _conflict(condition, other):
                blame(scope, node, f"condition {index + 1} {wrong} condition {earlier + 1}", "branch", "when", index)
                break


def _conflict(condition: object, earlier: object) -> str:
    """What is wrong between a condition and an earlier one, or an empty string."""
    match condition, earlier:
        case VariableIs(), VariableIs():
            if condition.variable != earlier.variable:
                return ""
            hidden = not earlier.values or (bool(condition.values) and set(condition.values) <= set(earlier.values))
            return "never decides: all its values are answered for by" if hidden else ""
        case ShareOfCalls(), ShareOfCalls():
            # Both are drawn from the same call: a share within an earlier one is never drawn.
            small = condition.percent <= earlier.percent
            return "never decides: shares are counted from 0, and it is not larger than" if small else ""
        case DateWithin(), DateWithin():
            if earlier.first <= condition.first and condition.last <= earlier.last:
                return "never decides: all its days are answered for by"
            inside = condition.first <= earlier.first and earlier.last <= condition.last
            apart = condition.last < earlier.first or earlier.last < condition.first
            day = max(condition.first, earlier.first)
            return "" if inside or apart else f"claims {day.isoformat()}, which is claimed already by"
        case _:
            return ""
