"""A team's line played through, by the rules of this product's own queues; the same seed plays the same day.

Callers come by chance (Poisson), at a rate. One who finds an agent free is offered at once; who waits is looked at
once a second, so that an agent who becomes free is offered the next one up to a second later. Of those who wait the
highest priority goes first, and of one priority who came first; `rises` lifts who has waited long. An agent who is rung
picks up after a while, or misses the call, which then goes to another one; a caller may give up while it rings. After a
conversation comes wrap-up. Who has waited `max_wait_seconds` leaves the line. Agents of a further level are rung when
nobody before them is free, or not before a caller has waited `next_level_seconds`.

Times are drawn from those that were measured, whole: a conversation with its own wrap-up. Patience is drawn from the
curve of Kaplan and Meier, and beyond its end from an exponential tail of the measured mean.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import StrEnum
from random import Random
from statistics import fmean, stdev
from typing import Final

from msgspec import Struct, field

from callrouter.staffing.model import Served, Target
from callrouter.staffing.patience import Patience

LOOK_SECONDS: Final = 1.0
"""How often app_queue looks at a caller who waits."""
_LEFT_OUT_SECONDS: Final = 3.0
"""For how long an agent who missed a call is offered none, while others take them."""


class Strategy(StrEnum):
    """Whom a team rings first."""

    RINGALL = "ringall"
    LEASTRECENT = "leastrecent"
    FEWESTCALLS = "fewestcalls"
    RANDOM = "random"
    RRMEMORY = "rrmemory"
    LINEAR = "linear"


class Kind(Struct, frozen=True, kw_only=True):
    """Callers of one priority."""

    share: float = 1.0
    """Of all callers."""
    priority: int = 0
    rises_after_seconds: float | None = None
    rises_to: int = 0


class Rules(Struct, frozen=True, kw_only=True):
    """How a line rings its agents, and what callers find."""

    strategy: Strategy = Strategy.RRMEMORY
    ring_seconds: float = 15.0
    """How long an agent who does not pick up is rung."""
    retry_seconds: float = 1.0
    max_wait_seconds: float | None = None
    levels: Sequence[int] = ()
    """Of the first agents; all others are of level 1."""
    next_level_seconds: float | None = None
    kinds: Sequence[Kind] = (Kind(),)


USUAL: Final = Rules()


class Measured(Struct, frozen=True, kw_only=True):
    """What was measured, of which the play draws."""

    conversations: Sequence[tuple[float, float]]
    """Seconds with the caller, on hold too, and of the wrap-up after."""
    pick_ups: Sequence[float] = (2.0,)
    """Seconds until an agent who is rung picks up."""
    missed: float = 0.0
    """The share of offers that an agent does not take."""
    patience: Patience = field(default_factory=lambda: Patience(mean_seconds=None, at_seconds=(), still_there=()))


class Estimate(Struct, frozen=True, kw_only=True):
    """A share, and within what it is with a certainty of 95 %; None where nobody counts."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Played(Struct, frozen=True, kw_only=True):
    """What came of several plays of the same span."""

    served: Served
    level: Estimate
    callers: int


def play(  # noqa: PLR0913, RUF100  # each is what a play needs
    arrivals_per_second: float,
    agents: int,
    measured: Measured,
    target: Target,
    *,
    rules: Rules = USUAL,
    seconds: float = 1800.0,
    warm_up_seconds: float = 1800.0,
    times: int = 20,
    seed: int = 1,
) -> Played:
    """Play a span several times, each from an empty line, of which the first `warm_up_seconds` do not count.

    The interval is that of the mean of the plays (Student's t).
    """
    plays = [
        _Play(arrivals_per_second, agents, measured, target, rules, Random(f"{seed}/{number}")).run(  # noqa: S311  # a play, and no secret
            warm_up_seconds, seconds
        )
        for number in range(times)
    ]
    total = _Counts()
    for one in plays:
        total.add(one)
    levels = [level for one in plays if (level := one.served().level(target.formula)) is not None]
    served = total.served()
    return Played(served=served, level=_estimate(served.level(target.formula), levels), callers=total.callers)


