"""How attempts to deliver end, by whatever channel."""

from __future__ import annotations

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry


class DeliveryCounters:
    """As declared to Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.attempts = Counter(
            "callrouter_notification_attempts",
            "Attempts to deliver a notification, by how they ended",
            ["outcome"],
            registry=registry,
        )
