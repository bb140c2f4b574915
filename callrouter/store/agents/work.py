"""What an agent has done in each part of a period, from the rows that say it. Pure.

A conversation counts, and an offer, in the part in which it was answered, or began. Seconds belong to the part in which
they passed: a conversation across midnight gives each day its own, so that days add up to their month.

At each instant an agent is in one state. Whoever is in a conversation (talking, or with the caller on hold) is in
nothing else; then comes being asked by a colleague, or waiting until whoever is called back picks up; then wrap-up. Of
the rest an agent is available while they are logged in at some PBX and not paused there; paused, for the reason that
was given last, while they are logged in and available nowhere. Whoever is rung is available. So all of it is logged-in
time once, whatever number of PBXs they are logged in at, and what they did while logged out (a conversation that
outlasted their log-out) is work, and not logged-in time.

Talk, hold and wrap-up are sums over conversations, as a client's are. What is known of a hold without its times is
spread evenly over its conversation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callrouter.core.call import OfferOutcome
from callrouter.store.agents.spans import NO_SPANS, SECOND, Integers, Numbers, Pieces, Spans, Timeline, cut, part_of

OUTCOMES: Final[Sequence[OfferOutcome | None]] = (None, *OfferOutcome)
"""How offers end, by their code; None: nobody saw it."""
MISSED: Final = (OfferOutcome.RANG_OUT, OfferOutcome.REFUSED)
"""What counts as missed (`core.agents.standing`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was done for callers."""

    conversations: int = 0
    """With callers, who rang or were called back."""
    talk_seconds: float = 0.0
    """Without what was on hold."""
    hold_seconds: float = 0.0
    wrap_up_seconds: float = 0.0
    offers: Mapping[OfferOutcome | None, int] = field(default_factory=dict)
    """By how they ended, those that there were; None: nobody saw it."""

    @property
    def handle_seconds(self) -> float:
        """All that conversations took."""
        return self.talk_seconds + self.hold_seconds + self.wrap_up_seconds

    @property
    def aht_seconds(self) -> float | None:
        """Of one conversation (DMT); None without any."""
        return self.handle_seconds / self.conversations if self.conversations else None

    @property
    def offered(self) -> int:
        """Offers, however they ended."""
        return sum(self.offers.values())

    @property
    def missed(self) -> int:
        """Offers that the agent let ring, or refused."""
        return sum(self.offers.get(outcome, 0) for outcome in MISSED)

    def __add__(self, other: Work) -> Work:
        """Of both."""
        outcomes = self.offers.keys() | other.offers.keys()
        return Work(
            conversations=self.conversations + other.conversations,
            talk_seconds=self.talk_seconds + other.talk_seconds,
            hold_seconds=self.hold_seconds + other.hold_seconds,
            wrap_up_seconds=self.wrap_up_seconds + other.wrap_up_seconds,
            offers={one: self.offers.get(one, 0) + other.offers.get(one, 0) for one in OUTCOMES if one in outcomes},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """What an agent's time went into, in seconds."""

    logged_in_seconds: float = 0.0
    available_seconds: float = 0.0
    paused_seconds: Mapping[str, float] = field(default_factory=dict)
    """By reason; empty: for none in particular."""
    other_seconds: float = 0.0
    """Logged in, and neither of these, nor work: asked by a colleague, or until whoever is called back picked up."""

    def __add__(self, other: Time) -> Time:
        """Of both."""
        reasons = sorted(self.paused_seconds.keys() | other.paused_seconds.keys())
        paused = {one: self.paused_seconds.get(one, 0.0) + other.paused_seconds.get(one, 0.0) for one in reasons}
        return Time(
            logged_in_seconds=self.logged_in_seconds + other.logged_in_seconds,
            available_seconds=self.available_seconds + other.available_seconds,
            paused_seconds=paused,
            other_seconds=self.other_seconds + other.other_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRows:
    """What the record says of one agent. The codes of spans are of `keys`, unless something else is said."""

    keys: Sequence[str | None] = (None,)
    """By what work is told apart: names of clients, or of queues; None: all together, or it is not known."""
    conversations: Spans = NO_SPANS
    held_seconds: Numbers = field(default_factory=lambda: np.zeros(0))
    """Of each conversation."""
    holds: Spans = NO_SPANS
    """Those whose times matter; the codes are of conversations."""
    elsewhere: Spans = NO_SPANS
    """Asked by a colleague, or waiting for somebody who is called back; codes mean nothing."""
    wrap_ups: Spans = NO_SPANS
    offers: Mapping[OfferOutcome | None, tuple[Integers, Integers]] = field(default_factory=dict)
    """By how they ended: when each began, and its key."""
    log_ins: Spans = NO_SPANS
    """Codes are of the PBX."""
    breaks: Spans = NO_SPANS
    """Pauses and wrap-ups; codes are of the PBX."""
    pauses: Spans = NO_SPANS
    """Codes are of `reasons`."""
    reasons: Sequence[str] = ()


def work_in(rows: AgentRows, bounds: Integers) -> list[dict[str | None, Work]]:
    """For each part of a period, what was done by key.

    Args:
        rows: what is known of the agent.
        bounds: when the parts begin, in order, and when the last one ends.
    """
    parts, keys = len(bounds) - 1, len(rows.keys)
    cells = parts * keys

    def sums(of: Integers, codes: Integers, values: Numbers | None = None) -> Numbers:
        known = (of >= 0) & (of < parts)
        weights = np.ones(len(of)) if values is None else values
        return np.bincount((of * keys + codes)[known], weights[known], cells).astype(np.float64)

    answered = sums(part_of(rows.conversations.starts, bounds), rows.conversations.codes)
    pieces = cut(rows.conversations, bounds)
    codes = rows.conversations.codes[pieces.of]
    whole = pieces.lengths / SECOND
    hold = np.minimum(_holds(rows, pieces, bounds), whole)
    holds, talks = sums(pieces.parts, codes, hold), sums(pieces.parts, codes, whole - hold)
    after = cut(rows.wrap_ups, bounds)
    wrap_ups = sums(after.parts, rows.wrap_ups.codes[after.of], after.lengths / SECOND)
    offers = {one: sums(part_of(began, bounds), codes) for one, (began, codes) in rows.offers.items()}
    some = (answered > 0) | (holds > 0) | (talks > 0) | (wrap_ups > 0)
    for counts in offers.values():
        some |= counts > 0
    found: list[dict[str | None, Work]] = [{} for _ in range(parts)]
    for cell in np.flatnonzero(some).tolist():
        found[cell // keys][rows.keys[cell % keys]] = Work(
            conversations=int(answered[cell]),
            talk_seconds=float(talks[cell]),
            hold_seconds=float(holds[cell]),
            wrap_up_seconds=float(wrap_ups[cell]),
            offers={one: int(offers[one][cell]) for one in OUTCOMES if one in offers and offers[one][cell]},
        )
    return found


def _holds(rows: AgentRows, pieces: Pieces, bounds: Integers) -> Numbers:
    """Hold time of pieces of conversations, in seconds: by its times where one was cut, and they are known."""
    conversations = rows.conversations
    long = (conversations.ends - conversations.starts)[pieces.of]
    shares = np.divide(pieces.lengths, long, out=np.ones(len(long)), where=long > 0)
    spread: Numbers = rows.held_seconds[pieces.of] * shares
    if not len(rows.holds):
        return spread
    parts = len(bounds) - 1
    placed = cut(rows.holds, bounds)
    cells = rows.holds.codes[placed.of] * parts + placed.parts
    known = np.bincount(cells, weights=placed.lengths / SECOND, minlength=len(conversations) * parts)
    split = (pieces.lengths < long) & np.isin(pieces.of, rows.holds.codes)
    held: Numbers = np.where(split, known[pieces.of * parts + pieces.parts], spread)
    return held


def time_in(rows: AgentRows, bounds: Integers) -> list[Time]:
    """For each part of a period, what the agent's time went into."""
    everything = (rows.conversations, rows.elsewhere, rows.wrap_ups, rows.log_ins, rows.breaks)
    line = Timeline(bounds, everything)
    talking, after = line.covered(rows.conversations), line.covered(rows.wrap_ups)
    elsewhere = line.covered(rows.elsewhere) & ~talking
    free = ~(talking | elsewhere | after)
    logged_in = line.covered(rows.log_ins)
    ready = np.zeros_like(logged_in)
    for pbx in np.unique(rows.log_ins.codes):
        here, away = (line.covered(spans.where(spans.codes == pbx)) for spans in (rows.log_ins, rows.breaks))
        ready |= here & ~away
    available = line.seconds(ready & free)
    others = line.seconds(logged_in & elsewhere)
    paused = _paused(rows, line, logged_in & free & ~ready)
    logged = line.seconds(logged_in)
    return [
        Time(
            logged_in_seconds=float(logged[part]),
            available_seconds=float(available[part]),
            paused_seconds={reason: float(seconds[part]) for reason, seconds in paused.items() if seconds[part]},
            other_seconds=float(others[part]),
        )
        for part in range(len(bounds) - 1)
    ]


def _paused(rows: AgentRows, line: Timeline, steps: NDArray[np.bool_]) -> dict[str, Numbers]:
    """By reason, the seconds of these steps in each part; in the order of the reasons' names."""
    if not len(rows.pauses):
        return {}
    latest = line.latest(rows.pauses)
    codes = sorted(range(len(rows.reasons)), key=lambda code: rows.reasons[code])
    return {rows.reasons[code]: line.seconds(steps & (latest == code)) for code in codes}


def occupancy(work: Work, time: Time) -> float | None:
    """The share of time in which an agent worked, of that in which they worked or were available.

    None of agents who log in nowhere, of whom nobody knows when they were available, and of those who did neither.
    """
    whole = work.handle_seconds + time.available_seconds
    return work.handle_seconds / whole if whole and time.logged_in_seconds else None
