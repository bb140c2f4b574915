"""/status and /reload of the engine: what it serves and since when, and what is wrong; load the dialplans now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends
from pydantic import Field

from callrouter.api.auth import CurrentVisitor, Gate
from callrouter.api.filters import refuse_unknown
from callrouter.api.problems import documented
from callrouter.api.schemas.base import Instant, Out, Seconds
from callrouter.core.plan import Plan
from callrouter.dialplan import Issue
from callrouter.dialplan.shared.derived import MOST_DERIVED
from callrouter.dialplan.show.derived import DerivedQueue, derived_by
from callrouter.metrics.shown_numbers import ShownNumbers
from callrouter.permissions import Permission
from callrouter.runtime.reload import RefusedFile, ServedPlans
from callrouter.store.tables import AuditOutcome


class IssueOut(Out):
    """A finding of the last load."""

    file: str = Field(examples=["cabinet-moreau.yaml"])
    line: int = Field(examples=[41])
    node: str
    message: str
    suggestion: str
    severity: str = Field(examples=["error"])
    sentence: str = Field(description="All of it, for a person")

    @classmethod
    def of(cls, issue: Issue) -> IssueOut:
        return cls.model_validate({**issue.as_json(), "sentence": str(issue)})


class PlanOut(Out):
    """A client's plan in service."""

    client: str = Field(examples=["cabinet-moreau"])
    version: str = Field(examples=["5f2d3c9a10be"])
    file: str = Field(examples=["cabinet-moreau.yaml"])
    since: Instant = Field(description="When it went into service; a plan that was kept over a start, before that")
    numbers: list[str] = Field(examples=[["+33199000010"]])
    live_calls: int = Field(description="Calls that walk this version")
    older_calls: int = Field(description="Calls that began with an earlier one, and keep it")
    as_the_file: bool = Field(description="False: the file is refused, and this is the last good version")


class DerivedQueueOut(Out):
    """A queue of the PBX for clients who want some of a team's agents first, or never."""

    queue: str = Field(examples=["medical.agent-1.-agent-3"], description="Its name at the PBX; records say the team's")
    team: str = Field(examples=["medical"])
    prefer: list[str] = Field(examples=[["agent-1"]])
    never: list[str] = Field(examples=[["agent-3"]])
    levels: list[list[str]] = Field(
        examples=[[["agent-1"], ["agent-2"]]], description="Agents who are rung first, then those rung next, and so on"
    )
    clients: list[str] = Field(examples=[["cabinet-moreau"]])

    @classmethod
    def of(cls, one: DerivedQueue) -> DerivedQueueOut:
        return cls(
            queue=one.queue,
            team=one.preference.team,
            prefer=list(one.preference.prefer),
            never=list(one.preference.never),
            levels=[list(agents) for agents in one.levels],
            clients=list(one.clients),
        )


class RefusedOut(Out):
    """A file that is not served as it stands."""

    file: str
    keeps_client: str | None = Field(description="Client that is served by its last good version")
    keeps_version: str | None
    overdue: bool = Field(description="True: it is served as it stands, and refused only because of the day it is")
    issues: list[IssueOut]

    @classmethod
    def of(cls, refused: RefusedFile) -> RefusedOut:
        return cls(
            file=refused.file,
            keeps_client=refused.keeps.client if refused.keeps else None,
            keeps_version=refused.keeps.version if refused.keeps else None,
            overdue=refused.overdue,
            issues=[IssueOut.of(issue) for issue in refused.issues],
        )


class DialplansOut(Out):
    """The clients' plans."""

    watching: bool = Field(description="Whether a saved file goes live by itself")
    loaded_at: Instant
    kept_at: Instant | None = Field(
        description="From when the plans are, while the folder could not be loaded since the start; null otherwise"
    )
    failure: str = Field(description="Why the folder could not be loaded the last time; empty when it could")
    plans: list[PlanOut]
    refused: list[RefusedOut]
    derived_queues: list[DerivedQueueOut] = Field(
        default_factory=list, description=f"Of the plans in service; {MOST_DERIVED} at most"
    )

    @classmethod
    def of(cls, served: ServedPlans, walked: dict[tuple[str, str], int], *, watching: bool) -> DialplansOut:
        """`walked`: live calls by client and version."""
        refused = served.refused
        wrong = {one.file for one in refused if not one.overdue}
        return cls(
            watching=watching,
            loaded_at=served.catalogue.loaded_at,
            kept_at=served.kept_at,
            failure=served.failure,
            plans=[_plan_out(plan, served, walked, wrong) for _, plan in sorted(served.plans.items())],
            refused=[RefusedOut.of(one) for one in refused],
            derived_queues=[DerivedQueueOut.of(one) for one in derived_by(served.plans, served.catalogue.queues)],
        )


