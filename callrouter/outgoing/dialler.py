"""Who may be rung for a client's messages, what they see, and their PINs: as its plan in service says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callrouter.core.call import CallerId
from callrouter.core.dispatch import is_pin
from callrouter.core.plan import Plan


class PlanDialler:
    """By the plans in service, by client."""

    def __init__(self, plans: Callable[[], Mapping[str, Plan]], pins: Mapping[str, str]) -> None:
        """`pins` are the values of secrets, by name: a contact's PIN is one of them."""
        self._plans = plans
        self._pins = pins

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

    def pin(self, client: str, contact: str) -> str:
        """A contact's own PIN; empty: they have none, or it is none that could be keyed in."""
        plan = self._plans().get(client)
        reach = plan.people.get(contact) if plan is not None else None
        written = self._pins.get(reach.pin, "") if reach is not None and reach.pin else ""
        return written if is_pin(written) else ""
