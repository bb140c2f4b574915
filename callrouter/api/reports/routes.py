"""/api/reports: the figures of a period by whatever they are asked for, as JSON or as a file that people print."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.calls import PlanBook
from callrouter.api.filters import Client
from callrouter.api.problems import documented
from callrouter.api.reports.asking import Form, asked_form, asked_period
from callrouter.api.schemas.reports import ReportOut
from callrouter.errors import UsageError
from callrouter.periods import Period
from callrouter.permissions import Permission, ScopeKind
from callrouter.reports.model import By
from callrouter.reports.reading import Asked, find_client, read_report
from callrouter.reports.rendering import MEDIA_TYPES, Format, file_name, needed, written
from callrouter.reports.words import Language
from callrouter.store.apart import Workshop
from callrouter.store.database import Database
from callrouter.store.plans import live_version
from callrouter.store.tables import AuditOutcome

_FILES: Final = {
    media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()
}


def router(
    database: Database, workshop: Workshop, plans: PlanBook, gate: Gate, now: Callable[[], datetime]
) -> APIRouter:
    """The route. `workshop` makes reports, `plans` say how clients are called, `now` is the clock of calls."""
    routes = APIRouter(tags=["stats"])

    @routes.get(
        "/reports",
        response_model=ReportOut,
        responses={**documented(403, 404), 200: {"content": _FILES}},
        **gate.needs(Permission.STATS_READ),
    )
    async def report(
        period: Annotated[Period, Depends(asked_period)],
        wanted: Annotated[Form, Depends(asked_form)],
        visitor: CurrentVisitor,
        by: Annotated[By, Query(description="What it has a row for")] = By.CLIENT,
        client: Client = None,
    ) -> Response:
        """The figures of a period by client, number, version, queue, day, weekday, hour or month: yesterday's, unless a
        period is given. `callrouter report` takes the same words.

        Days and hours are those of each client's own time zone, unless `timezone` names one. Of one client, by client,
        a PDF has its days, hours and weekdays as well. Every row says by which queries its calls are found. Reports are
        made beside the pages, a few at a time: 503 with `Retry-After` says that too many wait already.
        """
        client = visitor.asked_client(Permission.STATS_READ, client)
        if by is By.AGENT:
            _must_see_agents(visitor)
        clients = _whose(visitor, client)
        asked = Asked(
            by=by,
            period=period,
            clients=clients,
            names=[] if client is None else [await _name(database, plans, client)],
            zone=wanted.zone,
            comparison=wanted.comparison,
            order=wanted.order,
        )
        try:
            file, is_empty = await workshop.run(written_report, asked, wanted.form, wanted.language, now())
        except ValueError as error:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"query: {error}") from None
        if client is not None and is_empty:
            await _refuse_strangers(database, client)
        if wanted.form is Format.JSON:
            return Response(file, media_type="application/json")
        disposition = f'attachment; filename="{file_name(asked, wanted.form)}"'
        return Response(file, media_type=MEDIA_TYPES[wanted.form], headers={"Content-Disposition": disposition})

    return routes


async def written_report(
    database: Database, asked: Asked, form: Format, language: Language, now: datetime
) -> tuple[bytes, bool]:
    """A report as it is answered, and whether nobody called: for a process of its own (`store.apart`).

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
        ValueError: the period ends before it begins, or there is no such column.
    """
    found = [await read_report(database, one, now) for one in needed(asked, form)]
    if form is Format.JSON:
        return ReportOut.of(found[0], language).model_dump_json().encode(), found[0].is_empty
    return written(found, form, language), found[0].is_empty


def _must_see_agents(visitor: Visitor) -> None:
    """Agents work for all clients.

    Raises:
        HTTPException: they may not see where agents are, and what they did (403).
    """
    who = visitor.principal
    if not who.may(Permission.AGENT_READ) or who.scope.kind is not ScopeKind.ALL:
        visitor.note(Permission.AGENT_READ, AuditOutcome.REFUSED)
        raise HTTPException(HTTPStatus.FORBIDDEN, f"{who.name} does not hold {Permission.AGENT_READ} on everything")


async def _refuse_strangers(database: Database, client: str) -> None:
    """Of a client that was never live, nothing is no answer.

    Raises:
        HTTPException: there is none of that name (404); it says which are written almost like it.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    try:
        await find_client(database, client)
    except UsageError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from None


def _whose(visitor: Visitor, client: str | None) -> list[str] | None:
    """Those they may see: nothing of others is read."""
    scope = visitor.principal.scope
    if client is not None:
        return [client]
    return sorted(scope.names) if scope.kind is ScopeKind.CLIENTS else None


async def _name(database: Database, plans: PlanBook, client: str) -> str:
    """How the client is called in its plan that is live; its identifier where there is none."""
    version = await live_version(database, client)
    plan = (await plans.find(client, version)).plan if version is not None else None
    return plan.name if plan is not None and plan.name else client
