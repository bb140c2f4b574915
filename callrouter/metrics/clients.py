"""What calls count for their client: 19 series each, 800 clients, read by a scrape while calls are live.

prometheus_client's own counters would hold up the loop for 70 ms at every scrape of so many. Here the values are
plain numbers; a scrape copies them at one instant (so that all series tell of the same calls) and makes each sample
only when it is asked for, so that whoever writes the page can pause in between (`exposition`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from callrouter.core.call import Call, Disposition
from callrouter.core.service_level import ServiceCounts, ServiceLevelTarget

MAX_CLIENTS: Final = 5_000
"""Clients with series of their own; reloads for years must not fill Prometheus. The others share `OTHER`."""
OTHER: Final = "(other)"

DISPOSITIONS: Final = {disposition: position for position, disposition in enumerate(Disposition)}
COUNTERS: Final = (
    ("calls_offered", "Calls that ended and had reached human service"),
    ("calls_answered", "Calls bridged to a human: dispositions answered and redirected"),
    ("calls_answered_within", "Calls answered within the client's threshold"),
    ("calls_abandoned", "Calls whose caller left before anybody answered"),
    ("calls_abandoned_within", "Calls abandoned within the client's threshold"),
    ("calls_short_abandoned", "Calls abandoned below the client's limit"),
    ("waiting_seconds", "Time that answered callers waited for a human"),
    ("talk_seconds", "Time callers spoke with a human"),
    ("messages", "Voice messages recorded"),
    ("callbacks_asked", "Wishes of callers to be called back"),
)
(
    _OFFERED,
    _ANSWERED,
    _ANSWERED_WITHIN,
    _ABANDONED,
    _ABANDONED_WITHIN,
    _SHORT_ABANDONED,
    _WAITING,
    _TALK,
    _MESSAGES,
    _CALLBACKS,
) = range(len(DISPOSITIONS), len(DISPOSITIONS) + len(COUNTERS))

_Snapshot = list[tuple[str, tuple[float, ...]]]


def waited_seconds(call: Call) -> float:
    """How long the caller of a journey that is over waited for a human."""
    return max(0.0, call.waiting_seconds(call.clocks.ended_at or call.clocks.ringing_at))


def counts_of(call: Call, target: ServiceLevelTarget) -> ServiceCounts:
    """What one journey that is over adds to the counts of those that reached human service: nothing, if it did not."""
    waited = waited_seconds(call)
    answered = call.offered and call.disposition in (Disposition.ANSWERED, Disposition.REDIRECTED)
    abandoned = call.offered and call.disposition is Disposition.ABANDONED
    within = waited <= target.within_seconds
    return ServiceCounts(
        answered=int(answered),
        abandoned=int(abandoned),
        answered_within=int(answered and within),
        abandoned_within=int(abandoned and within),
        short_abandoned=int(abandoned and waited < target.short_abandon_seconds),
        overflowed=int(call.offered and not answered and not abandoned),
    )


class ClientCounters(Collector):
    """Every client's figures, by client."""

    def __init__(self) -> None:
        self._clients: dict[str, list[float]] = {}

    def ended(self, call: Call, client: str, counts: ServiceCounts) -> None:
        """Count a journey that is over, in all its client's counters together."""
        figures = self._figures(client)
        figures[DISPOSITIONS[call.disposition or Disposition.FAILED]] += 1
        figures[_MESSAGES] += len(call.messages)
        figures[_CALLBACKS] += len(call.callbacks)
        figures[_OFFERED] += counts.offered
        figures[_ANSWERED] += counts.answered
        figures[_ANSWERED_WITHIN] += counts.answered_within
        figures[_ABANDONED] += counts.abandoned
        figures[_ABANDONED_WITHIN] += counts.abandoned_within
        figures[_SHORT_ABANDONED] += counts.short_abandoned
        if counts.answered:
            figures[_WAITING] += waited_seconds(call)
            figures[_TALK] += max(0.0, call.talk_seconds())

    def collect(self) -> Iterable[Metric]:
        """One family for each counter, all of one instant."""
        snapshot: _Snapshot = [(client, tuple(figures)) for client, figures in self._clients.items()]
        calls = CounterMetricFamily("callrouter_calls", "Calls that ended", labels=["client", "disposition"])
        yield made_when_read(calls, _ByDisposition(snapshot))
        for position, (name, documentation) in enumerate(COUNTERS, start=len(DISPOSITIONS)):
            family = CounterMetricFamily(f"callrouter_{name}", documentation, labels=["client"])
            yield made_when_read(family, _OneCounter(f"callrouter_{name}_total", snapshot, position))

    def _figures(self, client: str) -> list[float]:
        figures = self._clients.get(client)
        if figures is None:
            if len(self._clients) >= MAX_CLIENTS and client != OTHER:
                return self._figures(OTHER)
            # All series exist from the client's first call on: the rate of something that is not there is nothing.
            figures = self._clients[client] = [0.0] * (len(DISPOSITIONS) + len(COUNTERS))
        return figures


class _ByDisposition:
    """The samples of `callrouter_calls_total`."""

    def __init__(self, snapshot: _Snapshot) -> None:
        self._snapshot = snapshot

    def __iter__(self) -> Iterator[Sample]:
        for client, values in self._snapshot:
            for disposition, position in DISPOSITIONS.items():
                labels = {"client": client, "disposition": disposition.value}
                yield Sample("callrouter_calls_total", labels, values[position])


class _OneCounter:
    """The samples of a counter that has one for each client."""

    def __init__(self, name: str, snapshot: _Snapshot, position: int) -> None:
        self._name = name
        self._snapshot = snapshot
        self._position = position

    def __iter__(self) -> Iterator[Sample]:
        for client, values in self._snapshot:
            yield Sample(self._name, {"client": client}, values[self._position])


def made_when_read(family: Metric, samples: Iterable[Sample]) -> Metric:
    """A family whose samples are made one by one, as the page is written."""
    family.samples = samples  # type: ignore[assignment]  # whoever reads a family only iterates
    return family
