"""How each client's promise is kept: journeys that count by its formula, and those of them that missed it.

The burn rate of a promise is the share of its calls that missed it over the share that may: 1 is exactly what is
promised. Prometheus makes it of these counters over any window (`deploy/prometheus/recording.yml`):

    (increase(callrouter_promise_missed_total[1h]) / increase(callrouter_promise_calls_total[1h]))
    / (1 - callrouter_promise_target_ratio)

A client in service has its series from the start on, so that the first miss after a restart is seen, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from callrouter.core.service_level import ServiceCounts, ServiceLevelTarget, met_of_counted
from callrouter.metrics.clients import MAX_CLIENTS, OTHER, made_when_read


class PromiseCounters:
    """Calls and misses, by client, since the engine started."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, int]] = {}

    def ended(self, client: str, counts: ServiceCounts, target: ServiceLevelTarget) -> None:
        """Judge a journey by what was promised to whoever walked that version."""
        met, counted = met_of_counted(counts)[target.formula]
        if not counted:
            return
        if client not in self._counted and len(self._counted) >= MAX_CLIENTS:
            client = OTHER
        calls, missed = self._counted.get(client, (0, 0))
        self._counted[client] = (calls + counted, missed + counted - met)

    def by_client(self, in_service: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Calls and misses of those in service, and of whoever had calls."""
        return {**dict.fromkeys(in_service, (0, 0)), **self._counted}


class PromiseCollector(Collector):
    """Those counters, and what is promised now."""

    def __init__(self, counters: PromiseCounters, promised: Callable[[], Mapping[str, float]]) -> None:
        """`promised`: the target of each client in service, 0 to 1."""
        self._counters = counters
        self._promised = promised

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when this is registered: no plan may be in service yet."""
        return []

    def collect(self) -> Iterable[Metric]:
        """All of one instant; samples are made when they are read, as for `ClientCounters`."""
        promised = dict(self._promised())
        counted = self._counters.by_client(promised)
        for place, (name, said) in enumerate(
            (
                ("callrouter_promise_calls", "Calls that count by their client's formula of the service level"),
                ("callrouter_promise_missed", "Those of them that missed what was promised"),
            )
        ):
            values = {client: both[place] for client, both in counted.items()}
            yield by_client(CounterMetricFamily(name, said, labels=["client"]), f"{name}_total", values)
        name = "callrouter_promise_target_ratio"
        said = "Share of calls for which clients in service are promised that they meet it, 0 to 1"
        yield by_client(GaugeMetricFamily(name, said, labels=["client"]), name, promised)


def by_client(family: Metric, name: str, values: Mapping[str, float]) -> Metric:
    """A family with a sample for each client, made one by one as the page is written."""
    return made_when_read(family, _ByClient(name, values))


class _ByClient:
    def __init__(self, name: str, values: Mapping[str, float]) -> None:
        self._name = name
        self._values = values

    def __iter__(self) -> Iterator[Sample]:
        for client, value in self._values.items():
            yield Sample(self._name, {"client": client}, float(value))
