"""A tree as a graph: where each node leads, and what a caller must do to go there.

Two kinds of ways are told apart. A *keyed* way is taken only by a caller who presses a key that means something; every
other way is *idle*: it is taken by silence, by wrong keys, because nobody answers, because of the hour or the caller's
number. All bounds rest on this: a way round that is idle can go on for ever, a keyed one only as long as somebody
presses keys.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from callrouter.core.nodes import Node
from callrouter.core.nodes.about import About, Family, LeftBy


def is_at_once(about: About) -> bool:
    """Whether a call may pass without waiting."""
    return any(LeftBy.NOTHING in by for by in about.left_by.values())


class Own(Struct, frozen=True, kw_only=True):
    """Nodes of the client's own, by what may be unwise about them."""

    asking: Mapping[str, About]
    """They ask conditions, or the hour."""
    ringing: Mapping[str, About]
    queueing: Mapping[str, About]


class Tree(Struct, frozen=True, kw_only=True, dict=True):
    """What is to be proved: the nodes of a client's tree that could be compiled, and where calls begin."""

    nodes: Mapping[str, Node]
    """Those made for the fallback are among them."""
    written: Collection[str]
    """Names of all nodes of the document, right or wrong."""
    start: str
    fallback: str = ""
    """Empty: there is none."""
    foreign: tuple[str, ...] = ()
    """What the names of other clients' nodes begin with: what is wrong with those is said of their own file."""

    @cached_property
    def about(self) -> Mapping[str, About]:
        """What each node says of itself."""
        return {name: node.about() for name, node in self.nodes.items()}

    @cached_property
    def own(self) -> Own:
        """Nodes that the client's document, or a snippet, writes: what is unwise is said of those."""
        others = (*self.foreign, "(")
        asking: dict[str, About] = {}
        ringing: dict[str, About] = {}
        queueing: dict[str, About] = {}
        for name, about in self.about.items():
            if about.family is Family.REACHES:
                if not name.startswith(others):
                    (ringing if about.uses.rings else queueing)[name] = about
            elif (about.reads.conditions or about.reads.hours) and not name.startswith(others):
                asking[name] = about
        return Own(asking=asking, ringing=ringing, queueing=queueing)

    @property
    def complete(self) -> bool:
        """Whether every node could be compiled, so that what is not found is not there."""
        return all(name in self.nodes for name in self.written) and self.start in self.nodes

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Where a call may come from nowhere: the beginning, and the fallback after a failure."""
        return tuple(name for name in dict.fromkeys((self.start, self.fallback)) if name in self.nodes)

    @cached_property
    def leads(self) -> Mapping[str, tuple[str, ...]]:
        """Where each node leads at all."""
        nodes = self.nodes
        return {name: tuple([to for to in node.exits.values() if to in nodes]) for name, node in nodes.items()}

    @cached_property
    def idle(self) -> Mapping[str, tuple[str, ...]]:
        """Where each node leads without a key."""
        nodes, found = self.nodes, dict(self.leads)
        for name, about in self.about.items():
            by = about.left_by
            if LeftBy.KEY in by.values():
                exits = nodes[name].exits.items()
                found[name] = tuple([to for way, to in exits if to in nodes and by[way] is not LeftBy.KEY])
        return found

    @cached_property
    def ends(self) -> frozenset[str]:
        """Nodes at which a call may end: no exits, or a conversation that nothing follows."""
        return frozenset(
            name
            for name, node in self.nodes.items()
            if not node.exits or (self.about[name].family is Family.REACHES and "done" not in node.exits)
        )

    @cached_property
    def reached(self) -> frozenset[str]:
        """Nodes a call can reach."""
        return frozenset(reach(self.roots, self.leads))

    @cached_property
    def backwards(self) -> tuple[str, ...]:
        """Nodes ordered so that each stands after all it leads to without a key; empty when idle ways go round."""
        return _post_order(self.idle)


def reach(starts: Iterable[str], leads: Mapping[str, Iterable[str]]) -> set[str]:
    """All that can be reached from these, they themselves included."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(leads[name])
    return found


def _post_order(leads: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Depth first, each node after all it leads to; nothing when there is a way round."""
    done: dict[str, None] = {}
    open_: set[str] = set()
    for start in leads:
        if start in done:
            continue
        open_.add(start)
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(leads[start]))]
        while stack:
            name, following = stack[-1]
            for target in following:
                if target in open_:
                    return ()
                if target not in done:
                    open_.add(target)
                    stack.append((target, iter(leads[target])))
                    break
            else:
                stack.pop()
                open_.discard(name)
                done[name] = None
    return tuple(done)


def way_round(start: str, follow: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """The shortest way from a node back to itself, its last step left out; or nothing."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for target in follow(name):
            if target == start:
                return _way_to(name, start, came_from)
            if target not in came_from:
                came_from[target] = name
                waiting.append(target)
    return ()


def way_to(goal: str, starts: Iterable[str], follow: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """The shortest way from one of the starts to a node, both included; or nothing."""
    came_from: dict[str, str] = {}
    waiting = deque(starts)
    beginnings = set(waiting)
    while waiting:
        name = waiting.popleft()
        if name == goal:
            way = [goal]
            while way[-1] not in beginnings:
                way.append(came_from[way[-1]])
            return tuple(reversed(way))
        for target in follow(name):
            if target not in came_from and target not in beginnings:
                came_from[target] = name
                waiting.append(target)
    return ()


def _way_to(name: str, start: str, came_from: Mapping[str, str]) -> tuple[str, ...]:
    way = [name]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def in_words(way: tuple[str, ...], most: int = 8) -> str:
    """A way for a person, its middle left out when it is long."""
    if len(way) > most:
        way = (*way[: most - 3], "…", *way[-2:])
    return " → ".join(way)
