"""Prometheus figures of the engine, on a registry it is given; listens to facts as an Observer.

`engine` holds all of them and observes: `clients` counts journeys by client, `shown_numbers` by the number dialled and
what is shown of the caller, `calls` what has no client, `lookups` what clients' own systems answer;
`promises` what each client is promised and how often it was missed, `dialplans` what their files are like; `sources`
reads at each scrape what others count anyway, `waiting` who waits, `staff` what agents are doing, `recorded` what the
record says of today. `fast` is a histogram
cheap enough for the path of live calls, `exposition` writes the page without holding up the loop.

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
                       / (sum by (client) (increase(callrouter_calls_offered_total[1d]))
                        - sum by (client) (increase(callrouter_calls_short_abandoned_total[1d])))
    abandon rate         (abandoned - short_abandoned) / (offered - short_abandoned)
    ASA                  increase(callrouter_waiting_seconds_total[1d]) / increase(callrouter_calls_answered_total[1d])
    queue waiting, p95   histogram_quantile(0.95,
                           sum by (le, queue) (rate(callrouter_queue_waiting_seconds_bucket[1h])))

A client that was renamed begins new series. Over a window that holds the change, with those of the names it had:

    sum by (client) (
        increase(callrouter_calls_answered_total[30d])
      or
        label_replace(increase(callrouter_calls_answered_total[30d]), "formerly", "$1", "client", "(.*)")
        * on (formerly) group_left (client) max by (client, formerly) (callrouter_client_renamed_info))

"Within" and "short" are by what the version of the plan promised that the call walked, as in `callrouter stats` and
/api/stats (`store.stats`): a threshold that changes moves no counter of before. Label values are bounded: clients and
queues come from the dialplans in service, outcomes from enums. Queue waiting is by queue (tens of them) and not by
client (800 of them, times the buckets).

As is usual with Prometheus, /metrics asks for no token: whoever reaches the engine's port reads the clients'
identifiers, their numbers, the names of queues and the reasons of pauses, with their figures, and nothing else: no
host, no agent, no caller.
"""

from __future__ import annotations

from callrouter.metrics.dialplans import DialplanMetrics
from callrouter.metrics.engine import EngineMetrics
from callrouter.metrics.exposition import CONTENT_TYPE, exposition
from callrouter.metrics.sources import LinkCounters, Sources, WriterCounters

__all__ = [
    "CONTENT_TYPE",
    "DialplanMetrics",
    "EngineMetrics",
    "LinkCounters",
    "Sources",
    "WriterCounters",
    "exposition",
]
