"""A real Prometheus scrapes a real engine application, and its queries give the figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

import callrouter.metrics as metrics_package
from callrouter.api.engine_app import create_engine_app
from callrouter.core.facts import CallEnded, QueueEnded
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.metrics import DialplanMetrics, EngineMetrics, Sources
from tests.scraping import ask, prometheus, until

from .serving import make_gate, serving
from .stories import abandoned, answered


async def test_prometheus_scrapes_and_answers(tmp_path: Path, free_port: Callable[[], int]) -> None:
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: ServiceLevelTarget())
    metrics.watch(Sources(live_calls=lambda: 3, link_up=lambda: True))
    metrics.observe_round_trip(0.00012)
    for call in (answered("1"), answered("2", wait=30), abandoned("3", wait=9), abandoned("4", wait=2)):
        metrics.observe([QueueEnded(call=call, visit=call.queue_visits[0]), CallEnded(call=call)])
    app = create_engine_app([], registry, {}, gate=make_gate())

    async with (
        serving(app) as base,
        prometheus(tmp_path, free_port(), base.removeprefix("http://")) as client,
    ):
        (up,) = await until(client, 'up{job="callrouter-engine"} == 1')
        (live,) = await until(client, "callrouter_live_calls")
        (level,) = await ask(
            client,
            "sum by (client) (callrouter_calls_answered_within_total)"
            " / (sum by (client) (callrouter_calls_answered_total)"
            " + sum by (client) (callrouter_calls_abandoned_total)"
            " - sum by (client) (callrouter_calls_short_abandoned_total))",
        )
        (p50,) = await ask(client, "histogram_quantile(0.5, callrouter_control_round_trip_seconds_bucket)")

    assert up["value"][1] == "1"
    assert live["value"][1] == "3"
    assert level["metric"] == {"client": "cabinet-moreau"}
    assert float(level["value"][1]) == pytest.approx(1 / 3)
    assert 0.0001 < float(p50["value"][1]) <= 0.0002


async def test_a_renamed_client_goes_on_in_prometheus(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """By the query that `callrouter.metrics` gives, here of counts since the start instead of increases."""
    registry = CollectorRegistry()
    metrics = EngineMetrics(registry, version="0.1.0", target_of=lambda _call: ServiceLevelTarget())
    dialplans = DialplanMetrics(registry)
    for renamed in ([("cabinet-moreau", "other")], [("cabinet-moreau", "cabinet-martin")]):  # the last load counts
        dialplans.loaded(complete=True, plans=1, issues=0, at_seconds=0.0, renamed=renamed)
    for call in (answered("1"), answered("2", client="cabinet-martin"), answered("3", client="cabinet-martin")):
        metrics.observe([CallEnded(call=call)])
    app = create_engine_app([], registry, {}, gate=make_gate())
    documented = (metrics_package.__doc__ or "").split("    sum by (client) (\n")[1].split("\n\n")[0]
    query = re.sub(r"increase\((\w+)\[30d\]\)", r"\1", f"sum by (client) (\n{documented}")

    async with (
        serving(app) as base,
        prometheus(tmp_path, free_port(), base.removeprefix("http://")) as client,
    ):
        await until(client, 'up{job="callrouter-engine"} == 1')
        found = await ask(client, query)

    assert {one["metric"]["client"]: one["value"][1] for one in found} == {"cabinet-moreau": "3", "cabinet-martin": "2"}
