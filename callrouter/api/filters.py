"""Query parameters that several routes share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import AfterValidator

from callrouter.api.auth import Visitor
from callrouter.logs import safe_text
from callrouter.periods import Moment, Period
from callrouter.permissions import ScopeKind
from callrouter.store.database import Database
from callrouter.store.plans import is_client
from callrouter.store.promises import zones_in_service


def _moment(value: str) -> str:
    """The text of a moment, as it was meant: in a query a bare + is a space, 2026-11-24T10:00:00+01:00 has one."""
    value = value.replace(" ", "+") if value.count(" ") == 1 and "T" in value else value
    Moment.parse(value)
    return value


TEXT: Final = r"^[^\x00]*$"
"""PostgreSQL's texts hold no NUL."""

MomentText = Annotated[str | None, AfterValidator(lambda value: value and _moment(value))]
"""A moment, as a query has it."""

Client = Annotated[
    str | None,
    Query(
        pattern="^[a-z0-9-]+$",
        max_length=64,
        description="Only this client, under the names it had before too",
        examples=["cabinet-moreau"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows a page", examples=[100])]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")]


def _period(
    from_: Annotated[
        MomentText,
        Query(
            alias="from",
            description="From this day, time or instant on; without a zone it is the client's",
            examples=["2026-11-24", "2026-11-24T00:00:00Z", "yesterday"],
        ),
    ] = None,
    to: Annotated[
        MomentText,
        Query(
            description="Before this day, time or instant; without a zone it is the client's",
            examples=["2026-11-25", "2026-11-25T00:00:00Z", "today"],
        ),
    ] = None,
) -> Period:
    return Period(Moment.parse(from_) if from_ else None, Moment.parse(to) if to else None)


AskedPeriod = Annotated[Period, Depends(_period)]
"""Of the query's `from` and `to`."""


async def instants_of(
    database: Database, period: Period, client: str | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """From when to when rows are asked for; None: from the first, to the last.

    Raises:
        HTTPException: a day of no zone is asked for, or the period ends before it begins.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    given = {"from": period.start, "to": period.end}
    without_zone = [name for name, moment in given.items() if moment is not None and not moment.names_its_zone]
    zone = ZoneInfo("UTC")
    if without_zone:
        zone = await _zone_of(database, client, without_zone[0])
    start, end = (None if moment is None else moment.within(zone, now) for moment in given.values())
    if start is not None and end is not None and start >= end:
        raise backwards()
    return start, end


async def _zone_of(database: Database, client: str | None, asked: str) -> ZoneInfo:
    if client is None:
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"query.{asked}: clients have time zones of their own: write it with its zone (2026-11-24T00:00:00Z), "
            "or name a client",
        )
    async with database.connection() as connection:
        zones = await zones_in_service(connection, client)
    return ZoneInfo(zones.get(client, "UTC"))


def backwards() -> HTTPException:
    """A period that ends before it begins is a mistake, and not an empty answer."""
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "query.from is not before query.to: swap them")


async def refuse_strangers(database: Database, client: str | None, visitor: Visitor) -> None:
    """Asked when nothing was found: of a client that was never live, nothing is no answer.

    Whoever sees teams only is not told which clients there are.

    Raises:
        HTTPException: no version of the client's plan was ever in service.
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    tells = visitor.principal.scope.kind is not ScopeKind.TEAMS
    if client is not None and tells and not await is_client(database, client):
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"there is no client {client}: none of that name was ever live, and no call names it"
        )


def refuse_unknown(request: Request) -> None:
    """A dependency of every route: what it would pass over makes the answer one to another question.

    Raises:
        HTTPException: the query has a parameter that the route does not know, or one twice, or one that says nothing.
    """
    known = set(_parameters(request.scope["route"].dependant))
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            knows = f"knows {', '.join(sorted(known))}" if known else "has no parameters"
            wrong = f"there is no such parameter; this page {knows}"
        elif name in seen:
            wrong = "stands here twice: ask for one at a time"
        elif not value.strip():
            wrong = "is empty: leave it out, or write what is asked for"
        else:
            seen.add(name)
            continue
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"query.{safe_text(name, 40)}: {wrong}")


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The query's names that a route reads, by itself and by what it depends on."""
    yield from (field.alias for field in dependant.query_params)
    for other in dependant.dependencies:
        yield from _parameters(other)
