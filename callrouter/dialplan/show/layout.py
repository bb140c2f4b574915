"""Places for the boxes of a tree and the lines between them: layers from top to bottom, few crossings, nothing random.

The usual four steps of a layered drawing (Sugiyama, Tagawa and Toda, 1981): turn round what leads back, give each box
the layer below everything that leads to it, order each layer by its neighbours, and move boxes to stand above what they
lead to. Lines that pass a layer get a place in it, so that they go round boxes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

LAYER_GAP = 84.0
BOX_GAP = 28.0
LINE_WIDTH = 14.0
"""Room a passing line takes in a layer."""

SWEEPS = 12

Edge = tuple[str, str]
Point = tuple[float, float]


class Placed(Struct, frozen=True, kw_only=True):
    """A drawing in numbers: x to the right, y downwards, from the upper left corner."""

    boxes: Mapping[str, Point]
    """The middle of each box."""
    lines: Mapping[Edge, tuple[Point, ...]]
    """From the source's lower edge, through every layer passed, to the target's upper edge; a line that leads back
    goes from the source's upper edge to the target's lower edge."""
    back: frozenset[Edge]
    width: float
    height: float


class _Graph(Struct):
    layers: list[list[str]]
    above: dict[str, list[str]] = field(default_factory=dict)
    below: dict[str, list[str]] = field(default_factory=dict)
    chains: dict[Edge, list[str]] = field(default_factory=dict)


def place(sizes: Mapping[str, Point], edges: Sequence[Edge]) -> Placed:
    """Place boxes of these sizes (width and height); the order of boxes and edges is kept where nothing else decides.

    An edge from a box to itself is the caller's to draw.
    """
    edges = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1]]
    back = _leading_back(list(sizes), edges)
    forward = [(b, a) if (a, b) in back else (a, b) for a, b in edges]
    layer_of = _layers(list(sizes), forward)
    graph = _with_passing_lines(list(sizes), edges, back, layer_of)
    _order(graph)
    widths = {name: sizes[name][0] if name in sizes else LINE_WIDTH for layer in graph.layers for name in layer}
    xs = _columns(graph, widths)
    return _finish(graph, sizes, widths, xs, back)


def _leading_back(names: Sequence[str], edges: Sequence[Edge]) -> frozenset[Edge]:
    """Edges that close a loop, seen from the first box on."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        following[source].append(target)
    found: set[Edge] = set()
    done: set[str] = set()
    for root in names:
        open_: dict[str, None] = {}
        waiting = [(root, False)]
        while waiting:
            name, leaving = waiting.pop()
            if leaving:
                open_.pop(name)
                done.add(name)
            elif name not in done and name not in open_:
                open_[name] = None
                waiting.append((name, True))
                for target in reversed(following[name]):
                    if target in open_:
                        found.add((name, target))
                    elif target not in done:
                        waiting.append((target, False))
    return frozenset(found)


