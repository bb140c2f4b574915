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
from callrouter.core.call import Call, Disposition
from callrouter.core.plan import Plan
from callrouter.questions.decisions import Decided, Decisions
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
    decisions, ways, order = Decisions(plan), dict[Ending, Way](), count()
    # By effort; of equal effort, those of the first call, then the first found.
    waiting: list[tuple[int, int, int, RehearsedStep]] = []
    reads: list[Callable[[str], Hashable]] = []
    for index, offered in enumerate(offers):
        step = begin(plan, offered)
        reads.append(decisions.ahead.offer_read(step.call, offered.at))
        heapq.heappush(waiting, (0, index, next(order), step))
    seen: set[Hashable] = set()
    complete = True
    while waiting:
        effort, index, _, step = heapq.heappop(waiting)
        if step.call.ended:
            ending = _ending(plan, step)
            if ending not in ways:
                ways[ending] = _way(plan, step, offers[index])
            continue
        state = decisions.ahead.state_of(step.call, reads[index]), _left_word_at(step.call)
        if state in seen:
            continue
        if len(seen) == max_states:
            complete = False
            continue
        seen.add(state)
        all_ways = all_decided(decisions, step, {}, 0)
        for decided, further in islice(all_ways, MAX_COMBINATIONS):
            heapq.heappush(waiting, (effort + further, index, next(order), follow(decisions, step, decided)))
        complete = complete and next(all_ways, None) is None
    return Explored(ways=ways, complete=complete)


def _left_word_at(call: Call) -> Hashable:
    """Nodes at which a caller left word: endings are told apart by them, too."""
    return call.messages[-1].node if call.messages else "", tuple(callback.node for callback in call.callbacks)


def _way(plan: Plan, last: RehearsedStep, offered: inputs.CallOffered) -> Way:
    rehearsal = done(plan, last)
    words = ", ".join(step.done for step in rehearsal.steps if step.done) or "just calls"
    return Way(in_words=words, rehearsal=rehearsal, offered=offered)


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


def _ending(plan: Plan, last: RehearsedStep) -> Ending:
    call = last.call
    node = call.visits[-1].node if call.visits else call.node
    if call.disposition is Disposition.MESSAGE_LEFT:
        node = word_left(call).node
    elif call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED):
        node = _answered_at(last) or node
    return Ending(outcome=outcome_of(plan, call), node=node, disposition=str(call.disposition))


def _answered_at(step: RehearsedStep) -> str:
    """The node at which somebody answered the caller last."""
    while step.before is not None:
        if any(isinstance(one, inputs.AgentAnswered | inputs.LegAnswered) for one in step.inputs):
            return step.before.call.node
        step = step.before
    return ""
