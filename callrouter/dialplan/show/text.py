"""A plan as a text tree, for `check` and `show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from callrouter.core.nodes import Node
from callrouter.core.plan import Plan
from callrouter.dialplan.language.words import describe_condition
from callrouter.dialplan.show import delivery, forms, reports, retention, subscriptions
from callrouter.dialplan.verbs import VERBS, Verb, describe


def tree(plan: Plan, verbs: Mapping[str, Verb] = VERBS) -> str:
    """The plan from its start, each node once; what was drawn before is referred to. Then forms, policies
    and subscriptions."""
    lines = [
        f"{plan.name} ({plan.client}, {plan.language}, {plan.timezone}, version {plan.version})",
        f"  numbers {', '.join(plan.numbers) or 'none'}",
    ]
    drawn: set[str] = set()
    lines.extend(_branch(plan, verbs, plan.start, "start", "  ", drawn))
    if plan.fallback and plan.fallback not in drawn:
        lines.extend(_branch(plan, verbs, plan.fallback, "when something fails", "  ", drawn))
    lines.extend(f"  form {form.name}: {forms.described(form)}" for form in plan.forms)
    for policy in plan.policies.values():
        lines.append(f"  delivery {policy.name}, {delivery.for_what(plan, policy.name)}:")
        lines.extend(f"    {sentence}" for sentence in delivery.described(plan, policy))
    lines.extend(f"  report of each month: {reports.described(plan, one)}" for one in plan.reports)
    if plan.retention.said:
        lines.append(f"  kept for: {retention.described(plan.retention)}")
    lines.extend(f"  subscription {one.name}: {subscriptions.described(one)}" for one in plan.subscriptions.values())
    return "\n".join(lines)


def _branch(
    plan: Plan, verbs: Mapping[str, Verb], name: str, label: str, indent: str, drawn: set[str]
) -> Iterator[str]:
    node = plan.nodes[name]
    if name in drawn:
        yield f"{indent}{label} → {name} (see above)"
        return
    drawn.add(name)
    details = describe(node, verbs)
    yield f"{indent}{label} → {name}: {node.kind}{' ' if details else ''}{details}"
    for exit_name, target in node.exits.items():
        yield from _branch(plan, verbs, target, exit_in_words(node, exit_name), indent + "    ", drawn)


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
