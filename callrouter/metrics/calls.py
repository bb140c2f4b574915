"""The counters that calls move beside their client's own: by queue, by outcome, and in sum."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.registry import CollectorRegistry

WAITING_BUCKETS: Final = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class CallCounters:
    """Counters without a client, as declared to Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def plain(name: str, documentation: str) -> Counter:
            return Counter(f"callrouter_{name}", documentation, registry=registry)

        self.queue_waiting = Histogram(
            "callrouter_queue_waiting_seconds",
            "Waiting time of each visit to a queue, by how it ended",
            ["queue", "outcome"],
            buckets=WAITING_BUCKETS,
            registry=registry,
        )
        self.dials = Counter("callrouter_dials", "Attempts to reach somebody outside", ["outcome"], registry=registry)
        self.offers = Counter(
            "callrouter_offers",
            "Rings of an agent for a caller, by the team's queue and by how they ended; counted when the call ends",
            ["queue", "outcome"],
            registry=registry,
        )
        self.transfers = Counter(
            "callrouter_transfers",
            "Callers whom an agent gave to somebody else, or wanted to: blind, or announced to whom they consulted",
            ["way", "target", "outcome"],
            registry=registry,
        )
        self.transfers_returned = plain(
            "transfers_returned", "Of them those that reached nobody, so that they came back"
        )
        self.unknown_did = plain("unknown_did_calls", "Calls to numbers that no client has")
        self.taken_over = plain("calls_taken_over", "Live calls of another engine that this one went on with")
        self.inputs_refused = plain("inputs_refused", "Inputs that did not fit the state of their call")
        self.legs_vanished = plain("legs_vanished", "Legs that were ended because their media had stopped")
        self.troubles = plain("troubles", "Things that went wrong in calls")
