"""How many calls to each number show who calls, and why the others do not.

A client whose forwarding strips what authenticates a caller has more callers without a number than others: this is
where it shows, by the number dialled. Counted since the engine started; the record has every call's `presentation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from callrouter.core.call import Call, Presentation
from callrouter.dialplan import UNKNOWN_CLIENT
from callrouter.metrics.clients import OTHER, made_when_read

MAX_DIDS: Final = 10_000
"""Numbers with series of their own; the others, and those that no client has, share `OTHER`."""
_PRESENTATIONS: Final = tuple(Presentation)


class ShownNumbers(Collector):
    """Calls that ended, by the number dialled and by whether the caller's is shown."""

    def __init__(self) -> None:
        self._dids: dict[str, dict[Presentation, int]] = {}
        self._clients: dict[str, str] = {}

    def ended(self, call: Call) -> None:
        """Count a journey that is over."""
        did = call.did if call.client != UNKNOWN_CLIENT else OTHER
        if did not in self._dids and len(self._dids) >= MAX_DIDS:
            did = OTHER
        counts = self._dids.setdefault(did, dict.fromkeys(_PRESENTATIONS, 0))
        counts[call.caller.without_number or Presentation.ALLOWED] += 1
        self._clients[did] = call.client

    def by_did(self) -> Iterator[tuple[str, str, Mapping[Presentation, int]]]:
        """Each number that clients have and somebody dialled, its client, and its calls by what they show."""
        for did, counts in self._dids.items():
            if did != OTHER:
                yield did, self._clients[did], counts

    def collect(self) -> Iterable[Metric]:
        """All of one instant; samples are made when they are read, as for `ClientCounters`."""
        snapshot = [(did, tuple(counts.values())) for did, counts in self._dids.items()]
        family = CounterMetricFamily(
            "callrouter_did_calls",
            "Calls that ended, by the number dialled and by whether the caller's number is shown",
            labels=["did", "presentation"],
        )
        yield made_when_read(family, _Samples(snapshot))


class _Samples:
    def __init__(self, snapshot: list[tuple[str, tuple[int, ...]]]) -> None:
        self._snapshot = snapshot

    def __iter__(self) -> Iterator[Sample]:
        for did, counts in self._snapshot:
            for presentation, count in zip(_PRESENTATIONS, counts, strict=True):
                labels = {"did": did, "presentation": presentation.value}
                yield Sample("callrouter_did_calls_total", labels, float(count))
