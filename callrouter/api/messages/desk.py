"""What taking and changing messages needs to know: the client's live plan, the call, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

from fastapi import HTTPException

from callrouter.api.auth import Visitor
from callrouter.api.engine_client import EngineAway, EngineClient
from callrouter.api.problems import ProblemResponse, problem
from callrouter.core.call import Call, CallerId
from callrouter.core.explain import nodes_reached
from callrouter.core.forms import Wrong
from callrouter.core.nodes.about import Family
from callrouter.core.plan import Plan
from callrouter.errors import NotKept, StoreError
from callrouter.permissions import Permission, ScopeKind
from callrouter.store.calls import find_call
from callrouter.store.database import Database
from callrouter.store.messages import TakenMessage
from callrouter.store.taken.sameness import Kept

LOOK_SECONDS: Final = 1.5
"""For what is known of a call: whoever takes a message is not to wait longer for the number of its caller."""


class LivePlans(Protocol):
    """Plans that are in service (`app.live_forms.PlansInService`)."""

    async def live(self, client: str) -> Plan | None:
        """The client's; None: it has none. Raises StoreError: PostgreSQL does not answer, and nobody else knows."""
        ...


class Journal(Protocol):
    """Where messages are kept (`store.taken.journal.MessageJournal`)."""

    @property
    def is_away(self) -> bool:
        """Whether PostgreSQL did not take what was to be written last."""
        ...

    def find(self, message_id: str) -> TakenMessage | None:
        """One that is kept and may not be in PostgreSQL yet."""
        ...

    async def take(self, message: TakenMessage) -> Kept | None:
        """Keep one; None: on disk alone. Raises AnotherMessage, NotKept and RowsRefused."""
        ...


class _Nowhere:
    """For applications that take none."""

    is_away = True

    async def live(self, client: str) -> Plan | None:
        raise NotKept("no messages are taken here")

    def find(self, message_id: str) -> TakenMessage | None:
        return None

    async def take(self, message: TakenMessage) -> Kept | None:
        raise NotKept("no messages are taken here")


@dataclass(frozen=True)
class Taking:
    """What is live, and where messages are kept."""

    plans: LivePlans
    journal: Journal

    @classmethod
    def nowhere(cls) -> Taking:
        """Of an application that takes none."""
        return cls(_Nowhere(), _Nowhere())


@dataclass(frozen=True, kw_only=True)
class OfCall:
    """What is known of a call, in the record or as it goes on."""

    client: str
    caller: CallerId
    queues: frozenset[str]
    path: list[str] = field(default_factory=list)
    """The nodes that it passed, the present one last."""

    def kind(self, plan: Plan) -> str:
        """The node that put the caller through, or was the last to do so (`Plan.kind_of`)."""
        about = plan.about
        return next(
            (node for node in reversed(self.path) if node in about and about[node].family is Family.REACHES), ""
        )


@dataclass(frozen=True)
class Desk:
    """What the routes share."""

    database: Database
    plans: LivePlans
    journal: Journal
    engine: EngineClient
    now: Callable[[], datetime]
    region: str

    async def live_plan(self, client: str, visitor: Visitor) -> Plan:
        """The client's plan that is in service.

        Raises:
            HTTPException: it has none (404).
            StoreError: PostgreSQL does not answer, and nobody else knows.
        """
        plan = await self.plans.live(client)
        if plan is None:
            tells = visitor.principal.scope.kind is not ScopeKind.TEAMS
            raise HTTPException(HTTPStatus.NOT_FOUND, f"client {client} is not in service" if tells else NOT_THERE)
        return plan

    async def call(self, call_id: str | None, plan: Plan, permission: Permission, visitor: Visitor) -> OfCall | None:
        """What is known of the call that somebody names; None: none is named, or nobody knows it (yet).

        Raises:
            HTTPException: it is another client's (422), or not for them (404); or somebody who sees teams alone names
                none (422), or one of which nobody can say whose it is (404).
        """
        needs_teams = visitor.principal.scope.kind is ScopeKind.TEAMS
        if call_id is None:
            if needs_teams:
                raise HTTPException(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    f"call_id: {visitor.principal.name} holds {permission} for calls of teams: name the call",
                )
            return None
        found = await self._of_record(call_id) or await self._in_progress(call_id)
        if found is None:
            if needs_teams:
                raise HTTPException(HTTPStatus.NOT_FOUND, NOT_THERE)
            return None
        if visitor.hides(permission, call_id, found.client, set(found.queues)):
            raise HTTPException(HTTPStatus.NOT_FOUND, NOT_THERE)
        if found.client not in (plan.client, *plan.formerly):
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"call_id: that call is none of client {plan.client}'s"
            )
        return found

    async def _of_record(self, call_id: str) -> OfCall | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                call = None if self.journal.is_away else await find_call(self.database, call_id)
        except (StoreError, TimeoutError):  # a message is taken without it
            return None
        return None if call is None else _of(call)

    async def _in_progress(self, call_id: str) -> OfCall | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                live = await self.engine.live()
        except (EngineAway, TimeoutError):
            return None
        one = next((one for one in live.calls if one.call_id == call_id), None)
        if one is None:
            return None
        caller = CallerId(number=one.caller.number, name=one.caller.name, presentation=one.caller.presentation)
        return OfCall(client=one.client, caller=caller, queues=frozenset(one.queues), path=one.path)


NOT_THERE: Final = "there is no such call or client"


def refusal(wrong: list[Wrong]) -> ProblemResponse:
    """All that is wrong with what was sent, as FastAPI's own errors are said."""
    errors = [{"at": f"body.{one.field}" if one.field else "body", "reason": one.reason} for one in wrong]
    detail = "; ".join(f"{one['at']}: {one['reason']}" for one in errors)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _of(call: Call) -> OfCall:
    queues = frozenset(visit.queue for visit in call.queue_visits)
    return OfCall(client=call.client, caller=call.caller, queues=queues, path=nodes_reached(call))
