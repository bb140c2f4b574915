"""What an event says of a call, made of the call and of the plan it walks."""

from __future__ import annotations

from datetime import datetime

from callrouter.core.books.offers import open_offers
from callrouter.core.call import Call, QueueVisit
from callrouter.core.explain import nodes_reached
from callrouter.core.nodes import QueueNode, spoken
from callrouter.core.plan import Plan
from callrouter.stream.events import CallCard


def card_of(call: Call, plan: Plan | None, at: datetime) -> CallCard:
    """The call as it stands at that instant."""
    visit = open_visit(call)
    return CallCard(
        call_id=call.call_id,
        client=call.client,
        client_name=plan.name if plan else call.client,
        did=call.did,
        caller=call.caller,
        diverted_from=call.diverted_from,
        state=call.state,
        node=call.node,
        path=nodes_reached(call),
        variables=call.variables,
        queues=queues_of(call),
        brief=_brief(plan, call) if plan and visit else "",
        ringing_at=call.clocks.ringing_at,
        waiting_since=visit.entered_at if visit and not visit.answered_at else None,
        waiting_seconds=call.waiting_seconds(at),
        offered_to=[one.agent for one in open_offers(call) if one.ended_at is None],
        agent=call.agent,
    )


def open_visit(call: Call) -> QueueVisit | None:
    """The stay in a queue that is not over."""
    last = call.queue_visits[-1] if call.queue_visits else None
    return last if last is not None and last.left_at is None else None


def queues_of(call: Call) -> list[str]:
    """Queues it is or was in, the present one last."""
    return list(dict.fromkeys(visit.queue for visit in reversed(call.queue_visits)))[::-1]


def _brief(plan: Plan, call: Call) -> str:
    node = plan.nodes.get(call.node)
    if not isinstance(node, QueueNode):
        return ""
    parts, _ = spoken(plan, call, node.brief)
    return " ".join(part.text for part in parts if part.text)
