"""All figures of one engine: an Observer of facts, and two cheap methods for the path of live calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import Gauge, GCCollector, Info, ProcessCollector, disable_created_metrics
from prometheus_client.registry import CollectorRegistry

from callrouter.core.agents.preference import team_of
from callrouter.core.call import GIVEN_BACK, Call, QueueVisit
from callrouter.core.facts import (
    CallEnded,
    CallTakenOver,
    CallTransferred,
    DialFinished,
    Fact,
    InputRefused,
    QueueEnded,
    TroubleMet,
)
from callrouter.core.service_level import ServiceLevelTarget
from callrouter.dialplan import UNKNOWN_CLIENT
from callrouter.metrics.calls import CallCounters
from callrouter.metrics.clients import OTHER, ClientCounters, counts_of
from callrouter.metrics.fast import FastHistogram
from callrouter.metrics.lookups import LookupCounters
from callrouter.metrics.promises import PromiseCollector, PromiseCounters
from callrouter.metrics.shown_numbers import ShownNumbers
from callrouter.metrics.sources import SourceCollector, Sources

ROUND_TRIP_BUCKETS: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
DECISION_BUCKETS: Final = (0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.01)

_DEFAULT_TARGET: Final = ServiceLevelTarget()


class EngineMetrics:
    """All figures of one engine.

    Args:
        registry: where they are registered; the /metrics page shows it.
        version: of callrouter, for `callrouter_build_info`.
        target_of: what the version of the plan promised that the call walked; None when the client is unknown.
    """

    interests: Final[frozenset[type[Fact]]] = frozenset(
        {CallEnded, CallTakenOver, CallTransferred, DialFinished, QueueEnded, InputRefused, TroubleMet}
    )

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        version: str,
        target_of: Callable[[Call], ServiceLevelTarget | None],
    ) -> None:
        # The text format would show each series' birth as a series of its own: twice as many, of use to nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._target_of = target_of
        self._clients = ClientCounters()
        registry.register(self._clients)
        self._promises = PromiseCounters()
        self._counters = CallCounters(registry)
        self.shown_numbers = ShownNumbers()
        """Calls by the number dialled and by what they show of the caller, since the engine started."""
        registry.register(self.shown_numbers)
        self._round_trip = FastHistogram(
            "callrouter_control_round_trip_seconds",
            "From writing a command that Asterisk answers at once to reading its result",
            ROUND_TRIP_BUCKETS,
        )
        self._decision = FastHistogram(
            "callrouter_decision_seconds", "One step of the engine's core, without performing it", DECISION_BUCKETS
        )
        registry.register(self._round_trip)
        registry.register(self._decision)
        self._lookups = LookupCounters(registry)
        self._queues_different = Gauge(
            "callrouter_queues_different", "Queues of the folder that Asterisk has otherwise", registry=registry
        )
        self._phones_missing = Gauge(
            "callrouter_phones_missing", "Telephones of agents that Asterisk lacks", registry=registry
        )
        self._addresses = Gauge(
            "callrouter_carrier_addresses", "Carriers' addresses at which numbers are dialled", registry=registry
        )
        self._addresses_away = Gauge(
            "callrouter_carrier_addresses_away", "Of them those that do not answer", registry=registry
        )
        self._registrations_failed = Gauge(
            "callrouter_registrations_failed", "Accounts that a carrier does not register", registry=registry
        )
        self._queues_missing = Gauge(
            "callrouter_queues_missing", "Queues that trees name and Asterisk lacks", registry=registry
        )
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        Info("callrouter_build", "Release that runs", registry=registry).info({"version": version})

    def observe_round_trip(self, seconds: float) -> None:
        """Count one control round trip."""
        self._round_trip.observe(seconds)

    def observe_decision(self, seconds: float) -> None:
        """Count one decision of the core."""
        self._decision.observe(seconds)

    def observe_lookup(self, service: str, outcome: str, seconds: float) -> None:
        """Count one lookup; `service` is the place of the host in the operator's list, or `other`."""
        self._lookups.ended.labels(service, outcome).inc()
        self._lookups.seconds.observe(seconds)

    def leg_vanished(self) -> None:
        """Count one leg that was ended because its media had stopped."""
        self._counters.legs_vanished.inc()

    def queues_checked(self, missing: int, different: int, phones_missing: int) -> None:
        """After each comparison with the PBX: how many queues that trees name it lacks, how many it has otherwise, and
        how many agents' telephones it lacks.
        """
        self._queues_missing.set(missing)
        self._queues_different.set(different)
        self._phones_missing.set(phones_missing)

    def trunk_checked(self, addresses: int, away: int, unregistered: int) -> None:
        """After each look: at how many addresses of carriers numbers are dialled, how many of them are away, and how
        many accounts are not registered.
        """
        self._addresses.set(addresses)
        self._addresses_away.set(away)
        self._registrations_failed.set(unregistered)

    def watch(self, sources: Sources) -> None:
        """Also show what others count; call it once, when they exist."""
        self._registry.register(SourceCollector(sources))
        if sources.promised is not None:
            self._registry.register(PromiseCollector(self._promises, sources.promised))

    def observe(self, facts: Sequence[Fact]) -> None:
        """The Observer port."""
        for fact in facts:
            match fact:
                case CallEnded(call=call):
                    self._call_ended(call)
                case QueueEnded(visit=visit):
                    self._queue_ended(visit)
                case DialFinished(dial=dial):
                    self._counters.dials.labels(dial.outcome.value if dial.outcome else OTHER).inc()
                case CallTransferred(kind=kind, announced=announced, refusal=refusal):
                    way, outcome = "announced" if announced else "blind", "refused" if refusal else "done"
                    self._counters.transfers.labels(way, kind or OTHER, outcome).inc()
                case CallTakenOver():
                    self._counters.taken_over.inc()
                case InputRefused():
                    self._counters.inputs_refused.inc()
                case TroubleMet():
                    self._counters.troubles.inc()
                case _:
                    pass

    def _call_ended(self, call: Call) -> None:
        target = self._target_of(call)
        client, target = call.client if target else OTHER, target or _DEFAULT_TARGET
        counts = counts_of(call, target)
        self._clients.ended(call, client, counts)
        self._promises.ended(client, counts, target)
        for offer in call.offers:
            outcome = offer.outcome.value if offer.outcome else OTHER
            self._counters.offers.labels(team_of(offer.queue), outcome).inc()
        self._counters.transfers_returned.inc(sum(visit.exit == GIVEN_BACK for visit in call.visits))
        self.shown_numbers.ended(call)
        if call.client == UNKNOWN_CLIENT:
            self._counters.unknown_did.inc()

    def _queue_ended(self, visit: QueueVisit) -> None:
        ended_at = visit.left_at or visit.answered_at or visit.entered_at
        outcome = visit.outcome.value if visit.outcome else OTHER
        self._counters.queue_waiting.labels(team_of(visit.queue), outcome).observe(visit.waiting_seconds(ended_at))
