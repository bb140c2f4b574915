"""Calls that count by a client's own formula, and those that missed it: the service level, call by call."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from callrouter.core.call import Call, Disposition, replace
from callrouter.core.facts import CallEnded
from callrouter.core.service_level import (
    Formula,
    ServiceCounts,
    ServiceLevelTarget,
    met_of_counted,
    service_level,
)
from callrouter.metrics import EngineMetrics, Sources
from callrouter.metrics.clients import MAX_CLIENTS, OTHER, counts_of
from callrouter.metrics.promises import PromiseCounters
from tests.api.stories import abandoned, answered, live, message_left

# kpi.md's B: 1,000 answered (860 within 20 s), 60 abandoned (20 within 20 s, 10 within 5 s), 40 overflowed.
CALLS = (
    [answered("a", wait=10)] * 860
    + [answered("b", wait=30)] * 140
    + [abandoned("c", wait=3)] * 10
    + [abandoned("d", wait=15)] * 10
    + [abandoned("e", wait=40)] * 40
    + [message_left("f")] * 40
)
LEVELS = {
    Formula.ANSWERED_ONLY: "86.00%",
    Formula.EARLY_ABANDON_COUNTS: "80.00%",
    Formula.LATE_ABANDON_ONLY: "79.63%",
    Formula.SHORT_ABANDON_AS_MET: "79.09%",
    Formula.SHORT_ABANDON_EXCLUDED: "78.90%",
    Formula.STRICT: "78.18%",
}


def counted(calls: list[Call], target: ServiceLevelTarget) -> tuple[float | None, float | None, float | None]:
    """Calls, misses and target as Prometheus reads them."""
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="", target_of=lambda _: target)
    metrics.watch(Sources(promised=lambda: {"cabinet-moreau": target.target}))
    metrics.observe([CallEnded(call=call) for call in calls])
    labels = {"client": "cabinet-moreau"}
    return (
        registry.get_sample_value("callrouter_promise_calls_total", labels),
        registry.get_sample_value("callrouter_promise_missed_total", labels),
        registry.get_sample_value("callrouter_promise_target_ratio", labels),
    )


@pytest.mark.parametrize("formula", Formula)
def test_the_counters_give_the_service_level_of_every_formula(formula: Formula) -> None:
    calls, missed, target = counted(CALLS, ServiceLevelTarget(formula=formula, target=0.9))

    assert calls is not None
    assert missed is not None
    assert f"{1 - missed / calls:.2%}" == LEVELS[formula]
    assert target == 0.9


@pytest.mark.parametrize("formula", Formula)
def test_judged_one_by_one_calls_are_judged_as_all_together(formula: Formula) -> None:
    target = ServiceLevelTarget(formula=formula)
    counts = [counts_of(call, target) for call in CALLS]
    together = ServiceCounts(
        answered=sum(one.answered for one in counts),
        abandoned=sum(one.abandoned for one in counts),
        answered_within=sum(one.answered_within for one in counts),
        abandoned_within=sum(one.abandoned_within for one in counts),
        short_abandoned=sum(one.short_abandoned for one in counts),
        overflowed=sum(one.overflowed for one in counts),
    )
    met, count = met_of_counted(together)[formula]

    assert (met, count) == tuple(map(sum, zip(*(met_of_counted(one)[formula] for one in counts), strict=True)))
    assert service_level(together, formula) == met / count


def test_a_client_in_service_has_its_series_before_its_first_call() -> None:
    """Else `increase` would not see the first miss after a start."""
    assert counted([], ServiceLevelTarget()) == (0, 0, 0.8)


def test_calls_that_never_reached_service_do_not_count() -> None:
    early = replace(live(), clocks=replace(live().clocks, entered_service_at=None), disposition=Disposition.LEFT_EARLY)

    assert counted([early], ServiceLevelTarget(formula=Formula.STRICT)) == (0, 0, 0.8)


def test_clients_without_end_share_one_series() -> None:
    counters = PromiseCounters()
    target = ServiceLevelTarget()
    for number in range(MAX_CLIENTS + 5):
        counters.ended(f"client-{number}", counts_of(answered("1"), target), target)

    found = counters.by_client([])
    assert (len(found), found[OTHER]) == (MAX_CLIENTS + 1, (5, 0))
