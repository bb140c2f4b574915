"""How many agents it takes for what was promised, asked in three ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from callrouter.staffing.erlang import impatient, patient
from callrouter.staffing.model import Load, Target
from callrouter.staffing.simulation import USUAL, Measured, Played, Rules, play

MOST_AGENTS: Final = 5_000


class Needs(Struct, frozen=True, kw_only=True):
    """Agents at work in a span."""

    by_erlang_c: int
    by_erlang_a: int | None
    """None: nobody gave up, as far as was measured."""
    by_play: int | None
    """None: no number of agents keeps the promise, because they pick up too late, or miss too many calls."""
    played: Played
    """With so many agents, or with the most that were tried: the level that they reach."""


def needed(level: Callable[[int], float | None], share: float, *, at_least: int = 0) -> int:
    """The fewest agents who reach a share, of a level that more of them do not lower; `MOST_AGENTS` may not either."""
    low, high = at_least, max(1, at_least)
    while (reached := level(high)) is not None and reached < share and high < MOST_AGENTS:
        low, high = high, min(2 * high, MOST_AGENTS)
    while low < high:
        middle = (low + high) // 2
        reached = level(middle)
        if reached is None or reached >= share:
            high = middle
        else:
            low = middle + 1
    return high


def needs_of(
    load: Load, measured: Measured, target: Target, rules: Rules = USUAL, *, times: int = 20, seed: int = 1
) -> Needs:
    """By Erlang C, by Erlang A, and by playing the line, which begins at what the formulas say."""
    by_c = needed(lambda agents: patient(load, agents, target.within_seconds).level(target.formula), target.share)
    mean, by_a = measured.patience.mean_seconds, None
    if mean is not None:
        by_a = needed(
            lambda agents: impatient(
                load,
                agents,
                target.within_seconds,
                patience_seconds=mean,
                short_seconds=target.short_abandon_seconds,
            ).level(target.formula),
            target.share,
        )
    plays: dict[int, Played] = {}

    def level(agents: int) -> float | None:
        if agents not in plays:
            plays[agents] = play(
                load.arrivals_per_second, agents, measured, target, rules=rules, times=times, seed=seed
            )
        return plays[agents].level.value

    agents, most = by_c if by_a is None else by_a, by_c + by_c // 2 + 3
    while agents > 1 and ((reached := level(agents - 1)) is None or reached >= target.share):
        agents -= 1
    while agents < most and (reached := level(agents)) is not None and reached < target.share:
        agents += 1
    reached = level(agents)
    kept = reached is None or reached >= target.share
    return Needs(by_erlang_c=by_c, by_erlang_a=by_a, by_play=agents if kept else None, played=plays[agents])
