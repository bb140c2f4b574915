"""The tables, with named constraints and indexes; `migrations/` builds exactly these (a test compares).

`journeys` are the calls and what they went through, `recorded` what was said in them, `dispatched` who was told of it,
`called_back` who is to be called back, `subscribed` which systems are told what happens; `versions` are the plans that
were live, and what they promised, `operation` is what an engine did, `access` who may do what, `agents` who answers.
`figures` are those of days, `consumption` what clients pay, `retention` how long what is kept. All are made of
`columns`.

Identifiers compare by byte (collation C): it is what the indexes need, and the order of no list shown to a person rests
on it.
"""

from callrouter.store.tables.access import AuditOutcome, audit, tokens
from callrouter.store.tables.agents import agent_pins, agent_sessions
from callrouter.store.tables.called_back import FollowUpResult, callbacks, follow_ups, outgoing_calls
from callrouter.store.tables.columns import metadata
from callrouter.store.tables.consumption import (
    client_tariffs,
    consumption_invoices,
    consumption_items,
    consumption_lines,
    consumption_numbers,
    consumption_tariffs,
)
from callrouter.store.tables.dispatched import (
    DeliveryKind,
    DeliveryState,
    DispatchState,
    deliveries,
    delivery_codes,
    delivery_counts,
    delivery_links,
    dispatch_events,
    dispatches,
    leases,
    replies,
)
from callrouter.store.tables.figures import (
    figure_days,
    figure_marks,
    figure_months,
    figure_queue_days,
    figure_queue_months,
    figure_zones,
)
from callrouter.store.tables.journeys import PATH_ARROW, calls, holds, legs, offers, queue_visits, superseded_calls
from callrouter.store.tables.operation import beats, gaps, notifications
from callrouter.store.tables.recorded import (
    MessageChangeKind,
    MessageState,
    RecordingKind,
    message_changes,
    messages,
    recordings,
)
from callrouter.store.tables.retention import erasure_suspects, erasures, kept_from, retention_rules, retention_runs
from callrouter.store.tables.subscribed import happenings, monthly_reports, streamed, subscribers, told_days
from callrouter.store.tables.versions import plan_documents, plan_history, plans, promises

__all__ = [
    "PATH_ARROW",
    "AuditOutcome",
    "DeliveryKind",
    "DeliveryState",
    "DispatchState",
    "FollowUpResult",
    "MessageChangeKind",
    "MessageState",
    "RecordingKind",
    "agent_pins",
    "agent_sessions",
    "audit",
    "beats",
    "callbacks",
    "calls",
    "client_tariffs",
    "consumption_invoices",
    "consumption_items",
    "consumption_lines",
    "consumption_numbers",
    "consumption_tariffs",
    "deliveries",
    "delivery_codes",
    "delivery_counts",
    "delivery_links",
    "dispatch_events",
    "dispatches",
    "erasure_suspects",
    "erasures",
    "figure_days",
    "figure_marks",
    "figure_months",
    "figure_queue_days",
    "figure_queue_months",
    "figure_zones",
    "follow_ups",
    "gaps",
    "happenings",
    "holds",
    "kept_from",
    "leases",
    "legs",
    "message_changes",
    "messages",
    "metadata",
    "monthly_reports",
    "notifications",
    "offers",
    "outgoing_calls",
    "plan_documents",
    "plan_history",
    "plans",
    "promises",
    "queue_visits",
    "recordings",
    "replies",
    "retention_rules",
    "retention_runs",
    "streamed",
    "subscribers",
    "superseded_calls",
    "tokens",
    "told_days",
]
