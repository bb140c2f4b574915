"""What the record says of today: each client's figures so far, and callbacks that are open.

Counters begin at zero with each engine; these are read from PostgreSQL, and an engine that has just started shows the
whole day. While PostgreSQL is away there are no samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from callrouter.metrics.promises import by_client


class ClientToday(Protocol):
    """A client's day so far, as `callrouter stats --from today` has it (`store.figures.today`)."""

    @property
    def received(self) -> int: ...
    @property
    def offered(self) -> int: ...
    @property
    def answered(self) -> int: ...
    @property
    def abandoned(self) -> int: ...
    @property
    def service_level(self) -> float | None: ...


class TodaysFigures(Protocol):
    """Everybody's."""

    @property
    def clients(self) -> Mapping[str, ClientToday]: ...
    @property
    def gap_seconds(self) -> float:
        """For how long nobody watched today, on the operator's clocks: calls of that time may be missing."""
        ...


class CallbackWishes(Protocol):
    """Callers' wishes to be called back (`store.outgoing.watch`)."""

    @property
    def open(self) -> Mapping[str, int]:
        """By client; those without any are left out."""
        ...

    @property
    def oldest_seconds(self) -> Mapping[str, float]:
        """For how long the oldest of them has been open, by client."""
        ...

    @property
    def recent(self) -> Mapping[str, int]:
        """Wishes of the last 24 hours, by what became of them; every outcome there is."""
        ...


_TODAY: Final = (
    ("callrouter_today_calls", "received", "Calls of the client's day so far, on the client's clocks"),
    ("callrouter_today_offered_calls", "offered", "Those of them that reached human service"),
    ("callrouter_today_answered_calls", "answered", "Those of them that were bridged to a human"),
    ("callrouter_today_abandoned_calls", "abandoned", "Those whose caller left before anybody answered"),
)


def today_families(today: TodaysFigures) -> Iterator[Metric]:
    """As Prometheus reads them; of clients that had calls today."""
    for name, attribute, said in _TODAY:
        values = {client: float(getattr(its, attribute)) for client, its in today.clients.items()}
        yield by_client(GaugeMetricFamily(name, said, labels=["client"]), name, values)
    name = "callrouter_today_service_level_ratio"
    said = "Service level of the client's day so far, by its own formula; none before a call that counts"
    levels = {client: level for client, its in today.clients.items() if (level := its.service_level) is not None}
    yield by_client(GaugeMetricFamily(name, said, labels=["client"]), name, levels)
    said = "For how long nobody watched today: calls of that time may be missing in today's figures"
    yield GaugeMetricFamily("callrouter_today_gap_seconds", said, value=today.gap_seconds)


def wish_families(wishes: CallbackWishes, in_service: Iterable[str]) -> Iterator[Metric]:
    """As Prometheus reads them; of clients in service also that nobody is to be called back."""
    said = "Callers who are to be called back"
    yield GaugeMetricFamily("callrouter_callbacks_open", said, value=sum(wishes.open.values()))
    said = "For how long the first of them has waited; 0 without any"
    oldest_seconds = max(wishes.oldest_seconds.values(), default=0.0)
    yield GaugeMetricFamily("callrouter_callbacks_oldest_seconds", said, value=oldest_seconds)
    clients = tuple(in_service)
    for name, said, found in (
        ("callrouter_client_callbacks_open", "A client's callers who are to be called back", wishes.open),
        (
            "callrouter_client_callbacks_oldest_seconds",
            "For how long the first of them has waited; 0 without any",
            wishes.oldest_seconds,
        ),
    ):
        values = {client: float(found.get(client, 0)) for client in clients}
        yield by_client(GaugeMetricFamily(name, said, labels=["client"]), name, values)
    recent = GaugeMetricFamily(
        "callrouter_callbacks_recent", "Wishes of the last 24 hours, by what became of them", labels=["outcome"]
    )
    for outcome, count in wishes.recent.items():
        recent.add_metric([outcome], count)
    yield recent
