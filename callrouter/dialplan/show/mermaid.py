"""A plan as a Mermaid flow chart, for pages that draw it (GitHub, GitLab, wikis)."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

from callrouter.core.nodes import Node
from callrouter.core.nodes.about import Family
from callrouter.core.plan import Plan
from callrouter.dialplan.show.text import exits_of
from callrouter.dialplan.verbs import VERBS, Verb, describe

LONGEST = 90
_SHAPES = {
    Family.ASKS: ("{{", "}}"),
    Family.DECIDES: ("{", "}"),
    Family.REACHES: ("([", "])"),
    Family.KEEPS: ("[", "]"),
    Family.REFUSES: ("((", "))"),
    Family.ENDS: ("((", "))"),
    Family.DOES: ("[", "]"),
}


def mermaid(plan: Plan, verbs: Mapping[str, Verb] = VERBS) -> str:
    """The tree from its start; nodes get numbers as identifiers, since their names may be words of Mermaid's own."""
    number = plan.node_index
    lines = ["---", f"title: {_quoted(plan.name)}", "---", "flowchart TD"]
    lines += [f"  start([{_quoted(', '.join(plan.numbers) or 'start')}]) --> n{number[plan.start]}"]
    lines += [f"  n{number[name]}{_shape(node, verbs)}" for name, node in plan.nodes.items()]
    for name, node in plan.nodes.items():
        for target, labels in exits_of(node).items():
            lines.append(f"  n{number[name]} -->|{_quoted(' · '.join(labels))}| n{number[target]}")
    if plan.fallback:
        lines.append(f"  failure([{_quoted('when something fails')}]) -.-> n{number[plan.fallback]}")
    return "\n".join(lines)


def _shape(node: Node, verbs: Mapping[str, Verb]) -> str:
    opening, closing = _SHAPES[node.about().family]
    details = shorten(f"{node.kind} {describe(node, verbs)}", LONGEST, placeholder="…")
    return f"{opening}{_quoted(f'{node.name}: {details}')}{closing}"


def _quoted(text: str) -> str:
    """A text of Mermaid's: what would end it, or be read as markup, is written as an entity."""
    escaped = text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
    return f'"{escaped}"'
