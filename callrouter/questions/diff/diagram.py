"""Which decisions lead to what: decision diagrams in which nothing stands twice, and nothing that makes no difference.

A fork that leads to the same whatever is decided is not made, and equal diagrams are one: so what does not matter drops
out by itself, however many decisions were tried. Only questions in front of one that matters stay, so that a path tells
each key in its turn. Diagrams are known by number, in the one `Diagrams` that made them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from callrouter.questions.diff.experience import Change

MANY_PATHS = 200
"""Ways to one thing that are listed."""


class Decision(Struct, frozen=True, kw_only=True):
    """Something that is up to the caller, to somebody else, or to chance."""

    kind: str
    """`keys`, `queue`, `dial`, `message`, `look`, `lookup`, `answer` or `draw`."""
    of: str = ""
    """The queue, the number, the web service or its variable; empty for what the caller does."""


KEYS = Decision(kind="keys")
"""What is keyed at the next question."""


class Taken(Struct, frozen=True, kw_only=True):
    """Some of what can be decided at one fork, all of which leads to the same."""

    decision: Decision
    options: tuple[str, ...]
    """As ordered there: the ordinary one first."""
    others: tuple[str, ...]
    ordinary: bool
    """Whether the ordinary option is among them."""


Path = tuple[Taken, ...]
"""From the beginning on; decisions that do not matter are not in it."""


class _Fork(Struct, frozen=True):
    decision: Decision
    branches: tuple[tuple[str, int], ...]


class Diagrams:
    """All diagrams of one question; the first branch of a fork is the ordinary one."""

    def __init__(self) -> None:
        self._parts: list[_Fork | frozenset[Change]] = []
        self._numbers: dict[_Fork | frozenset[Change], int] = {}
        self._only: dict[tuple[int, Change], int] = {}
        self._holding: dict[int, frozenset[Change]] = {}
        self._asking: set[int] = set()
        """Diagrams in which it matters what is keyed."""
        self.nothing = self.leaf(())

    def leaf(self, held: Iterable[Change]) -> int:
        """The diagram of what holds whatever is decided."""
        return self._number(frozenset(held))

    def fork(self, decision: Decision, branches: Sequence[tuple[str, int]]) -> int:
        """The diagram of what hangs on a decision."""
        first = branches[0][1]
        asked = decision.kind == KEYS.kind
        if all(branch == first for _, branch in branches) and not (asked and first in self._asking):
            return first
        number = self._number(_Fork(decision, tuple(branches)))
        if asked or any(branch in self._asking for _, branch in branches):
            self._asking.add(number)
        return number

    def held(self, diagram: int) -> frozenset[Change]:
        """All that holds somewhere in it."""
        if diagram not in self._holding:
            part = self._parts[diagram]
            inside = (self.held(branch) for _, branch in part.branches) if isinstance(part, _Fork) else (part,)
            self._holding[diagram] = frozenset().union(*inside)
        return self._holding[diagram]

    def paths(self, diagram: int, held: Change) -> Iterator[Path]:
        """The ways to one thing, at most `MANY_PATHS`: what else holds there makes no difference."""
        yield from islice(self._paths(self._reduced(diagram, held), ()), MANY_PATHS)

    def _number(self, part: _Fork | frozenset[Change]) -> int:
        if part not in self._numbers:
            self._numbers[part] = len(self._parts)
            self._parts.append(part)
        return self._numbers[part]

    def _reduced(self, diagram: int, held: Change) -> int:
        """The same for one thing only."""
        key = diagram, held
        if key not in self._only:
            part = self._parts[diagram]
            if isinstance(part, _Fork):
                branches = [(option, self._reduced(branch, held)) for option, branch in part.branches]
                self._only[key] = self.fork(part.decision, branches)
            else:
                self._only[key] = self.leaf((held,)) if held in part else self.nothing
        return self._only[key]

    def _paths(self, diagram: int, before: Path) -> Iterator[Path]:
        part = self._parts[diagram]
        if not isinstance(part, _Fork):
            if part:
                yield before
            return
        everything = tuple(option for option, _ in part.branches)
        together: dict[int, list[str]] = {}
        for option, branch in part.branches:
            together.setdefault(branch, []).append(option)
        for branch, options in together.items():
            others = tuple(option for option in everything if option not in options)
            taken = Taken(
                decision=part.decision,
                options=tuple(options),
                others=others,
                ordinary=everything[0] in options,
            )
            yield from self._paths(branch, (*before, taken))


class Undecided(Struct, frozen=True, kw_only=True):
    """A place where something is decided, and where each option leads: a place again, or what holds in the end."""

    decision: Decision
    branches: tuple[tuple[str, Hashable], ...]


class Folding:
    """Makes diagrams of places; what is known of one stays true while places are added that nothing known leads to.

    Where ways lead round in circles, each place of a circle is come to by the shortest ways only: one who goes round
    once more comes to nothing that others do not come to sooner.
    """

    def __init__(self, diagrams: Diagrams, places: Mapping[Hashable, Undecided | frozenset[Change]]) -> None:
        self._diagrams = diagrams
        self._places = places
        self._done: dict[tuple[Hashable, Hashable], int] = {}
        self._circles: dict[Hashable, int] = {}
        self._steps: dict[Hashable, dict[Hashable, int]] = {}

    def fold(self, start: Hashable) -> int:
        """The diagram of all ways from a place on."""
        if start not in self._circles:
            self._find_circles(start)
        return self._fold(start, start)

    def _fold(self, place: Hashable, entry: Hashable) -> int:
        """From a place on, in a circle that was entered at `entry`."""
        key = place, entry
        if key not in self._done:
            found = self._places[place]
            if isinstance(found, Undecided):
                branches = [(option, self._behind(place, entry, to)) for option, to in found.branches]
                self._done[key] = self._diagrams.fork(found.decision, branches)
            else:
                self._done[key] = self._diagrams.leaf(found)
        return self._done[key]

    def _behind(self, place: Hashable, entry: Hashable, to: Hashable) -> int:
        if self._circles[to] != self._circles[place]:
            return self._fold(to, to)
        steps = self._steps_from(entry)
        return self._fold(to, entry) if steps[to] == steps[place] + 1 else self._diagrams.nothing

    def _steps_from(self, entry: Hashable) -> Mapping[Hashable, int]:
        """How far each place of the entry's circle is from it."""
        if entry not in self._steps:
            steps = {entry: 0}
            for place in (waiting := [entry]):
                for to in self._leading_from(place):
                    if to not in steps and self._circles[to] == self._circles[entry]:
                        steps[to] = steps[place] + 1
                        waiting.append(to)
            self._steps[entry] = steps
        return self._steps[entry]

    def _leading_from(self, place: Hashable) -> Iterator[Hashable]:
        found = self._places[place]
        return iter([to for _, to in found.branches] if isinstance(found, Undecided) else ())

    def _find_circles(self, start: Hashable) -> None:
        """Number the strongly connected parts (Tarjan's algorithm, without recursion)."""
        order: dict[Hashable, int] = {start: 0}
        lowest = {start: 0}
        open_places, still_open = [start], {start}
        walk = [(start, self._leading_from(start))]
        while walk:
            place, ahead = walk[-1]
            for to in ahead:
                if to in self._circles:
                    continue
                if to not in order:
                    order[to] = lowest[to] = len(order)
                    open_places.append(to)
                    still_open.add(to)
                    walk.append((to, self._leading_from(to)))
                    break
                if to in still_open:
                    lowest[place] = min(lowest[place], order[to])
            else:
                walk.pop()
                if walk:
                    lowest[walk[-1][0]] = min(lowest[walk[-1][0]], lowest[place])
                if lowest[place] == order[place]:
                    number = len(self._circles)
                    while open_places[-1] != place:
                        self._close(open_places.pop(), number, still_open)
                    self._close(open_places.pop(), number, still_open)

    def _close(self, place: Hashable, number: int, still_open: set[Hashable]) -> None:
        still_open.discard(place)
        self._circles[place] = number
