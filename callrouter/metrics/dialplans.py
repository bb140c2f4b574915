"""What the loading of the clients' files did: how many plans are in service, and whether the folder is served as it
stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.registry import CollectorRegistry

RELOAD_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class DialplanMetrics:
    """What the last load of the dialplans did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # see `engine`
        self._success = Gauge(
            "callrouter_dialplan_last_reload_successful", "1 when the last load took every file", registry=registry
        )
        self._success_at = Gauge(
            "callrouter_dialplan_last_reload_success_timestamp_seconds",
            "When a load last took every file, as Unix time",
            registry=registry,
        )
        self._plans = Gauge("callrouter_dialplan_plans", "Clients in service", registry=registry)
        self._derived = Gauge(
            "callrouter_dialplan_derived_queues",
            "Queues derived from teams' for clients in service who prefer agents, or never want some",
            registry=registry,
        )
        self._issues = Gauge("callrouter_dialplan_issues", "Findings of the last load", registry=registry)
        self._refused = Gauge(
            "callrouter_dialplan_files_refused", "Files that are not served as they stand", registry=registry
        )
        self._renamed = Gauge(
            "callrouter_client_renamed_info",
            "1 for each name that a client in service had before",
            ["client", "formerly"],
            registry=registry,
        )
        self._overdue = Gauge(
            "callrouter_dialplan_files_overdue",
            "Files against which time alone speaks: days that are over, rotas that end",
            registry=registry,
        )
        self._swapped = Counter("callrouter_dialplan_plans_swapped", "Plans that went live", registry=registry)
        self._reloads = Histogram(
            "callrouter_dialplan_reload_seconds",
            "Loading what has changed, until it is in service",
            buckets=RELOAD_BUCKETS,
            registry=registry,
        )

    def loaded(
        self,
        *,
        complete: bool,
        plans: int,
        issues: int,
        at_seconds: float,
        refused: int = 0,
        overdue: int = 0,
        derived: int = 0,
        swapped: int = 0,
        seconds: float = 0.0,
        renamed: Iterable[tuple[str, str]] = (),
    ) -> None:
        """After each load of the dialplans.

        Args:
            complete: every file was taken; else some clients keep their last good plan.
            plans: clients in service.
            issues: findings of this load.
            at_seconds: Unix time.
            refused: files that are not served as they stand.
            derived: queues derived from teams', of the clients in service.
            overdue: files against which time alone speaks; they are among the refused.
            swapped: plans that went live.
            seconds: how long it took.
            renamed: client and a name that it had before.
        """
        self._success.set(1 if complete else 0)
        if complete:
            self._success_at.set(at_seconds)
        self._plans.set(plans)
        self._issues.set(issues)
        self._refused.set(refused)
        self._overdue.set(overdue)
        self._derived.set(derived)
        self._swapped.inc(swapped)
        self._reloads.observe(seconds)
        self._renamed.clear()
        for client, formerly in renamed:
            self._renamed.labels(client, formerly).set(1)

    def failed(self) -> None:
        """After a load that could not be made at all: all clients keep their plans."""
        self._success.set(0)