class RefusedCallsOut(Out):
    """Calls that Asterisk refused because a limit was reached, since its database was made."""

    total: int = Field(default=0, examples=[12])
    by_client: dict[str, int] = Field(
        default_factory=dict,
        description="By the client whose limit was reached; the empty name is the machine's own limit",
        examples=[{"cabinet-moreau": 10, "": 2}],
    )
    last_at: Instant | None = Field(
        default=None, description="When one was last heard of; null: not since the engine started"
    )


class WithoutNumberOut(Out):
    """What calls to one number show of their callers, since the engine started."""

    did: str = Field(examples=["+33199000020"])
    client: str = Field(examples=["etude-lenoir"])
    calls: int = Field(description="Calls that ended, whatever they show", examples=[40])
    withheld: int = Field(description="The caller does not want to be shown", examples=[3])
    unauthenticated: int = Field(description="The network could not authenticate the number", examples=[4])
    unavailable: int = Field(description="There was no number, and nobody said why", examples=[24])

    @classmethod
    def of(cls, shown: ShownNumbers) -> list[WithoutNumberOut]:
        """Numbers to which somebody called without one, by how many did."""
        found = [
            cls.model_validate({"did": did, "client": client, "calls": sum(counts.values()), **counts})
            for did, client, counts in shown.by_did()
        ]
        return sorted((one for one in found if one.without_number), key=lambda one: -one.without_number)

    @property
    def without_number(self) -> int:
        """Calls of callers without a number, for whatever reason."""
        return self.withheld + self.unauthenticated + self.unavailable


class StatusOut(Out):
    """The engine as a whole."""

    version: str = Field(examples=["0.1.0"])
    at: Instant
    started_at: Instant
    problems: list[str] = Field(description="What is wrong now, a sentence each; empty when all is well")
    asterisk: str = Field(examples=["up"], description="State of the link")
    database: str = Field(examples=["up"])
    live_calls: int
    refused_calls: RefusedCallsOut = RefusedCallsOut()
    without_number: list[WithoutNumberOut] = Field(
        default_factory=list, description="Numbers dialled by callers who showed none, those with most of them first"
    )
    backlog: int = Field(description="Calls that ended and are not in PostgreSQL yet")
    backlog_seconds: Seconds = Field(description="For how long the oldest of them has waited")
    dialplans: DialplansOut


def _plan_out(plan: Plan, served: ServedPlans, walked: dict[tuple[str, str], int], wrong: set[str]) -> PlanOut:
    all_calls = sum(calls for (client, _), calls in walked.items() if client == plan.client)
    current = walked.get((plan.client, plan.version), 0)
    return PlanOut(
        client=plan.client,
        version=plan.version,
        file=plan.source,
        since=served.since.get(plan.client, served.catalogue.loaded_at),
        numbers=list(plan.numbers),
        live_calls=current,
        older_calls=all_calls - current,
        as_the_file=plan.source not in wrong,
    )


def status_router(
    status: Callable[[], Awaitable[StatusOut]], reload: Callable[[], Awaitable[None]], gate: Gate
) -> APIRouter:
    """GET /status and POST /reload; who loads is in the audit trail."""
    guarded = [*gate.guards, Depends(refuse_unknown)]
    router = APIRouter(tags=["status"], dependencies=guarded, responses=documented(401, 403, 422, 429))

    @router.get("/status", **gate.needs(Permission.STATUS_READ))
    async def engine_status() -> StatusOut:
        """What is served, since when, and what is wrong."""
        return await status()

    @router.post("/reload", **gate.needs(Permission.ENGINE_RELOAD))
    async def load_now(visitor: CurrentVisitor) -> StatusOut:
        """Load the clients' files now; answers when what passes is in service."""
        visitor.note(Permission.ENGINE_RELOAD, AuditOutcome.DONE)
        await reload()
        return await status()

    return router
