"""/api/calls: journeys that have ended, and why each ended where it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic import BeforeValidator

from callrouter.api.answers.unchanged import answer
from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.filters import TEXT, AskedPeriod, Client, Cursor, Limit, instants_of, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.calls import CallDetailOut, CallOut, CallsOut, SupersededCallsOut, SupersededOut
from callrouter.core.call import Call, Disposition
from callrouter.core.explain import explain
from callrouter.core.numbers import normalise
from callrouter.core.plan import Plan
from callrouter.permissions import Permission
from callrouter.store.calls import find_call, list_calls, superseded_of
from callrouter.store.database import Database

CallId = Annotated[str, Path(max_length=200, description="As we named the call", examples=["1795427775-42-518203"])]

Number = Annotated[
    str | None,
    # A bare + in a query is a space.
    BeforeValidator(lambda value: "+" + value[1:] if isinstance(value, str) and value[:1] == " " else value),
    Query(
        max_length=128,
        pattern=TEXT,
        description="As one dials it in the operator's country, or E.164",
        examples=["+33612340001"],
    ),
]
Name = Annotated[
    str | None, Query(max_length=128, pattern=TEXT, description="By its exact name", examples=["secretaries"])
]


class WalkedPlan(Protocol):
    """What is known of the version of a plan that a call walked (`app.versions.KeptPlan`)."""

    @property
    def plan(self) -> Plan | None:
        """None when it cannot be had any more: the explanation is without lines."""
        ...

    @property
    def timezone(self) -> str:
        """The client's, as it was then; UTC when it is not known."""
        ...


class PlanBook(Protocol):
    """Plans of the past (`app.versions.KeptPlans`)."""

    async def find(self, client: str, version: str) -> WalkedPlan:
        """The plan of that version."""
        ...


@dataclass(frozen=True, kw_only=True)
class Which:
    """What calls have in common that are asked for."""

    disposition: Disposition | None
    caller: str | None
    did: str | None
    agent: str | None
    queue: str | None
    node: str | None
    left: str | None
    version: str | None


def _which(  # noqa: PLR0913, RUF100  # each is a query parameter
    disposition: Disposition | None = None,
    caller: Number = None,
    did: Number = None,
    agent: Name = None,
    queue: Name = None,
    node: Name = None,
    left: Name = None,
    version: Name = None,
) -> Which:
    return Which(
        disposition=disposition,
        caller=caller,
        did=did,
        agent=agent,
        queue=queue,
        node=node,
        left=left,
        version=version,
    )


def router(database: Database, plans: PlanBook, gate: Gate, now: Callable[[], datetime], region: str) -> APIRouter:
    """The routes. `plans` are for the explanation's lines and times, `now` is the clock calls are stamped by.

    `region` is the operator's country: numbers are in the record as its national form is understood.
    """
    routes = APIRouter(tags=["calls"])

    @routes.get("/calls", response_model=CallsOut, responses=documented(403, 404), **gate.needs(Permission.CALL_READ))
    async def calls(
        request: Request,
        period: AskedPeriod,
        which: Annotated[Which, Depends(_which)],
        visitor: CurrentVisitor,
        client: Client = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        """Calls that ended, the newest first, by when they rang: `from` included, `to` not.

        `agent` finds calls in which they spoke with the caller, first or later, and with `queue` those that they
        answered there; `node` those that passed it or ended there, `left`
        those that left the tree at it. `queue`, `node` and `left` are asked of one client and of 31
        days at most (422 otherwise); without `to` the period ends now.

        A page of a period that is over has an `ETag`: sent back as `If-None-Match`, it says with 304 that nothing has
        changed.
        """
        client = visitor.asked_client(Permission.CALL_READ, client)
        from_at, to_at = await instants_of(database, period, client, now())
        is_over = to_at is not None and to_at <= now()
        if from_at is not None and to_at is None:
            to_at = max(now(), from_at)
        page = await list_calls(
            database,
            client=client,
            disposition=which.disposition,
            caller=_recorded(which.caller, region),
            did=_recorded(which.did, region),
            agent=which.agent,
            queue=which.queue,
            node=which.node,
            left=which.left,
            version=which.version,
            scope=visitor.principal.scope,
            from_at=from_at,
            to_at=to_at,
            limit=limit,
            cursor=cursor,
        )
        if not page.calls:
            await refuse_strangers(database, client, visitor)
        found = CallsOut(calls=[CallOut.of(call) for call in page.calls], next_cursor=page.next_cursor)
        return answer(request, found, tagged=is_over)

    @routes.get("/calls/{call_id}", responses=documented(403, 404), **gate.needs(Permission.CALL_READ))
    async def one_call(call_id: CallId, visitor: CurrentVisitor) -> CallDetailOut:
        """One call with all it went through, and its explanation. 404 also while the call is in progress."""
        call = await _readable(database, call_id, visitor)
        walked = await plans.find(call.client, call.plan_version)
        return CallDetailOut.of_explained(call, explain(call, walked.plan, walked.timezone))

    @routes.get("/calls/{call_id}/superseded", responses=documented(403, 404), **gate.needs(Permission.CALL_READ))
    async def superseded(call_id: CallId, visitor: CurrentVisitor) -> SupersededCallsOut:
        """The other records of a call, the one that knew most first: what an engine said that was killed meanwhile, or
        that another one corrected. They are kept as long as the call's own, which is the one that stands."""
        await _readable(database, call_id, visitor)
        found = await superseded_of(database, call_id)
        return SupersededCallsOut(superseded=[SupersededOut.model_validate(one) for one in found])

    return routes


def _recorded(number: str | None, region: str) -> str | None:
    """A number as the record has it."""
    return number and (normalise(number, region) or number)


async def _readable(database: Database, call_id: str, visitor: Visitor) -> Call:
    """Raises HTTPException: there is none, or none for them (404)."""
    call = await find_call(database, call_id)
    if call is None or visitor.hides(
        Permission.CALL_READ, call_id, call.client, {visit.queue for visit in call.queue_visits}
    ):
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"there is no call {call_id} in the record; calls in progress are in /api/live"
        )
    return call
