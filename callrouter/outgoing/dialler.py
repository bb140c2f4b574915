"""Who may be rung for a client's messages, and what they see: as its plan in service says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callrouter.core.call import CallerId
from callrouter.core.plan import Plan


class PlanDialler:
    """By the plans in service, by client."""

    def __init__(self, plans: Callable[[], Mapping[str, Plan]]) -> None:
        self._plans = plans

    def shown(self, client: str, did: str) -> str:
        """The number that they see: by the client's identity, or the number that the message's caller had dialled, or
        the client's first one; E.164, empty: none.
        """
        plan = self._plans().get(client)
        if plan is None:
            return ""
        dialled = did or next(iter(plan.numbers), "")
        if plan.identity is not None:
            return plan.identity.presented(CallerId(), dialled).number
        return dialled if dialled.startswith("+") else ""

    def refusal(self, client: str, number: str) -> str:
        """Why a number may not be rung for a client; empty: it may."""
        plan = self._plans().get(client)
        if plan is None or plan.dialling is None:
            return "the client has no plan that is in service"
        refused = plan.dialling.refusal(number)
        return f"{number} may not be dialled: {refused}" if refused else ""
