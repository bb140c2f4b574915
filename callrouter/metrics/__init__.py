"""Prometheus figures of the engine, on a registry it is given; listens to facts as an Observer.

A journey is counted once, when it ends, in all its counters together, so that every rate divides counts of the same
journeys. Over any window, for a client (or, without `by (client)`, for everybody):

    pickup rate          sum by (client) (increase(callrouter_calls_answered_total[1d]))
                       / sum by (client) (increase(callrouter_calls_offered_total[1d]))
    the same, short abandons left out
                         sum by (client) (increase(callrouter_calls_answered_total[1d]))
                       / (sum by (client) (increase(callrouter_calls_offered_total[1d]))
                        - sum by (client) (increase(callrouter_calls_short_abandoned_total[1d])))
    service level (short_abandon_excluded, the default)
                         sum by (client) (increase(callrouter_calls_answered_within_total[1d]))
                       / (sum by (client) (increase(callrouter_calls_answered_total[1d]))
                        + sum by (client) (increase(callrouter_calls_abandoned_total[1d]))
                        - sum by (client) (increase(callrouter_calls_short_abandoned_total[1d])))
    abandon rate         (abandoned - short_abandoned) / (offered - short_abandoned)
    ASA                  increase(callrouter_waiting_seconds_total[1d]) / increase(callrouter_calls_answered_total[1d])
    queue waiting, p95   histogram_quantile(0.95,
                           sum by (le, queue) (rate(callrouter_queue_waiting_seconds_bucket[1h])))

"Within" is each client's own threshold, as its plan said when the call began. Label values are bounded: clients and
queues come from the dialplans in service, outcomes from enums. Queue waiting is by queue (tens of them) and not by
client (800 of them, times the buckets).
"""

from __future__ import annotations

from callrouter.metrics.engine import EngineMetrics
from callrouter.metrics.exposition import CONTENT_TYPE, exposition
from callrouter.metrics.sources import LinkCounters, Sources, WriterCounters

__all__ = ["CONTENT_TYPE", "EngineMetrics", "LinkCounters", "Sources", "WriterCounters", "exposition"]
