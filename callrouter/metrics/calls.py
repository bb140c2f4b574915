"""The counters that calls move, and each client's own children of them."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.registry import CollectorRegistry

from callrouter.core.call import Call, Disposition
from callrouter.core.service_level import ServiceLevelTarget

WAITING_BUCKETS: Final = (2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)


class CallCounters:
    """Every counter fed by facts, as declared to Prometheus."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def by_client(name: str, documentation: str) -> Counter:
            return Counter(f"callrouter_{name}", documentation, ["client"], registry=registry)

        def plain(name: str, documentation: str) -> Counter:
            return Counter(f"callrouter_{name}", documentation, registry=registry)

        self.calls = Counter("callrouter_calls", "Calls that ended", ["client", "disposition"], registry=registry)
        self.offered = by_client("calls_offered", "Calls that ended and had reached human service")
        self.answered = by_client("calls_answered", "Calls bridged to a human: dispositions answered and redirected")
        self.answered_within = by_client("calls_answered_within", "Calls answered within the client's threshold")
        self.abandoned = by_client("calls_abandoned", "Calls whose caller left before anybody answered")
        self.abandoned_within = by_client("calls_abandoned_within", "Calls abandoned within the client's threshold")
        self.short_abandoned = by_client("calls_short_abandoned", "Calls abandoned below the client's limit")
        self.waiting = by_client("waiting_seconds", "Time that answered callers waited for a human")
        self.talk = by_client("talk_seconds", "Time callers spoke with a human")
        self.messages = by_client("messages", "Voice messages recorded")
        self.queue_waiting = Histogram(
            "callrouter_queue_waiting_seconds",
            "Waiting time of each visit to a queue, by how it ended",
            ["queue", "outcome"],
            buckets=WAITING_BUCKETS,
            registry=registry,
        )
        self.dials = Counter("callrouter_dials", "Attempts to reach somebody outside", ["outcome"], registry=registry)
        self.unknown_did = plain("unknown_did_calls", "Calls to numbers that no client has")
        self.inputs_refused = plain("inputs_refused", "Inputs that did not fit the state of their call")
        self.troubles = plain("troubles", "Things that went wrong in calls")


class ClientFigures:
    """One client's children of the counters."""

    def __init__(self, counters: CallCounters, client: str) -> None:
        # All of them exist from the client's first call on: a rate of something that is not there is nothing.
        self._dispositions = {one: counters.calls.labels(client, one.value) for one in Disposition}
        self._offered = counters.offered.labels(client)
        self._answered = counters.answered.labels(client)
        self._answered_within = counters.answered_within.labels(client)
        self._abandoned = counters.abandoned.labels(client)
        self._abandoned_within = counters.abandoned_within.labels(client)
        self._short_abandoned = counters.short_abandoned.labels(client)
        self._waiting = counters.waiting.labels(client)
        self._talk = counters.talk.labels(client)
        self.messages = counters.messages.labels(client)

    def ended(self, call: Call, target: ServiceLevelTarget) -> None:
        """Count a journey that is over, in all its counters together."""
        disposition = call.disposition or Disposition.FAILED
        self._dispositions[disposition].inc()
        if call.offered:
            self._offered.inc()
        waited_seconds = call.waiting_seconds(call.clocks.ended_at or call.clocks.ringing_at)
        if disposition in (Disposition.ANSWERED, Disposition.REDIRECTED):
            self._answered.inc()
            self._waiting.inc(max(0.0, waited_seconds))
            self._talk.inc(max(0.0, call.talk_seconds()))
            if waited_seconds <= target.within_seconds:
                self._answered_within.inc()
        elif disposition is Disposition.ABANDONED:
            self._abandoned.inc()
            if waited_seconds <= target.within_seconds:
                self._abandoned_within.inc()
            if waited_seconds < target.short_abandon_seconds:
                self._short_abandoned.inc()
