"""A plan as a picture: one self-contained SVG, without scripts, fonts or anything else from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from textwrap import shorten, wrap

from msgspec import Struct

from callrouter.core.nodes import Node
from callrouter.core.nodes.about import Family
from callrouter.core.plan import Plan
from callrouter.dialplan.show.layout import LAYER_GAP, Edge, Placed, Point, place
from callrouter.dialplan.show.text import exits_of
from callrouter.dialplan.verbs import VERBS, Verb, describe

MARGIN = 24.0
LETTER = 6.3
"""Mean width of a letter at 11 pixels."""

LINE = 15.0
WIDEST = 34
"""Letters in a line of a box."""

MOST_LINES = 3
HEAD = 46.0
ASIDE = 26.0
"""Room on the right for lines that lead a box back to itself."""

_COLOURS = {
    Family.ASKS: "#d6e4f5",
    Family.DECIDES: "#ece0f4",
    Family.REACHES: "#d7e8d4",
    Family.KEEPS: "#fbe7c6",
    Family.REFUSES: "#f3d1d1",
    Family.ENDS: "#e4e4e4",
    Family.DOES: "#f4f4f0",
}


class _Box(Struct, frozen=True, kw_only=True):
    title: str
    lines: tuple[str, ...]
    whole: str
    colour: str

    @property
    def size(self) -> Point:
        letters = max(len(self.title) + 1, *(len(line) for line in self.lines), 10)
        return letters * LETTER + 20, (1 + len(self.lines)) * LINE + 12


def svg(plan: Plan, verbs: Mapping[str, Verb] = VERBS) -> str:
    """The tree from its start downwards; where a node stands in the file, and all of its words, show on hovering."""
    boxes = {name: _box(plan, node, verbs) for name, node in plan.nodes.items()}
    edges = {
        (node.name, target): " · ".join(labels)
        for node in plan.nodes.values()
        for target, labels in exits_of(node).items()
    }
    order = [plan.start, *(name for name in boxes if name != plan.start)]
    placed = place({name: boxes[name].size for name in order}, list(edges))
    width, height = placed.width + 2 * MARGIN + ASIDE, placed.height + 2 * MARGIN + HEAD
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
            f' height="{height:.0f}" font-family="system-ui, sans-serif" font-size="11" role="img">'
        ),
        f"<title>{escape(plan.name)}</title>",
        (
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto">'
            '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>'
        ),
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{MARGIN}" y="{MARGIN + 4}" font-size="15" font-weight="600">{escape(plan.name)}</text>',
        f'<text x="{MARGIN}" y="{MARGIN + 22}" fill="#555">{escape(_subtitle(plan))}</text>',
        f'<g transform="translate({MARGIN} {MARGIN + HEAD})">',
        *_lines(edges, placed, boxes),
        *(_drawn(boxes[name], middle, start=name == plan.start) for name, middle in placed.boxes.items()),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines)


def _subtitle(plan: Plan) -> str:
    fallback = f" · when something fails: {plan.fallback}" if plan.fallback else ""
    return f"{', '.join(plan.numbers)} · {plan.timezone} · version {plan.version}{fallback}"


def _box(plan: Plan, node: Node, verbs: Mapping[str, Verb]) -> _Box:
    details = describe(node, verbs)
    lines = wrap(f"{node.kind}: {details}" if details else node.kind, WIDEST)
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], shorten(" ".join(lines[MOST_LINES - 1 :]), WIDEST, placeholder="…")]
    whole = f"{plan.where(node.name)}\n{node.kind} {details}".strip()
    return _Box(title=node.name, lines=tuple(lines), whole=whole, colour=_COLOURS[node.about().family])


def _drawn(box: _Box, middle: Point, *, start: bool) -> str:
    width, height = box.size
    x, y = middle[0] - width / 2, middle[1] - height / 2
    texts = "".join(
        f'<text x="{x + 10:.1f}" y="{y + 18 + LINE * (index + 1):.1f}" fill="#333">{escape(line)}</text>'
        for index, line in enumerate(box.lines)
    )
    return (
        f"<g><title>{escape(box.whole)}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{box.colour}"'
        f' stroke="#555" stroke-width="{2.2 if start else 0.8}"/>'
        f'<text x="{x + 10:.1f}" y="{y + 18:.1f}" font-weight="600">{escape(box.title)}</text>{texts}</g>'
    )


def _lines(edges: dict[Edge, str], placed: Placed, boxes: dict[str, _Box]) -> Iterator[str]:
    """All lines first, then all labels, so that no line crosses out a word."""
    labels: list[str] = []
    leaving, arriving = _ports(placed, boxes)
    turn: dict[str, int] = {}
    for edge, label in edges.items():
        if edge[0] == edge[1]:
            x, y = placed.boxes[edge[0]]
            right = x + boxes[edge[0]].size[0] / 2
            yield _path(f"M{right:.1f} {y - 8:.1f}c{ASIDE:.0f} -6 {ASIDE:.0f} 22 0 16", back=True)
            labels.append(_label(right + 8, y - 14, label))
            continue
        points = list(placed.lines[edge])
        points[0] = (points[0][0] + leaving[edge], points[0][1])
        points[-1] = (points[-1][0] + arriving[edge], points[-1][1])
        yield _path(_curve(points), back=edge in placed.back)
        turn[edge[0]] = turn.get(edge[0], -1) + 1
        (x1, y1), (x2, _) = points[0], points[1]
        down = -1 if edge in placed.back else 1
        share = 0.24 + 0.2 * (turn[edge[0]] % 3)
        ease = share * share * (3 - 2 * share)
        labels.append(_label(x1 + (x2 - x1) * ease, y1 + down * LAYER_GAP * share + 4, label))
    yield from labels


def _ports(placed: Placed, boxes: dict[str, _Box]) -> tuple[dict[Edge, float], dict[Edge, float]]:
    """Where lines leave and reach their boxes, left or right of the middle, so that they do not lie on each other."""
    found: tuple[dict[Edge, float], dict[Edge, float]] = ({}, {})
    for side, shifts in enumerate(found):
        by_box: dict[tuple[str, bool], list[Edge]] = {}
        for edge in placed.lines:
            by_box.setdefault((edge[side], edge in placed.back), []).append(edge)
        for (name, _), lines in by_box.items():
            room = boxes[name].size[0] * 0.7
            lines.sort(key=lambda edge: placed.lines[edge][1 if side == 0 else -2][0])
            for index, edge in enumerate(lines):
                shifts[edge] = room * ((index + 0.5) / len(lines) - 0.5)
    return found


def _curve(points: list[Point]) -> str:
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (_, y1), (x2, y2), (x1, _) in zip(points, points[1:], points, strict=False):
        middle = (y1 + y2) / 2
        path += f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"
    return path


def _path(drawn: str, *, back: bool) -> str:
    dashed = ' stroke-dasharray="4 3"' if back else ""
    return f'<path d="{drawn}" fill="none" stroke="#777" stroke-width="1.1"{dashed} marker-end="url(#arrow)"/>'


def _label(x: float, y: float, text: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="10" fill="#225" stroke="#fff"'
        f' stroke-width="3" paint-order="stroke">{escape(text)}</text>'
    )
