"""Every way a call can go, by the engine that serves calls: its distinct endings, and the shortest way to each.

At each wait the call goes on once for every option of every decision (`decisions`), the least effort first. A state
that was reached before is not followed again, so that loops end; what counts as one state is all that can matter for
what follows, and for the outcome (`ahead`). Callers who hang up are left out: they can do so anywhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice

from msgspec import Struct

from callrouter.core import inputs
from callrouter.core.call import Disposition, replace
from callrouter.core.effects import Dial, EnterQueue
from callrouter.core.plan import Plan
from callrouter.questions.decisions import ANSWERED, Decided, Decisions
from callrouter.questions.rehearsal import Rehearsal, RehearsedStep, begin, done, follow, outcome_of, word_left

MAX_STATES = 50_000
"""Waits looked at in all; a client's tree of 30 nodes has some hundred."""

MAX_COMBINATIONS = 400
"""Ways to decide all of one wait that are looked at: how its queues stand, what the fields of one answer are."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ending:
    """How a call can end, as far as two ends differ."""

    outcome: str
    """As `Rehearsal.outcome`."""
    node: str
    """The node that decided it."""
    disposition: str


class Way(Struct, frozen=True, kw_only=True):
    """One way to an ending."""

    in_words: str
    """What the caller and the others do, in order: `presses 1, queue medical answers`."""
    rehearsal: Rehearsal
    offered: inputs.CallOffered
    """Of the calls explored, the one that goes this way."""


class Explored(Struct, frozen=True, kw_only=True):
    """All endings of some calls."""

    ways: Mapping[Ending, Way]
    complete: bool
    """False: the tree has more states than are looked at."""


def explore(plan: Plan, *offers: inputs.CallOffered, max_states: int = MAX_STATES) -> Explored:
    """Every distinct ending of these calls, with the shortest way to each, of the first call that has it."""
    search = _Search(Decisions(plan), offers)
    for index, offered in enumerate(offers):
        step = begin(plan, offered)
        reads = search.decisions.ahead.offer_read(step.call, offered.at)
        search.go_on(0, index, _Going(step=step, reads=reads))
    complete = search.run(max_states)
    return Explored(ways=search.ways, complete=complete)


class _Going(Struct, frozen=True, kw_only=True):
    """A call on one of its ways."""

    step: RehearsedStep
    answered_at: str = ""
    """The node at which somebody answered the caller last."""
    reads: Callable[[str], Hashable]
    """What the nodes ahead of a node read of who calls and when."""


class _Search:
    """A search for the shortest ways: of equal effort, those of the first call, then the first found."""

    def __init__(self, decisions: Decisions, offers: tuple[inputs.CallOffered, ...]) -> None:
        self.decisions = decisions
        self.ways: dict[Ending, Way] = {}
        self._offers = offers
        self._order = count()
        self._waiting: list[tuple[int, int, int, _Going]] = []
        self._cut = False
        """Whether there were more states, or more ways to decide one wait, than are looked at."""

    def go_on(self, effort: int, index: int, going: _Going) -> None:
        """A call of the offer with this index waits for its turn, or has ended."""
        heapq.heappush(self._waiting, (effort, index, next(self._order), going))

    def run(self, max_states: int) -> bool:
        """Follow all ways; False where there are more than are looked at."""
        seen: set[Hashable] = set()
        while self._waiting:
            effort, index, _, going = heapq.heappop(self._waiting)
            call = going.step.call
            if call.ended:
                self._note(going, self._offers[index])
                continue
            # Endings are told apart by the node at which a caller left word, too.
            left = call.messages[-1].node if call.messages else "", tuple(callback.node for callback in call.callbacks)
            state = self.decisions.ahead.state_of(call, going.reads), left
            if state not in seen and len(seen) == max_states:
                self._cut = True
            elif state not in seen:
                seen.add(state)
                for decided, further in self._ways_on(going.step):
                    self.go_on(effort + further, index, self._after(going, decided))
        return not self._cut

    def _note(self, going: _Going, offered: inputs.CallOffered) -> None:
        """Note how a call has ended: the first that ends so had the least effort."""
        ending = _ending(self.decisions.plan, going)
        if ending not in self.ways:
            rehearsal = done(self.decisions.plan, going.step)
            words = ", ".join(step.done for step in rehearsal.steps if step.done) or "just calls"
            self.ways[ending] = Way(in_words=words, rehearsal=rehearsal, offered=offered)

    def _ways_on(self, step: RehearsedStep) -> Iterator[tuple[Decided, int]]:
        ways = all_decided(self.decisions, step, {}, 0)
        yield from islice(ways, MAX_COMBINATIONS)
        self._cut = self._cut or next(ways, None) is not None

    def _after(self, going: _Going, decided: Decided) -> _Going:
        step = going.step
        after = follow(self.decisions, step, decided)
        reached = isinstance(step.wait, EnterQueue | Dial) and ANSWERED in decided.values()
        return replace(going, step=after, answered_at=step.call.node if reached else going.answered_at)


def all_decided(
    decisions: Decisions, step: RehearsedStep, decided: Decided, effort: int
) -> Iterator[tuple[Decided, int]]:
    """All ways to decide what a wait asks for besides what is decided, each with its effort; the ordinary first."""
    decision = decisions.undecided(step.call, step.wait, step.at, decided)
    if decision is None:
        yield decided, effort
        return
    for option, further in decisions.options(step.call, step.wait, decision).items():
        yield from all_decided(decisions, step, {**decided, decision: option}, effort + further)


def _ending(plan: Plan, going: _Going) -> Ending:
    call = going.step.call
    node = call.visits[-1].node if call.visits else call.node
    if call.disposition is Disposition.MESSAGE_LEFT:
        node = word_left(call).node
    elif call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED):
        node = going.answered_at or node
    return Ending(outcome=outcome_of(plan, call), node=node, disposition=str(call.disposition))
