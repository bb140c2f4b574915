"""What web services answer while a caller waits."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry

from callrouter.metrics.fast import FastHistogram

LOOKUP_BUCKETS: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""A lookup lasts ten seconds at most."""


class LookupCounters:
    """As declared to Prometheus.

    A service is the place of its host in CALLROUTER_OUTGOING_HOSTS, so they are few: /metrics names no host.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "callrouter_lookups",
            "Lookups, by place of the host in CALLROUTER_OUTGOING_HOSTS and how they ended",
            ["service", "outcome"],
            registry=registry,
        )
        self.seconds = FastHistogram(
            "callrouter_lookup_seconds", "From asking a web service to its answer, or to giving it up", LOOKUP_BUCKETS
        )
        registry.register(self.seconds)
