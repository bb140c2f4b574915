"""What web services answer while a caller waits."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry

from callrouter.metrics.fast import FastHistogram

LOOKUP_BUCKETS: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""A lookup lasts ten seconds at most."""


class LookupCounters:
    """As declared to Prometheus; hosts are those the operator allows, so few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "callrouter_lookups", "Lookups, by allowed host and how they ended", ["host", "outcome"], registry=registry
        )
        self.seconds = FastHistogram(
            "callrouter_lookup_seconds", "From asking a web service to its answer, or to giving it up", LOOKUP_BUCKETS
        )
        registry.register(self.seconds)
