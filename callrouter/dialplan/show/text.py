"""A plan as a text tree, for `check` and `show`."""

from __future__ import annotations

from collections.abc import Iterator

from callrouter.core.nodes import (
    CallbackNode,
    CollectDigitsNode,
    DialNode,
    HangupNode,
    LookupNode,
    MenuNode,
    MessageNode,
    Node,
    NotifyNode,
    OpeningHoursNode,
    PlayNode,
    QueueNode,
    RedirectNode,
    RejectNode,
    SetNode,
)
from callrouter.core.plan import Plan
from callrouter.core.rota import Rota
from callrouter.dialplan.show.words import describe_condition, length, said


def tree(plan: Plan) -> str:
    """The plan from its start, each node once; what was drawn before is referred to."""
    lines = [
        f"{plan.name} ({plan.client}, {plan.language}, {plan.timezone}, version {plan.version})",
        f"  numbers {', '.join(plan.numbers) or 'none'}",
    ]
    drawn: set[str] = set()
    lines.extend(_branch(plan, plan.start, "start", "  ", drawn))
    if plan.fallback and plan.fallback not in drawn:
        lines.extend(_branch(plan, plan.fallback, "when something fails", "  ", drawn))
    return "\n".join(lines)


def _branch(plan: Plan, name: str, label: str, indent: str, drawn: set[str]) -> Iterator[str]:
    node = plan.nodes[name]
    if name in drawn:
        yield f"{indent}{label} → {name} (see above)"
        return
    drawn.add(name)
    details = describe(node)
    yield f"{indent}{label} → {name}: {node.kind}{' ' if details else ''}{details}"
    for exit_name, target in node.exits.items():
        yield from _branch(plan, target, exit_in_words(node, exit_name), indent + "    ", drawn)


def exits_of(node: Node) -> dict[str, list[str]]:
    """Where a node leads, and by which exits, as a person calls them."""
    found: dict[str, list[str]] = {}
    for exit_name, target in node.exits.items():
        found.setdefault(target, []).append(exit_in_words(node, exit_name))
    return found


def exit_in_words(node: Node, exit_name: str) -> str:
    """An exit as a person calls it: `key 1`, `list vip`, `postcode = 75011`."""
    kind, colon, value = exit_name.partition(":")
    conditions = node.about().reads.conditions if colon and kind == "when" else ()
    if conditions:
        return describe_condition(conditions[int(value)])
    return f"{kind} {value}" if colon else exit_name.replace("_", " ")


def describe(node: Node) -> str:
    """What a node does, in a few words."""
    match node:
        case QueueNode():
            return f"{node.queue}, priority {node.priority}, at most {length(node.max_wait_seconds)}"
        case DialNode():
            how = "at once" if node.at_once else "in turn"
            people = ", ".join(
                f"rota {one.name}" if isinstance(one, Rota) else f"{one.name} {one.number}" for one in node.contacts
            )
            return f"{people}, {how}, {length(node.ring_seconds)} each{', must press 1' if node.screen else ''}"
        case RedirectNode():
            return f"to {node.number}, {length(node.ring_seconds)}"
        case OpeningHoursNode():
            return node.hours
        case MessageNode():
            to = f", for {node.deliver}" if node.deliver else ""
            return f"{said(node.sounds)}, at most {length(node.max_seconds)}{to}"
        case CollectDigitsNode():
            return f"{node.variable}, {node.min_digits} to {node.max_digits} digits, {said(node.sounds)}"
        case SetNode():
            return ", ".join(f"{name} = {value}" for name, value in node.variables.items())
        case LookupNode():
            wanted = ", ".join(field.variable for field in node.fields)
            sent = f"{node.method} {node.url.written}, at most {length(node.timeout_seconds)}"
            return f"{sent}, for {wanted}" if wanted else sent
        case NotifyNode():
            return node.contact
        case PlayNode() | CallbackNode() | MenuNode() | RejectNode() | HangupNode():
            return said(node.sounds)
        case _:
            return ""