def _layers(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Each box one below the lowest that leads to it; `edges` hold no loop."""
    layer = dict.fromkeys(names, 0)
    missing = dict.fromkeys(names, 0)
    for _, target in edges:
        missing[target] += 1
    ready = [name for name in names if not missing[name]]
    while ready:
        name = ready.pop(0)
        for source, target in edges:
            if source == name:
                layer[target] = max(layer[target], layer[name] + 1)
                missing[target] -= 1
                if not missing[target]:
                    ready.append(target)
    return layer


def _with_passing_lines(
    names: Sequence[str], edges: Sequence[Edge], back: frozenset[Edge], layer_of: Mapping[str, int]
) -> _Graph:
    graph = _Graph(layers=[[] for _ in range(max(layer_of.values(), default=0) + 1)])
    for name in names:
        graph.layers[layer_of[name]].append(name)
    for edge in edges:
        upper, lower = (edge[1], edge[0]) if edge in back else edge
        chain = [upper]
        for layer in range(layer_of[upper] + 1, layer_of[lower]):
            chain.append(f"{edge[0]}\0{edge[1]}\0{layer}")
            graph.layers[layer].append(chain[-1])
        chain.append(lower)
        graph.chains[edge] = chain
        for one, following in itertools.pairwise(chain):
            graph.below.setdefault(one, []).append(following)
            graph.above.setdefault(following, []).append(one)
    return graph


def _order(graph: _Graph) -> None:
    """Sort each layer by the mean place of its neighbours, downwards and upwards in turn; keep the best."""
    best, fewest = [list(layer) for layer in graph.layers], _crossings(graph)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = graph.above if downwards else graph.below
        rows = range(1, len(graph.layers)) if downwards else range(len(graph.layers) - 2, -1, -1)
        for row in rows:
            place_of = {name: index for index, name in enumerate(graph.layers[row - 1 if downwards else row + 1])}
            now = {name: float(index) for index, name in enumerate(graph.layers[row])}
            wanted = {
                name: sum(places) / len(places)
                if (places := [place_of[one] for one in neighbours.get(name, ())])
                else now[name]
                for name in now
            }
            graph.layers[row].sort(key=lambda name: (wanted[name], now[name]))
        if (crossings := _crossings(graph)) < fewest:
            best, fewest = [list(layer) for layer in graph.layers], crossings
    graph.layers[:] = best


def _crossings(graph: _Graph) -> int:
    count = 0
    for upper, lower in zip(graph.layers, graph.layers[1:], strict=False):
        place_of = {name: index for index, name in enumerate(lower)}
        ends = [place for name in upper for place in sorted(place_of[one] for one in graph.below.get(name, ()))]
        count += sum(1 for i, one in enumerate(ends) for other in ends[i + 1 :] if other < one)
    return count


def _columns(graph: _Graph, widths: Mapping[str, float]) -> dict[str, float]:
    """The middle of everything in each layer: near the mean of its neighbours, the gap kept."""
    xs: dict[str, float] = {}
    for layer in graph.layers:
        edge = 0.0
        for name in layer:
            xs[name] = edge + widths[name] / 2
            edge += widths[name] + BOX_GAP
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in graph.layers if downwards else reversed(graph.layers):
            wanted = []
            for name in layer:
                around = (graph.above if downwards else graph.below).get(name) or [name]
                wanted.append(sum(xs[one] for one in around) / len(around))
            xs.update(zip(layer, _apart(wanted, [widths[name] for name in layer]), strict=True))
    return xs


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places in this order, the gap kept, as near to the wanted ones as a group can stand."""
    groups: list[tuple[float, list[int]]] = []
    offsets = [0.0]
    for one, other in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (one + other) / 2 + BOX_GAP)
    for index, place in enumerate(wanted):
        mean, members = place - offsets[index], [index]
        while groups and groups[-1][0] > mean:
            other_mean, others = groups.pop()
            mean = (other_mean * len(others) + mean * len(members)) / (len(others) + len(members))
            members = [*others, *members]
        groups.append((mean, members))
    return [mean + offsets[index] for mean, members in groups for index in members]


def _finish(
    graph: _Graph,
    sizes: Mapping[str, Point],
    widths: Mapping[str, float],
    xs: Mapping[str, float],
    back: frozenset[Edge],
) -> Placed:
    left = min((xs[name] - widths[name] / 2 for name in xs), default=0.0)
    right = max((xs[name] + widths[name] / 2 for name in xs), default=0.0)
    top, middles, halves = 0.0, {}, {}
    for layer in graph.layers:
        height = max((sizes[name][1] for name in layer if name in sizes), default=0.0)
        for name in layer:
            middles[name] = (xs[name] - left, top + height / 2)
            halves[name] = sizes[name][1] / 2 if name in sizes else height / 2
        top += height + LAYER_GAP
    lines = {}
    for edge, chain in graph.chains.items():
        first, last = chain[0], chain[-1]
        points = [(middles[first][0], middles[first][1] + halves[first])]
        for name in chain[1:-1]:
            x, y = middles[name]
            points += [(x, y - halves[name]), (x, y + halves[name])]
        points.append((middles[last][0], middles[last][1] - halves[last]))
        lines[edge] = tuple(reversed(points)) if edge in back else tuple(points)
    boxes = {name: middles[name] for name in sizes}
    return Placed(boxes=boxes, lines=lines, back=back, width=right - left, height=max(top - LAYER_GAP, 0.0))
