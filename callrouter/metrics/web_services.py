"""What clients' own systems answer: lookups while a caller waits, and notifications that are delivered."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry

from callrouter.metrics.fast import FastHistogram

LOOKUP_BUCKETS: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
"""A lookup lasts ten seconds at most."""


class OutgoingCounters:
    """Counters of requests, as declared to Prometheus; hosts are those the operator allows, so few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lookups = Counter(
            "callrouter_lookups", "Lookups, by allowed host and how they ended", ["host", "outcome"], registry=registry
        )
        self.lookup_seconds = FastHistogram(
            "callrouter_lookup_seconds", "From asking a web service to its answer, or to giving it up", LOOKUP_BUCKETS
        )
        self.deliveries = Counter(
            "callrouter_notification_attempts",
            "Attempts to deliver a notification, by how they ended",
            ["outcome"],
            registry=registry,
        )
        registry.register(self.lookup_seconds)
