"""Which decisions lead to what: decision diagrams in which nothing stands twice, and nothing that makes no difference.

A fork that leads to the same whatever is decided is not made, and equal diagrams are one: so what does not matter drops
out by itself, however many decisions were tried. Only questions in front of one that matters stay, so that a path tells
each key in its turn. Diagrams are known by number, in the one `Diagrams` that made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from callrouter.questions.decisions import KEYS, Decision
from callrouter.questions.diff.experience import Change
from callrouter.questions.once import found_once

MANY_PATHS = 200
"""Ways to one thing that are listed."""


class Taken(Struct, frozen=True, kw_only=True):
    """Some of what can be decided at one fork, all of which leads to the same."""

    decision: Decision
    options: tuple[str, ...]
    everything: tuple[str, ...]
    """All that can be decided there: the ordinary one first."""

    @property
    def ordinary(self) -> bool:
        """Whether the ordinary option is among them."""
        return self.everything[0] in self.options

    @property
    def others(self) -> tuple[str, ...]:
        """Options that lead to something else."""
        return tuple(option for option in self.everything if option not in self.options)


Path = tuple[Taken, ...]
"""From the beginning on; decisions that do not matter are not in it."""


class Fork(Struct, frozen=True):
    """Where something is decided: each option leads to a diagram, or to another place, by number."""

    decision: Decision
    branches: tuple[tuple[str, int], ...]
    """The ordinary one first."""


class Diagrams:
    """All diagrams of one question; the first branch of a fork is the ordinary one."""

    def __init__(self) -> None:
        self._parts: list[Fork | frozenset[Change]] = []
        self._numbers: dict[Fork | frozenset[Change], int] = {}
        self._asking: set[int] = set()
        """Diagrams in which it matters what is keyed."""
        self.nothing = self.leaf(())

    def leaf(self, held: Iterable[Change]) -> int:
        """The diagram of what holds whatever is decided."""
        return self._number(frozenset(held))

    def fork(self, decision: Decision, branches: Sequence[tuple[str, int]]) -> int:
        """The diagram of what hangs on a decision."""
        first = branches[0][1]
        asked = decision == KEYS
        if all(branch == first for _, branch in branches) and not (asked and first in self._asking):
            return first
        number = self._number(Fork(decision, tuple(branches)))
        if asked or any(branch in self._asking for _, branch in branches):
            self._asking.add(number)
        return number

    @found_once
    def held(self, diagram: int) -> frozenset[Change]:
        """All that holds somewhere in it."""
        part = self._parts[diagram]
        return frozenset().union(*[self.held(to) for _, to in part.branches]) if isinstance(part, Fork) else part

    def paths(self, diagram: int, held: Change) -> Iterator[Path]:
        """The ways to one thing, at most `MANY_PATHS`: what else holds there makes no difference."""
        yield from islice(self._paths(self._reduced(diagram, held)), MANY_PATHS)

    def _number(self, part: Fork | frozenset[Change]) -> int:
        if part not in self._numbers:
            self._numbers[part] = len(self._parts)
            self._parts.append(part)
        return self._numbers[part]

    @found_once
    def _reduced(self, diagram: int, held: Change) -> int:
        """The same for one thing only."""
        if held not in self.held(diagram):
            return self.nothing
        part = self._parts[diagram]
        if not isinstance(part, Fork):
            return self.leaf((held,))
        return self.fork(part.decision, [(option, self._reduced(to, held)) for option, to in part.branches])

    def _paths(self, diagram: int) -> Iterator[Path]:
        waiting: list[tuple[int, Path]] = [(diagram, ())]
        while waiting:
            diagram, before = waiting.pop()
            part = self._parts[diagram]
            if isinstance(part, Fork):
                waiting += reversed([(branch, (*before, taken)) for branch, taken in self._taken(diagram)])
            elif part:
                yield before

    @found_once
    def _taken(self, diagram: int) -> Sequence[tuple[int, Taken]]:
        """What a fork leads to, and what is to be decided for it."""
        fork = self._parts[diagram]
        assert isinstance(fork, Fork)
        everything = tuple(option for option, _ in fork.branches)
        together: dict[int, list[str]] = {}
        for option, branch in fork.branches:
            together.setdefault(branch, []).append(option)
        return [
            (branch, Taken(decision=fork.decision, options=tuple(options), everything=everything))
            for branch, options in together.items()
        ]


Places = Sequence[Fork | frozenset[Change]]
"""By number: where something is decided, or what holds in the end."""


class Folding:
    """Makes diagrams of places; what is known of one stays true while places are added that nothing known leads to.

    Where ways lead round in circles, each place of a circle is reached by the shortest ways only: one who goes round
    once more meets nothing that others do not meet sooner.
    """

    def __init__(self, diagrams: Diagrams, places: Places) -> None:
        self._diagrams = diagrams
        self._places = places
        self._done: dict[tuple[int, int], int] = {}
        self._circles: dict[int, int] = {}
        """The circle of each place, by number; a place through which no way leads back is a circle of its own."""

    def fold(self, start: int) -> int:
        """The diagram of all ways from a place on."""
        if start not in self._circles:
            self._find_circles(start)
        return self._fold(start, start)

    def _fold(self, place: int, entry: int) -> int:
        """From a place on, in a circle that was entered at `entry`."""
        key = place, entry
        if key not in self._done:
            held = self._places[place]
            if isinstance(held, Fork):
                branches = [(option, self._fold_on(place, entry, to)) for option, to in held.branches]
                self._done[key] = self._diagrams.fork(held.decision, branches)
            else:
                self._done[key] = self._diagrams.leaf(held)
        return self._done[key]

    def _fold_on(self, place: int, entry: int, to: int) -> int:
        if self._circles[to] != self._circles[place]:
            return self._fold(to, to)
        steps = self._steps_from(entry)
        return self._fold(to, entry) if steps[to] == steps[place] + 1 else self._diagrams.nothing

    @found_once
    def _steps_from(self, entry: int) -> Mapping[int, int]:
        """How far each place of the entry's circle is from it."""
        steps = {entry: 0}
        for place in (waiting := [entry]):
            for to in self._leading_from(place):
                if to not in steps and self._circles[to] == self._circles[entry]:
                    steps[to] = steps[place] + 1
                    waiting.append(to)
        return steps

    def _leading_from(self, place: int) -> Iterator[int]:
        held = self._places[place]
        return iter([to for _, to in held.branches] if isinstance(held, Fork) else ())

    def _find_circles(self, start: int) -> None:
        """Number the strongly connected parts (Tarjan's algorithm, without recursion)."""
        order = {start: 0}
        lowest = {start: 0}
        unnumbered = [start]
        walk = [(start, self._leading_from(start))]
        while walk:
            place, leading = walk[-1]
            for to in leading:
                if to not in order and to not in self._circles:
                    order[to] = lowest[to] = len(order)
                    unnumbered.append(to)
                    walk.append((to, self._leading_from(to)))
                    break
                if to not in self._circles:
                    lowest[place] = min(lowest[place], order[to])
            else:
                walk.pop()
                if walk:
                    lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[place])
                if lowest[place] == order[place]:
                    number = len(self._circles)
                    while place not in self._circles:
                        self._circles[unnumbered.pop()] = number
