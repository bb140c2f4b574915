"""The service figures: the six formulas on the same calls, one journey over three queues, and conservation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from callrouter.core.books.ledger import conclude
from callrouter.core.call import (
    Call,
    CallerId,
    CallState,
    Clocks,
    DialAttempt,
    Disposition,
    Message,
    QueueOutcome,
    QueueVisit,
)
from callrouter.core.service_level import (
    Formula,
    ServiceCounts,
    ServiceLevelTarget,
    abandon_rate,
    mean_seconds,
    pickup_rate,
    service_level,
)

GOLDEN = ServiceCounts(answered=1000, abandoned=60, answered_within=860, abandoned_within=20, short_abandoned=10)
OVERFLOWED = structs.replace(GOLDEN, overflowed=40)
"""The same, and 40 callers who left a message after the longest wait."""
FEW = ServiceCounts(answered=2, answered_within=2, overflowed=1, abandoned=0, abandoned_within=0, short_abandoned=0)
NOBODY = structs.replace(FEW, answered=0, answered_within=0)


@pytest.mark.parametrize(
    ("formula", "percent"),
    [
        (Formula.ANSWERED_ONLY, (86.00, 86.00, 100, None)),
        (Formula.EARLY_ABANDON_COUNTS, (83.02, 80.00, 66.67, 0)),
        (Formula.LATE_ABANDON_ONLY, (82.69, 79.63, 66.67, 0)),
        (Formula.SHORT_ABANDON_AS_MET, (82.08, 79.09, 66.67, 0)),
        (Formula.SHORT_ABANDON_EXCLUDED, (81.90, 78.90, 66.67, 0)),
        (Formula.STRICT, (81.13, 78.18, 66.67, 0)),
    ],
)
def test_the_same_calls_give_six_figures(formula: Formula, percent: tuple[float | None, ...]) -> None:
    """1,000 answered, 860 of them within 20 s; 60 abandoned, 20 within 20 s, 10 within 5 s; then with overflowed ones.

    Who waited and ended at a machine was not served: no formula but Asterisk's own says 100 % of two in three.
    """
    shares = [service_level(counts, formula) for counts in (GOLDEN, OVERFLOWED, FEW, NOBODY)]

    assert [None if share is None else round(share * 100, 2) for share in shares] == list(percent)


@pytest.mark.parametrize(
    ("counts", "all_offered", "short_excluded"),
    [(GOLDEN, 94.34, 95.24), (OVERFLOWED, 90.91, 91.74), (FEW, 66.67, 66.67), (NOBODY, 0, 0)],
)
def test_pickup_rates_of_the_same_calls(counts: ServiceCounts, all_offered: float, short_excluded: float) -> None:
    """With and without the short abandons."""
    assert pickup_rate(counts, exclude_short=False) == pytest.approx(all_offered / 100, abs=5e-5)
    assert pickup_rate(counts) == pytest.approx(short_excluded / 100, abs=5e-5)


def test_abandon_rate() -> None:
    """Short abandons leave both sides; who overflowed was offered."""
    assert abandon_rate(GOLDEN) == pytest.approx(50 / 1050)
    assert abandon_rate(OVERFLOWED) == pytest.approx(50 / 1090)
    assert abandon_rate(NOBODY) == 0


def test_nothing_to_share_is_not_zero() -> None:
    """No calls is no figure."""
    nothing = ServiceCounts(answered=0, abandoned=0, answered_within=0, abandoned_within=0, short_abandoned=0)

    assert [service_level(nothing, formula) for formula in Formula] == [None] * 6
    assert pickup_rate(nothing) is None
    assert abandon_rate(nothing) is None
    assert mean_seconds(0.0, 0) is None
    assert mean_seconds(90.0, 3) == 30.0


def test_the_defaults_are_those_that_are_printed() -> None:
    """T = 20 s, short abandons below 5 s and left out of both sides."""
    target = ServiceLevelTarget()

    assert (
        target.within_seconds,
        target.short_abandon_seconds,
        target.formula,
    ) == (20.0, 5.0, Formula.SHORT_ABANDON_EXCLUDED)


def test_three_queues_are_one_journey() -> None:
    """10:00:00 to 10:03:00, answered in the third queue after 2:30 of queueing; 30 s of menus between."""
    ten = datetime(2026, 11, 24, 10, tzinfo=UTC)

    def at(seconds: int) -> datetime:
        return ten + timedelta(seconds=seconds)

    call = Call(
        call_id="1",
        client="a",
        plan_version="1",
        did="+33140000001",
        caller=CallerId(number="+33612340001"),
        state=CallState.CONNECTED,
        clocks=Clocks(ringing_at=at(-5), entered_service_at=ten, bridged_at=at(180)),
        queue_visits=(
            QueueVisit(queue="one", entered_at=ten, left_at=at(60), outcome=QueueOutcome.TIMEOUT),
            QueueVisit(queue="two", entered_at=at(75), left_at=at(135), outcome=QueueOutcome.TIMEOUT),
            QueueVisit(
                queue="three",
                entered_at=at(150),
                answered_at=at(180),
                left_at=at(240),
                agent="anne",
                outcome=QueueOutcome.ANSWERED,
            ),
        ),
    )

    assert conclude(call) is Disposition.ANSWERED
    assert call.waiting_seconds(at(240)) == 150
    assert call.talk_seconds() == 60
    assert call.agent == "anne"
    assert [visit.outcome.overflowed for visit in call.queue_visits if visit.outcome] == [True, True, False]


@st.composite
def _counts(draw: st.DrawFn) -> ServiceCounts:
    """Counts as journeys give them: a short abandon is one within T when the limit is not above T."""
    answered, abandoned = draw(st.integers(0, 10_000)), draw(st.integers(0, 10_000))
    abandoned_within = draw(st.integers(0, abandoned))
    return ServiceCounts(
        answered=answered,
        abandoned=abandoned,
        answered_within=draw(st.integers(0, answered)),
        abandoned_within=abandoned_within,
        short_abandoned=draw(st.integers(0, abandoned_within)),
        overflowed=draw(st.integers(0, 1000)),
    )


@given(_counts())
@settings(derandomize=True)
def test_shares_are_shares_and_strict_is_the_strictest(counts: ServiceCounts) -> None:
    """Between 0 and 1 or nothing; no formula is below `strict`; picked up and abandoned exclude each other."""
    strict = service_level(counts, Formula.STRICT)
    for formula in Formula:
        share = service_level(counts, formula)
        assert share is None or 0 <= share <= 1
        assert share is None or strict is None or share >= strict - 1e-12
    picked_up, given_up = pickup_rate(counts), abandon_rate(counts)
    assert (picked_up is None) == (given_up is None)
    if picked_up is not None and given_up is not None:
        assert picked_up + given_up <= 1 + 1e-12
        assert picked_up + given_up == pytest.approx(1) or counts.overflowed


@given(
    answered=st.booleans(),
    dialled=st.booleans(),
    messages=st.integers(0, 2),
    entered=st.booleans(),
    verdict=st.none() | st.sampled_from([Disposition.REJECTED, Disposition.FAILED]),
    state=st.sampled_from(CallState),
)
@settings(derandomize=True)
def test_every_journey_has_one_disposition(
    answered: bool, dialled: bool, messages: int, entered: bool, verdict: Disposition | None, state: CallState
) -> None:
    """Whatever happened: exactly one of the eight, and answered or redirected exactly when a human was reached."""
    at = datetime(2026, 11, 24, 10, tzinfo=UTC)
    call = Call(
        call_id="1",
        client="a",
        plan_version="1",
        did="d",
        caller=CallerId(),
        state=state,
        verdict=verdict,
        clocks=Clocks(ringing_at=at, entered_service_at=at if entered or answered or dialled else None),
        queue_visits=(QueueVisit(queue="q", entered_at=at, answered_at=at),) if answered else (),
        dials=(DialAttempt(target="t", started_at=at, answered_at=at),) if dialled else (),
        messages=(Message(recording="r", node="n", deliver="", started_at=at, seconds=3),) * messages,
    )

    disposition = conclude(call)

    assert disposition in Disposition
    assert (disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)) == (answered or dialled)
    assert disposition is not Disposition.ABANDONED or call.offered
    assert disposition is not Disposition.LEFT_EARLY or not call.offered
