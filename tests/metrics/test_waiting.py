"""Who waits for a human at an instant, and for how long: by client and by queue."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from callrouter.core.call import Call, CallState, DialAttempt, QueueOutcome, QueueVisit, replace
from callrouter.metrics import Sources
from callrouter.metrics.sources import SourceCollector
from callrouter.metrics.waiting import Waiting, WaitingNow, waiting_families, waiting_now
from tests.api.stories import after, answered, live

CLIENTS = ("cabinet-moreau", "etude-lenoir")


def now(*calls: Call, seconds: float = 40.0) -> WaitingNow:
    """At so many seconds after the calls rang; they entered the queue at 12 s."""
    return waiting_now(calls, after(seconds), clients=CLIENTS, queues=("medical", "legal"))


def test_who_waits_is_counted_with_the_longest_wait() -> None:
    found = now(live("1"), live("2", start=after(10)))

    assert found.all == Waiting(2, 28.0)
    assert found.by_client == {"cabinet-moreau": Waiting(2, 28.0), "etude-lenoir": Waiting()}
    assert found.by_queue == {"medical": Waiting(2, 28.0), "legal": Waiting()}


def test_neither_who_talks_nor_who_has_left_waits() -> None:
    talking = replace(live(), queue_visits=(replace(live().queue_visits[0], answered_at=after(20)),))
    in_a_menu = replace(live(), queue_visits=(replace(live().queue_visits[0], left_at=after(20)),))

    assert now(talking, in_a_menu, answered("1"), replace(live(), queue_visits=())).all == Waiting()


def test_who_waits_again_has_waited_in_all() -> None:
    """For the client since the promise's clock began; in the queue since they entered this one, derived or not."""
    before = replace(live().queue_visits[0], left_at=after(22), outcome=QueueOutcome.TIMEOUT)
    again = QueueVisit(queue="legal.x3f", entered_at=after(30))
    found = now(replace(live(), queue_visits=(before, again)))

    assert found.by_client["cabinet-moreau"] == Waiting(1, 20.0)
    assert found.by_queue == {"medical": Waiting(), "legal": Waiting(1, 10.0)}


def test_who_waits_for_somebody_of_the_clients_is_in_no_queue() -> None:
    dial = DialAttempt(target="on_call", started_at=after(35))
    found = now(replace(live(), state=CallState.DIALLING, queue_visits=(), dials=(dial,)))

    assert found.by_client["cabinet-moreau"] == Waiting(1, 5.0)
    assert sum(one.callers for one in found.by_queue.values()) == 0


def test_a_forged_client_makes_no_series() -> None:
    found = now(replace(live(), client="forged"))

    assert found.all.callers == 1
    assert set(found.by_client) == set(CLIENTS)


class _Families(Collector):
    def __init__(self, found: WaitingNow) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        return waiting_families(self._found)


def test_prometheus_reads_it() -> None:
    registry = CollectorRegistry()
    registry.register(_Families(now(live())))

    value = registry.get_sample_value
    assert value("callrouter_callers_waiting") == 1
    assert value("callrouter_callers_waiting_oldest_seconds") == 28
    assert value("callrouter_client_callers_waiting", {"client": "cabinet-moreau"}) == 1
    assert value("callrouter_client_callers_waiting_oldest_seconds", {"client": "etude-lenoir"}) == 0
    assert value("callrouter_queue_callers_waiting", {"queue": "medical"}) == 1
    assert value("callrouter_queue_callers_waiting_oldest_seconds", {"queue": "medical"}) == 28


def test_what_nobody_knows_has_no_sample() -> None:
    """Not zero: while Asterisk is not heard callers may wait."""
    registry = CollectorRegistry()
    registry.register(SourceCollector(Sources(waiting=lambda: None, staff=lambda: None, today=lambda: None)))

    assert [*registry.collect()] == []
