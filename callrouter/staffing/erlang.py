"""Erlang's formulas: a line with Poisson arrivals, and conversations and patience that are exponential.

Erlang C has callers who wait for ever. With n agents and a load of a erlangs, somebody has to wait with the probability
C = B / (1 - (a/n)(1 - B)), where B is Erlang's loss formula, whose inverse grows by 1/B(n) = 1 + n/a · 1/B(n-1): no
factorial is computed, so that hundreds of agents are as exact as three. The wait of those who wait is exponential with
(n - a) / handle time.

Erlang A (M/M/n+M) has callers who give up. It is computed by the virtual wait V, of somebody who would wait for ever
(Zeltyn and Mandelbaum, "Call centers with impatient customers", 2005, with patience of rate θ and the agents' rate μ):

    J = ∫ exp(λH(x) - nμx) dx,  H(x) = (1 - exp(-θx)) / θ,  ε = 1/B(n-1)
    P(V = 0) = ε / (ε + λJ),  the density of V at x > 0 is λ exp(λH(x) - nμx) / (ε + λJ)

Who gives up by t has a patience below both V and t. The exponent is concave: it is integrated from 0 to where nothing
is left of it, by Gauss and Legendre in panels, with its largest value taken out, so that nothing overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callrouter.staffing.model import Load, Served

Numbers = NDArray[np.float64]

_PANELS: Final = 400
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NOTHING: Final = 60.0
"""exp(-60) of the largest value is nothing."""


def loss_inverse(agents: int, erlangs: float) -> float:
    """1 / B: how many callers come for one who finds all agents at work, where nobody waits; infinite: nobody does."""
    inverse = 1.0
    for agent in range(1, agents + 1):
        inverse = 1.0 + inverse * agent / erlangs
        if math.isinf(inverse):
            break
    return inverse


def waiting_probability(agents: int, erlangs: float) -> float:
    """Erlang C: that somebody has to wait; 1 where more comes than agents can do."""
    if erlangs <= 0:
        return 0.0
    if agents <= erlangs:
        return 1.0
    loss = 1.0 / loss_inverse(agents, erlangs)
    return loss / (1.0 - erlangs / agents * (1.0 - loss))


def patient(load: Load, agents: int, within_seconds: float) -> Served:
    """Erlang C: nobody gives up. Where more comes than agents can do the line grows: nobody is answered in time."""
    erlangs = load.erlangs
    if erlangs <= 0:
        return Served(answered=1.0, answered_within=1.0)
    if agents <= erlangs:
        return Served(answered=1.0, answered_within=0.0, wait_seconds=math.inf, occupancy=1.0)
    waits = waiting_probability(agents, erlangs)
    rate = (agents - erlangs) / load.handle_seconds
    return Served(
        answered=1.0,
        answered_within=1.0 - waits * math.exp(-rate * within_seconds),
        wait_seconds=waits / rate,
        occupancy=erlangs / agents,
    )


def impatient(
    load: Load, agents: int, within_seconds: float, *, patience_seconds: float, short_seconds: float = 5.0
) -> Served:
    """Erlang A: callers give up after an exponential time of this mean."""
    arrivals, erlangs = load.arrivals_per_second, load.erlangs
    if erlangs <= 0:
        return Served(answered=1.0, answered_within=1.0)
    if agents == 0:
        gone = [1.0 - math.exp(-at / patience_seconds) for at in (within_seconds, short_seconds)]
        return Served(
            answered=0.0, answered_within=0.0, abandoned=1.0, abandoned_within=gone[0], short_abandoned=gone[1]
        )
    free = loss_inverse(agents - 1, erlangs)
    if math.isinf(free):
        return Served(answered=1.0, answered_within=1.0, occupancy=erlangs / agents)
    line = _Line(arrivals, agents / load.handle_seconds, patience_seconds, free)
    answered = line.at_once + line.answered_by(math.inf)
    return Served(
        answered=answered,
        answered_within=line.at_once + line.answered_by(within_seconds),
        abandoned=1.0 - answered,
        abandoned_within=line.gone_by(within_seconds),
        short_abandoned=line.gone_by(short_seconds),
        wait_seconds=line.waited / answered,
        occupancy=answered * erlangs / agents,
    )


class _Line:
    """The virtual wait of a line whose callers give up."""

    def __init__(self, arrivals: float, ends: float, patience: float, free: float) -> None:
        """`arrivals` and `ends` (of conversations, of all agents) are rates; `free` is ε."""
        self._arrivals, self._ends, self._patience = arrivals, ends, patience
        # Where more comes than agents can do, the exponent rises first.
        rises = patience * math.log(arrivals / ends) if arrivals > ends else 0.0
        self._top = self._exponent_at(rises)
        self._longest = self._end(rises)
        whole = self._integral(self._longest, self._density)
        self._scale = free * math.exp(-self._top) + whole
        self.at_once = free * math.exp(-self._top) / self._scale

    def answered_by(self, at: float) -> float:
        """The share of all callers that waits, and is answered, until then."""
        return self._integral(at, lambda x: self._density(x) * np.exp(-x / self._patience)) / self._scale

    @property
    def waited(self) -> float:
        """The wait of those who are answered, for each caller."""
        return self._integral(math.inf, lambda x: x * self._density(x) * np.exp(-x / self._patience)) / self._scale

    def gone_by(self, at: float) -> float:
        """The share of all callers that has given up until then.

        Who has a shorter patience than both: of waits up to `at` those who gave up meanwhile, of longer ones those who
        gave up until `at`.
        """
        shorter = self._integral(at, lambda x: self._density(x) * -np.expm1(-x / self._patience))
        longer = self._integral(math.inf, self._density) - self._integral(at, self._density)
        return (shorter + max(0.0, longer) * -math.expm1(-at / self._patience)) / self._scale

    def _exponent(self, x: Numbers) -> Numbers:
        found: Numbers = -self._arrivals * self._patience * np.expm1(-x / self._patience) - self._ends * x
        return found

    def _density(self, x: Numbers) -> Numbers:
        density: Numbers = self._arrivals * np.exp(self._exponent(x) - self._top)
        return density

    def _exponent_at(self, x: float) -> float:
        return float(self._exponent(np.array([x]))[0])

    def _end(self, rises: float) -> float:
        """Beyond it nothing is left."""
        end = rises + 1.0 / self._ends
        while self._exponent_at(end) > self._top - _NOTHING:
            end = rises + 2 * (end - rises)
        return end

    def _integral(self, to: float, of: Callable[[Numbers], Numbers]) -> float:
        edges = np.linspace(0.0, min(to, self._longest), _PANELS + 1)
        half = np.diff(edges)[:, None] / 2
        x = edges[:-1, None] + half * (1.0 + _NODES)
        return float((half * _WEIGHTS * of(x)).sum())
