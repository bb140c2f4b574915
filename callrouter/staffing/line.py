"""A line as it was on some days, half hour by half hour, and how many agents each needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from statistics import fmean, stdev
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from callrouter.core.call import QueueOutcome
from callrouter.core.service_level import ServiceCounts, service_level
from callrouter.staffing.model import Load, Target
from callrouter.staffing.needs import Needs, needs_of
from callrouter.staffing.patience import Wait, patience_of
from callrouter.staffing.simulation import USUAL, Estimate, Measured, Rules, play, students_t

HALF_HOUR: Final = 1800.0
_ENOUGH: Final = 30
"""Conversations by which a half hour has a handle time of its own; with fewer it has that of all."""


class Stay(Struct, frozen=True, kw_only=True):
    """One caller in the line."""

    slot: int
    """Half hours since midnight, as the clocks show it."""
    day: date
    seconds: float
    outcome: QueueOutcome | None
    handled: tuple[float, float] | None = None
    """Seconds with the agent, on hold too, and of the wrap-up; None: nobody answered, or it is not known."""


class Line(Struct, frozen=True, kw_only=True):
    """What was measured of a line."""

    days: Sequence[date]
    """Those that were looked at, without calls too."""
    stays: Sequence[Stay]
    pick_ups: Sequence[float]
    """Seconds until an agent who was rung picked up."""
    offers: int
    missed: int
    """Of these, those that the agent let ring, or refused."""
    there: Mapping[int, float]
    """By half hour: how many of its agents were logged in and not paused, on average."""


class Row(Struct, frozen=True, kw_only=True):
    """One half hour."""

    slot: int
    calls: Estimate
    """On average of the days, and within what the average of all such days is with a certainty of 95 %."""
    handle_seconds: float
    needs: Needs
    there: float
    """Agents of the line who were there; they may have answered other lines too."""
    level_there: Estimate | None
    """The level that so many reach, played; None where nobody was there."""
    measured: float | None
    """The level that was reached."""


class Plan(Struct, frozen=True, kw_only=True):
    """What a line needs."""

    rows: Sequence[Row]
    patience_seconds: float | None
    """Mean, by the greatest likelihood; None: nobody gave up."""
    half_gone_seconds: float | None
    """When half of all callers would have given up (Kaplan and Meier); None: it was never seen."""
    missed: float
    """Share of offers."""
    max_wait_seconds: float | None
    """After which the line gave callers up; None: it did not."""


def plan_of(
    line: Line,
    target: Target,
    rules: Rules = USUAL,
    *,
    times: int = 20,
    seed: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> Plan:
    """What each half hour in which somebody called needs.

    Args:
        line: as it was measured.
        target: what was promised.
        rules: how the team rings; the longest wait is the measured one, unless it says another.
        times: how often each number of agents is played.
        seed: of the plays.
        say: is told how far it is.
    """
    waits = [Wait(one.seconds, gave_up=one.outcome is QueueOutcome.ABANDONED) for one in line.stays]
    patience = patience_of(waits)
    handled = [one.handled for one in line.stays if one.handled is not None]
    over = sorted(one.seconds for one in line.stays if one.outcome is QueueOutcome.TIMEOUT)
    if rules.max_wait_seconds is None and over:
        rules = replace(rules, max_wait_seconds=over[len(over) // 2])
    missed = line.missed / line.offers if line.offers else 0.0
    everything = Measured(
        conversations=handled or [(0.0, 0.0)], pick_ups=line.pick_ups or (2.0,), missed=missed, patience=patience
    )
    rows = []
    slots = sorted({one.slot for one in line.stays}) if handled else []
    for slot in slots:
        say(f"half hour {clock(slot)}")
        rows.append(_row(line, slot, everything, target, rules, times, seed))
    gone = [at for at, left in zip(patience.at_seconds, patience.still_there, strict=True) if left <= 0.5]
    return Plan(
        rows=rows,
        patience_seconds=patience.mean_seconds,
        half_gone_seconds=gone[0] if gone else None,
        missed=missed,
        max_wait_seconds=rules.max_wait_seconds,
    )


def _row(line: Line, slot: int, everything: Measured, target: Target, rules: Rules, times: int, seed: int) -> Row:
    stays = [one for one in line.stays if one.slot == slot]
    own = [one.handled for one in stays if one.handled is not None]
    measured = replace(everything, conversations=own) if len(own) >= _ENOUGH else everything
    calls = _mean([sum(one.day == day for one in stays) for day in line.days])
    handle = fmean(talk + wrap_up for talk, wrap_up in measured.conversations)
    load = Load(arrivals_per_second=(calls.value or 0.0) / HALF_HOUR, handle_seconds=handle)
    there = line.there.get(slot, 0.0)
    level = None
    if round(there) > 0:
        arrivals = load.arrivals_per_second
        level = play(arrivals, round(there), measured, target, rules=rules, times=times, seed=seed).level
    return Row(
        slot=slot,
        calls=calls,
        handle_seconds=handle,
        needs=needs_of(load, measured, target, rules, times=times, seed=seed),
        there=there,
        level_there=level,
        measured=_reached(stays, target),
    )


def _reached(stays: Sequence[Stay], target: Target) -> float | None:
    """As it was, by the same formula."""
    answered = [one.seconds for one in stays if one.outcome is QueueOutcome.ANSWERED]
    gone = [one.seconds for one in stays if one.outcome is QueueOutcome.ABANDONED]
    return service_level(
        ServiceCounts(
            answered=len(answered),
            abandoned=len(gone),
            answered_within=sum(one <= target.within_seconds for one in answered),
            abandoned_within=sum(one <= target.within_seconds for one in gone),
            short_abandoned=sum(one < target.short_abandon_seconds for one in gone),
            overflowed=len(stays) - len(answered) - len(gone),
        ),
        target.formula,
    )


def _mean(counts: Sequence[int]) -> Estimate:
    """Of one day alone, that of a Poisson count."""
    mean = fmean(counts)
    if len(counts) > 1:
        half = students_t(len(counts) - 1) * stdev(counts) / math.sqrt(len(counts))
    else:
        half = students_t(1000) * math.sqrt(mean)
    return Estimate(value=mean, low=max(0.0, mean - half), high=mean + half)


def clock(slot: int) -> str:
    """When a half hour begins, as the clocks show it."""
    return f"{slot // 2:02}:{slot % 2 * 30:02}"
