"""What changes for callers from one version of a client's tree to the next: who, when, after which keys.

Both trees are walked side by side by the engine with the same callers, at the same instants, pressing the same keys,
with agents and contacts who answer and who do not; where calls end and what callers hear is compared. Names of nodes
and the order of lines are no difference. Of all that differs, what follows from what is told already is left out: where
callers who press 2 now reach another queue, it is plain that they wait for other agents and do not answer either.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from datetime import date, datetime

from msgspec import Struct, field

from callrouter.core.plan import Plan
from callrouter.questions.decisions import DRAW, KEYS
from callrouter.questions.diff.diagram import MANY_PATHS, Diagrams, Path
from callrouter.questions.diff.experience import NOT_TOLD_APART, Change
from callrouter.questions.diff.side_by_side import NOT_FOLLOWED, SideBySide
from callrouter.questions.occasions import CallerKind, Stretch, calendar, caller_kinds, moment
from callrouter.questions.outcomes import offer, shares


class Difference(Struct, frozen=True, kw_only=True):
    """One change, and the way to it."""

    change: Change
    keys: Path
    """What is keyed, question by question; empty where that does not matter."""
    others: Path
    """What has to happen besides: nobody answers, a queue stands in some way. The ordinary is not said."""


class Compared(Struct, frozen=True, kw_only=True):
    """All differences between two trees, before they are put into words."""

    differences: dict[Difference, dict[str, set[tuple[str, ...]]]] = field(default_factory=dict)
    """For each: by kind of caller, what the calendar says at the stretches concerned."""
    stretches: dict[tuple[str, ...], list[Stretch]] = field(default_factory=dict)
    """By what the calendar says: where it says so."""
    hours: tuple[str, ...] = ()
    """What each part of it is about: the names of hours and rotas, empty for dates."""
    kinds: Mapping[str, CallerKind] = field(default_factory=dict)
    """All kinds of callers, by their words."""
    days: tuple[date, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    """Percent of the calls that each draw stands for."""
    cut: set[str] = field(default_factory=set)
    """Kinds of callers who have more ways than are followed, or told."""
    vague: set[str] = field(default_factory=set)
    """Kinds of callers of whom not all that they meet on long ways was compared; where they end was."""


def compare(old: Plan, new: Plan, since: datetime) -> Compared:
    """Walk both trees; the calendar is looked at for a year from the day after `since`."""
    seen_by = calendar(old, new)
    stretches = seen_by.by_what_is_said(since)
    kinds = caller_kinds(old, new)
    trees = SideBySide(old, new)
    compared = Compared(
        stretches=stretches,
        kinds={kind.words: kind for kind in kinds},
        days=tuple(sorted({one.day for found in stretches.values() for one in found})),
        shares=shares(old, new),
        hours=seen_by.names,
    )
    told: dict[int, tuple[Difference, ...]] = {}
    for kind in () if trees.alike else kinds:
        for said, found in stretches.items():
            when = moment(seen_by, found[0])
            # All that differs for this kind of caller then, however they are drawn.
            offers = (offer(new, kind, when, call_id) for call_id in compared.shares)
            diagram = trees.diagrams.fork(DRAW, [(one.call_id, trees.differences(one)) for one in offers])
            if diagram not in told:
                told[diagram] = tuple(_differences(trees.diagrams, diagram))
            for one in told[diagram]:
                if one.change == NOT_FOLLOWED:
                    compared.cut.add(kind.words)
                elif one.change == NOT_TOLD_APART:
                    compared.vague.add(kind.words)
                else:
                    compared.differences.setdefault(one, {}).setdefault(kind.words, set()).add(said)
    return compared


def _differences(diagrams: Diagrams, diagram: int) -> Iterator[Difference]:
    """The differences to tell: the most ordinary first, and of the others those that do not follow from it."""
    found: list[Difference] = []
    changes = diagrams.held(diagram)
    cut = NOT_FOLLOWED in changes
    for change in sorted(changes - {NOT_FOLLOWED}, key=lambda one: (not one.ends, one.before, one.now)):
        paths = [*diagrams.paths(diagram, change)]
        cut = cut or len(paths) == MANY_PATHS
        found += (_difference(change, path) for path in paths)
    if cut:
        yield Difference(change=NOT_FOLLOWED, keys=(), others=())
    news = _News()
    for one in sorted(found, key=lambda one: (not one.change.ends, len(one.others), len(one.keys))):
        if news.note(one):
            yield one


def _difference(change: Change, path: Path) -> Difference:
    keys = tuple(taken for taken in path if taken.decision == KEYS)
    others = tuple(
        taken for taken in path if taken.decision != KEYS and not (taken.ordinary and taken.decision != DRAW)
    )
    return Difference(change=change, keys=keys, others=others)


_Callers = Mapping[Hashable, frozenset[str]]
"""Whom a difference concerns: by question, counted from 0, what they key; by decision what has to happen besides."""


def _callers(one: Difference) -> _Callers:
    asked = (*enumerate(one.keys), *((taken.decision, taken) for taken in one.others))
    return {what: frozenset(taken.options) for what, taken in asked}


class _News:
    """Which of some differences, noted from the most ordinary on, say something new.

    Where somebody reaches another place, what becomes of them there follows from the tree, and so does what would have
    become of them where they came before; what they meet on the way is another, too.
    """

    def __init__(self) -> None:
        self._noted: dict[object, dict[tuple[frozenset[Hashable], frozenset[str] | None], list[_Callers]]] = {}
        """Callers whom one thing concerns, by all that is asked of them, and by what they key first."""

    def note(self, one: Difference) -> bool:
        """Note a difference; whether it does not follow from those noted before."""
        callers, change = _callers(one), one.change
        if change.ends:
            new = [self._note(what, callers) for what in (("before", change.before), ("now", change.now), "ends")]
            return new[0] and new[1]
        plain = bool(one.others) and self._known("ends", callers)
        return self._note(change, callers) and not plain

    def _note(self, what: object, callers: _Callers) -> bool:
        """Note that these callers are concerned by something; whether some of them were not so far."""
        known = self._known(what, callers)
        if not known:
            self._noted.setdefault(what, {}).setdefault((frozenset(callers), callers.get(0)), []).append(callers)
        return not known

    def _known(self, what: object, callers: _Callers) -> bool:
        """Whether all of these are among some who were noted together."""
        return any(
            all(callers[one] <= options for one, options in known.items())
            for (asked, first), noted in self._noted.get(what, {}).items()
            if asked <= callers.keys() and (first is None or callers[0] <= first)
            for known in noted
        )