def _estimate(value: float | None, levels: Sequence[float]) -> Estimate:
    if value is None or len(levels) < 2:
        return Estimate(value=value)
    half = students_t(len(levels) - 1) * stdev(levels) / math.sqrt(len(levels))
    return Estimate(
        value=value, low=max(0.0, min(value, fmean(levels)) - half), high=min(1.0, max(value, fmean(levels)) + half)
    )


def students_t(degrees: int) -> float:
    """Of a certainty of 95 %, two-sided."""
    return _T[min(degrees, len(_T) - 1)]


_T: Final = (
    *(math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145),
    *(2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 1.96),
)
"""By degrees of freedom; beyond thirty, that of the normal."""


class _Counts:
    """How many callers were served how."""

    def __init__(self) -> None:
        self.callers = self.answered = self.in_time = self.gone = self.gone_in_time = self.short = self.over = 0
        self.waited = self.busy = self.there = 0.0

    def add(self, other: _Counts) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def served(self) -> Served:
        """As shares."""
        whole = self.callers or 1
        return Served(
            answered=self.answered / whole,
            answered_within=self.in_time / whole,
            abandoned=self.gone / whole,
            abandoned_within=self.gone_in_time / whole,
            short_abandoned=self.short / whole,
            overflowed=self.over / whole,
            wait_seconds=self.waited / self.answered if self.answered else 0.0,
            occupancy=self.busy / self.there if self.there else 0.0,
        )


class _Caller:
    """Somebody in the line."""

    __slots__ = ("came", "counts", "done", "kind", "not_before", "rung")

    def __init__(self, came: float, kind: Kind, counts: bool) -> None:
        self.came, self.kind, self.counts = came, kind, counts
        self.rung: list[int] = []
        """Agents who are rung for them."""
        self.done = False
        self.not_before = 0.0
        """When they may be offered again."""


