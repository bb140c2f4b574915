"""Callers who wait for a human at the instant of a scrape: by client, and by the team's queue.

A client's caller waits in a queue, or while somebody of the client's is rung; how long is the wait that the promise is
judged by, over all queues and dials of the call, menus between them excluded. In a queue it is since they entered it.

Whether callers wait is known while Asterisk is heard only: otherwise there are no samples at all, and no zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from callrouter.core.agents.preference import team_of
from callrouter.core.call import Call
from callrouter.metrics.promises import by_client


@dataclass(slots=True)
class Waiting:
    """Some callers who wait."""

    callers: int = 0
    oldest_seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """One more, who has waited for so long."""
        self.callers += 1
        self.oldest_seconds = max(self.oldest_seconds, seconds)


@dataclass(kw_only=True)
class WaitingNow:
    """All of them."""

    all: Waiting = field(default_factory=Waiting)
    by_client: dict[str, Waiting] = field(default_factory=dict)
    by_queue: dict[str, Waiting] = field(default_factory=dict)


def waiting_now(calls: Iterable[Call], at: datetime, *, clients: Iterable[str], queues: Iterable[str]) -> WaitingNow:
    """Who waits at that instant; of these clients and queues also that nobody does."""
    found = WaitingNow(
        by_client={client: Waiting() for client in clients}, by_queue={queue: Waiting() for queue in queues}
    )
    for call in calls:
        visit = call.queue_visits[-1] if call.queue_visits else None
        in_queue = visit is not None and visit.answered_at is None and visit.left_at is None
        dial = call.dials[-1] if call.dials else None
        rung_for = dial is not None and dial.answered_at is None and dial.ended_at is None
        if call.ended or not (in_queue or rung_for):
            continue
        waited_seconds = call.waiting_seconds(at)
        found.all.add(waited_seconds)
        # Of what no client in service has, the number alone counts: forged names make no series.
        if (own := found.by_client.get(call.client)) is not None:
            own.add(waited_seconds)
        if visit is not None and in_queue:
            found.by_queue.setdefault(team_of(visit.queue), Waiting()).add(visit.waiting_seconds(at))
    return found


def waiting_families(now: WaitingNow) -> Iterator[Metric]:
    """As Prometheus reads them."""
    said = "Callers who wait for a human now, in a queue or while somebody of the client's is rung"
    yield GaugeMetricFamily("callrouter_callers_waiting", said, value=now.all.callers)
    said = "For how long the one who has waited longest has; 0 while nobody waits"
    yield GaugeMetricFamily("callrouter_callers_waiting_oldest_seconds", said, value=now.all.oldest_seconds)
    yield from _of_clients(now.by_client)
    callers = GaugeMetricFamily("callrouter_queue_callers_waiting", "Callers who wait in a queue now", labels=["queue"])
    said = "For how long the first of them has been in the queue; 0 while nobody is"
    oldest = GaugeMetricFamily("callrouter_queue_callers_waiting_oldest_seconds", said, labels=["queue"])
    for queue, waiting in now.by_queue.items():
        callers.add_metric([queue], waiting.callers)
        oldest.add_metric([queue], waiting.oldest_seconds)
    yield callers
    yield oldest


def _of_clients(by_name: Mapping[str, Waiting]) -> Iterator[Metric]:
    name, said = "callrouter_client_callers_waiting", "A client's callers who wait for a human now"
    family = GaugeMetricFamily(name, said, labels=["client"])
    yield by_client(family, name, {client: one.callers for client, one in by_name.items()})
    name = "callrouter_client_callers_waiting_oldest_seconds"
    said = "For how long the one of them who has waited longest has; 0 while nobody waits"
    family = GaugeMetricFamily(name, said, labels=["client"])
    yield by_client(family, name, {client: one.oldest_seconds for client, one in by_name.items()})
