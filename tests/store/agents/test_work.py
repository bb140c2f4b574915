"""What agents have done in each part of a period is what somebody would count who looked at them every second."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callrouter.core.call import OfferOutcome
from callrouter.store.agents.spans import SECOND, Spans
from callrouter.store.agents.work import AgentRows, Time, Work, occupancy, time_in, work_in

Span = tuple[int, int, int]
KEYS = ("cabinet-moreau", "etude-lenoir", None)
REASONS = ("lunch", "")
LONGEST = 60
"""Seconds of which a walk looks at each."""


def _spans(codes: int) -> st.SearchStrategy[list[Span]]:
    span = st.tuples(st.integers(-5, LONGEST), st.integers(0, 30), st.integers(0, codes - 1))
    return st.lists(span.map(lambda one: (one[0], one[0] + one[1], one[2])), max_size=6)


def _made(spans: Sequence[Span]) -> Spans:
    return Spans.of((began * SECOND, over * SECOND, code) for began, over, code in spans)


@st.composite
def _days(draw: st.DrawFn) -> tuple[AgentRows, dict[str, list[Span]], list[int]]:
    """An agent's rows in seconds, and when the parts of a period begin and end."""
    told = {name: draw(_spans(len(KEYS))) for name in ("conversations", "wrap_ups")}
    told |= {name: draw(_spans(2)) for name in ("log_ins", "elsewhere")}
    told["pauses"] = draw(_spans(len(REASONS)))
    pbxs = draw(st.lists(st.integers(0, 1), min_size=12, max_size=12))
    told["breaks"] = [
        (one[0], one[1], pbx) for one, pbx in zip([*told["pauses"], *told["wrap_ups"]], pbxs, strict=False)
    ]
    told["holds"] = [
        (began + (over - began) // 3, began + 2 * (over - began) // 3, place)
        for place, (began, over, _) in enumerate(told["conversations"])
        if draw(st.booleans())
    ]
    held = np.zeros(len(told["conversations"]))
    for began, over, place in told["holds"]:
        held[place] += over - began
    offers = draw(st.lists(st.tuples(st.integers(0, LONGEST), st.integers(0, 2)), max_size=5))
    told["offers"] = [(at, at, key) for at, key in offers]
    bounds = sorted(draw(st.sets(st.integers(0, LONGEST), min_size=2, max_size=5)))
    offered = _made(told["offers"])
    rows = AgentRows(
        keys=KEYS,
        reasons=REASONS,
        held_seconds=held,
        offers={OfferOutcome.REFUSED: (offered.starts, offered.codes)},
        **{name: _made(spans) for name, spans in told.items() if name != "offers"},
    )
    return rows, told, bounds


def _lasts(spans: Sequence[Span], second: int) -> list[Span]:
    return [one for one in spans if one[0] <= second < one[1]]


def _walked(
    told: dict[str, list[Span]], begins: int, ends: int
) -> tuple[Counter[tuple[str, str | None]], Counter[str]]:
    """What somebody sees who looks every second: of work by key, and of time."""
    work, time = Counter[tuple[str, str | None]](), Counter[str]()
    for second in range(begins, ends):
        work.update(("conversations", KEYS[key]) for began, _, key in told["conversations"] if began == second)
        work.update(("offers", KEYS[key]) for at, _, key in told["offers"] if at == second)
        talking = [place for place, one in enumerate(told["conversations"]) if one in _lasts([one], second)]
        on_hold = {place for _, _, place in _lasts(told["holds"], second)}
        work.update(("hold" if one in on_hold else "talk", KEYS[told["conversations"][one][2]]) for one in talking)
        after = _lasts(told["wrap_ups"], second)
        work.update(("wrap_up", KEYS[key]) for _, _, key in after)
        pbxs = {pbx for _, _, pbx in _lasts(told["log_ins"], second)}
        away = {pbx for _, _, pbx in _lasts(told["breaks"], second)}
        if not pbxs:
            continue
        time["logged_in"] += 1
        if talking:
            continue
        if _lasts(told["elsewhere"], second):
            time["other"] += 1
        elif after:
            continue
        elif pbxs - away:
            time["available"] += 1
        else:
            time[REASONS[max(_lasts(told["pauses"], second), key=lambda one: one[:2])[2]]] += 1
    return work, time


def _second_by_second(told: dict[str, list[Span]], begins: int, ends: int) -> tuple[dict[str | None, Work], Time]:
    work, time = _walked(told, begins, ends)
    by_key = {
        key: Work(
            conversations=work["conversations", key],
            talk_seconds=work["talk", key],
            hold_seconds=work["hold", key],
            wrap_up_seconds=work["wrap_up", key],
            offers={OfferOutcome.REFUSED: count} if (count := work["offers", key]) else {},
        )
        for key in KEYS
    }
    return {key: one for key, one in by_key.items() if one != Work()}, Time(
        logged_in_seconds=time["logged_in"],
        available_seconds=time["available"],
        paused_seconds={reason: time[reason] for reason in sorted(REASONS) if time[reason]},
        other_seconds=time["other"],
    )


def _same_pause(told: dict[str, list[Span]]) -> bool:
    """Two pauses that begin and end together for two reasons: either reason is as good."""
    return len({one[:2] for one in told["pauses"]}) < len(told["pauses"])


@given(_days())
def test_as_counted_every_second(day: tuple[AgentRows, dict[str, list[Span]], list[int]]) -> None:
    """Whatever overlaps what, and wherever a part begins: each has what passed in it."""
    rows, told, bounds = day
    if _same_pause(told):
        told["pauses"] = []
        rows = AgentRows(
            **{name: getattr(rows, name) for name in AgentRows.__dataclass_fields__ if name not in ("pauses", "breaks")}
        )
        told["breaks"] = []
    instants = np.array(bounds, dtype=np.int64) * SECOND
    parts = list(itertools.pairwise(bounds))

    work, time = work_in(rows, instants), time_in(rows, instants)

    for part, (begins, ends) in enumerate(parts):
        expected_work, expected_time = _second_by_second(told, begins, ends)
        assert work[part].keys() == expected_work.keys()
        for key, one in work[part].items():
            assert (one.conversations, one.offers) == (expected_work[key].conversations, expected_work[key].offers)
            assert one.talk_seconds == pytest.approx(expected_work[key].talk_seconds)
            assert one.hold_seconds == pytest.approx(expected_work[key].hold_seconds)
            assert one.wrap_up_seconds == pytest.approx(expected_work[key].wrap_up_seconds)
        assert time[part] == expected_time


@given(_days())
def test_parts_add_up(day: tuple[AgentRows, dict[str, list[Span]], list[int]]) -> None:
    """Days are their month, to the second."""
    rows, _, bounds = day
    parts, whole = np.array(bounds, dtype=np.int64) * SECOND, np.array([bounds[0], bounds[-1]], dtype=np.int64) * SECOND

    added = sum((one for part in work_in(rows, parts) for one in part.values()), start=Work())
    at_once = sum(work_in(rows, whole)[0].values(), start=Work())
    time = sum(time_in(rows, parts), start=Time())

    assert (added.conversations, added.offers) == (at_once.conversations, at_once.offers)
    assert added.talk_seconds == pytest.approx(at_once.talk_seconds)
    assert added.hold_seconds == pytest.approx(at_once.hold_seconds)
    assert added.wrap_up_seconds == pytest.approx(at_once.wrap_up_seconds)
    assert time == time_in(rows, whole)[0]


def test_a_hold_without_its_times_is_spread() -> None:
    """The record of before holds had rows knows how long it was, and not when."""
    talk = Spans.of([(0, 90 * SECOND, 0)])
    rows = AgentRows(conversations=talk, held_seconds=np.array([30.0]))

    before, after = work_in(rows, np.array([0, 60, 100], dtype=np.int64) * SECOND)

    assert (before[None].talk_seconds, before[None].hold_seconds) == (40, 20)
    assert (after[None].talk_seconds, after[None].hold_seconds, after[None].conversations) == (20, 10, 0)


def test_occupancy_needs_somebody_who_logs_in() -> None:
    """Nobody knows when whoever logs in nowhere was available: that is no occupancy of all their time."""
    work = Work(conversations=1, talk_seconds=50, hold_seconds=10, wrap_up_seconds=0)

    assert occupancy(work, Time(logged_in_seconds=100, available_seconds=40)) == 0.6
    assert occupancy(work, Time()) is None
    assert occupancy(Work(), Time(logged_in_seconds=100)) is None
