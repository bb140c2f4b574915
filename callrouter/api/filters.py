"""Query parameters that several routes share."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import HTTPException, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

YEARS: Final = (2000, 2100)
"""The first and the last that may be asked for."""


def _plus(value: object) -> object:
    """In a query, a bare + is a space: 2026-11-24T10:00:00+01:00 arrives with one."""
    return value.replace(" ", "+") if isinstance(value, str) and value.count(" ") == 1 and "T" in value else value


def _within_reason(value: datetime | None) -> datetime | None:
    """Near the ends of the calendar an instant has no UTC any more; nobody was called then."""
    if value is not None and not YEARS[0] <= value.year <= YEARS[1]:
        raise ValueError(f"the year must be {YEARS[0]} to {YEARS[1]}")
    return value


_Instant = Annotated[AwareDatetime | None, BeforeValidator(_plus), AfterValidator(_within_reason)]

Client = Annotated[
    str | None,
    Query(pattern="^[a-z0-9-]+$", max_length=64, description="Only this client", examples=["cabinet-moreau"]),
]
From = Annotated[
    _Instant,
    Query(alias="from", description="From this instant on, with its zone", examples=["2026-11-24T00:00:00Z"]),
]
To = Annotated[
    _Instant,
    Query(alias="to", description="Before this instant, with its zone", examples=["2026-11-25T00:00:00Z"]),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows a page", examples=[100])]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before")]


def refuse_backwards(from_at: datetime | None, to_at: datetime | None) -> None:
    """A period that ends before it begins is a mistake, and not an empty answer."""
    if from_at is not None and to_at is not None and from_at >= to_at:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "query.from is not before query.to: swap them")