class _Play:
    """One play."""

    def __init__(
        self, rate: float, agents: int, measured: Measured, target: Target, rules: Rules, random: Random
    ) -> None:
        self._rate, self._measured, self._target, self._rules, self._random = rate, measured, target, rules, random
        self._events: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._number = itertools.count()
        self._now = 0.0
        self._line: list[_Caller] = []
        self._free = set(range(agents))
        self._agents = agents
        self._levels = [*rules.levels[:agents], *([1] * (agents - len(rules.levels)))]
        self._last = [-1.0] * agents
        self._calls = [0] * agents
        self._next = 0
        self._counts = _Counts()

    def run(self, warm_up: float, seconds: float) -> _Counts:
        """From an empty line; the callers who come after the warm-up count, until all of them are gone."""
        self._from, self._until = warm_up, warm_up + seconds
        self._counts.there = self._agents * seconds
        if self._rate > 0:
            self._at(self._random.expovariate(self._rate), self._come)
        waiting = True
        while self._events and waiting:
            self._now, _, do, arguments = heapq.heappop(self._events)
            do(*arguments)
            waiting = self._now < self._until or any(one.counts for one in self._line)
        return self._counts

    def _at(self, when: float, do: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._events, (when, next(self._number), do, arguments))

    # ----------------------------------------------------------------------------------------------------- callers

    def _come(self) -> None:
        if self._now >= self._until:
            return
        self._at(self._now + self._random.expovariate(self._rate), self._come)
        kinds = self._rules.kinds
        kind = kinds[0] if len(kinds) == 1 else self._random.choices(kinds, [one.share for one in kinds])[0]
        caller = _Caller(self._now, kind, self._now >= self._from)
        self._counts.callers += caller.counts
        self._line.append(caller)
        self._at(self._now + self._patience(), self._leave, caller, True)
        if self._rules.max_wait_seconds is not None:
            self._at(self._now + self._rules.max_wait_seconds, self._leave, caller, False)
        if self._rules.next_level_seconds is not None:
            self._at(self._now + self._rules.next_level_seconds + self._random.random() * LOOK_SECONDS, self._look)
        self._look()

    def _patience(self) -> float:
        patience, chance = self._measured.patience, self._random.random()
        # `still_there` falls: the first that is not above the chance.
        place = bisect_left(patience.still_there, -chance, key=lambda share: -share)
        if place < len(patience.at_seconds):
            return patience.at_seconds[place]
        if patience.mean_seconds is None:
            return math.inf
        beyond = patience.at_seconds[-1] if patience.at_seconds else 0.0
        return beyond + self._random.expovariate(1 / patience.mean_seconds)

    def _leave(self, caller: _Caller, gave_up: bool) -> None:
        if caller.done:
            return
        self._take_out(caller)
        if not caller.counts:
            return
        waited = self._now - caller.came
        if gave_up:
            self._counts.gone += 1
            self._counts.gone_in_time += waited <= self._target.within_seconds
            self._counts.short += waited < self._target.short_abandon_seconds
        else:
            self._counts.over += 1

    def _take_out(self, caller: _Caller, but: int = -1) -> None:
        caller.done = True
        self._line.remove(caller)
        for agent in caller.rung:
            if agent != but:
                self._becomes_free(agent)
        caller.rung = []

    # ----------------------------------------------------------------------------------------------------- offers

    def _look(self) -> None:
        """Whoever may be offered is offered, in the order of the line."""
        for caller in sorted(self._line, key=self._order) if len(self._line) > 1 else list(self._line):
            if not self._free:
                return
            if not caller.rung and caller.not_before <= self._now:
                self._offer(caller)

    def _order(self, caller: _Caller) -> tuple[int, float]:
        kind, waited = caller.kind, self._now - caller.came
        risen = kind.rises_after_seconds is not None and waited >= kind.rises_after_seconds
        return -max(kind.priority, kind.rises_to if risen else kind.priority), caller.came

    def _offer(self, caller: _Caller) -> None:
        chosen = self._chosen(caller)
        if not chosen:
            return
        picks: list[tuple[float, int]] = []
        for agent in chosen:
            self._free.discard(agent)
            caller.rung.append(agent)
            if self._random.random() >= self._measured.missed:
                picks.append((self._random.choice(self._measured.pick_ups), agent))
        if picks and min(picks)[0] <= self._rules.ring_seconds:
            after, agent = min(picks)
            self._at(self._now + after, self._answer, caller, agent, tuple(chosen))
        else:
            self._at(self._now + self._rules.ring_seconds, self._missed, caller, tuple(chosen))

    def _chosen(self, caller: _Caller) -> list[int]:
        next_level = self._rules.next_level_seconds
        free = self._free
        if next_level is not None and self._now - caller.came < next_level:
            free = {agent for agent in free if self._levels[agent] == 1}
        if not free:
            return []
        first = min(self._levels[agent] for agent in free)
        there = sorted(agent for agent in free if self._levels[agent] == first)
        match self._rules.strategy:
            case Strategy.RINGALL:
                return there
            case Strategy.LEASTRECENT:
                return [min(there, key=lambda agent: self._last[agent])]
            case Strategy.FEWESTCALLS:
                return [min(there, key=lambda agent: self._calls[agent])]
            case Strategy.RANDOM:
                return [self._random.choice(there)]
            case Strategy.LINEAR:
                return [there[0]]
            case Strategy.RRMEMORY:
                chosen = next((agent for agent in there if agent >= self._next), there[0])
                self._next = chosen + 1
                return [chosen]

    def _answer(self, caller: _Caller, agent: int, rung: tuple[int, ...]) -> None:
        if caller.done or caller.rung != list(rung):
            return
        self._take_out(caller, but=agent)
        waited = self._now - caller.came
        if caller.counts:
            self._counts.answered += 1
            self._counts.in_time += waited <= self._target.within_seconds
            self._counts.waited += waited
        talk, wrap_up = self._random.choice(self._measured.conversations)
        over = self._now + talk + wrap_up
        self._counts.busy += max(0.0, min(over, self._until) - max(self._now, self._from))
        self._last[agent] = self._now + talk
        self._calls[agent] += 1
        self._at(over, self._becomes_free, agent)

    def _missed(self, caller: _Caller, rung: tuple[int, ...]) -> None:
        if caller.done or caller.rung != list(rung):
            return
        caller.rung = []
        caller.not_before = self._now + self._rules.retry_seconds
        for agent in rung:
            self._at(self._now + (_LEFT_OUT_SECONDS if self._free else 0.0), self._becomes_free, agent)
        self._at(caller.not_before, self._look)

    def _becomes_free(self, agent: int) -> None:
        self._free.add(agent)
        if self._line:
            self._at(self._now + self._random.random() * LOOK_SECONDS, self._look)
