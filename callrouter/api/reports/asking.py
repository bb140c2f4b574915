"""What a report is asked for in a query: the words of `callrouter report`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import HTTPException, Query
from pydantic import AfterValidator

from callrouter.api.filters import MomentText
from callrouter.periods import Comparison, Period, zone_named
from callrouter.reports.making import Order
from callrouter.reports.model import Sort
from callrouter.reports.rendering import Format
from callrouter.reports.words import Language


def _checked(read: Callable[[str], object]) -> AfterValidator:
    def check(text: str | None) -> str | None:
        if text is not None:
            read(text)
        return text

    return AfterValidator(check)


def asked_period(  # noqa: PLR0913, RUF100  # each is a query parameter
    from_: Annotated[MomentText, Query(alias="from", description="From this day, time or instant on")] = None,
    to: Annotated[MomentText, Query(description="Before this day, time or instant")] = None,
    month: Annotated[
        str | None, _checked(Period.month), Query(description="A calendar month instead", examples=["2026-10"])
    ] = None,
    yesterday: Annotated[bool, Query(description="The day that is over instead")] = False,
    last: Annotated[
        str | None,
        _checked(Period.last),
        Query(description="The last whole days, weeks or months instead, without the present one: 7d, 4w, 12mo"),
    ] = None,
) -> Period:
    """Of the query; yesterday where it says nothing."""
    try:
        asked = Period.asked(from_=from_, to=to, month=month, yesterday=yesterday, last=last)
    except ValueError as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"query: {error}") from None
    return asked or Period.yesterday()


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the report is wanted."""

    zone: ZoneInfo | None
    order: Order
    comparison: Comparison | None
    form: Format
    language: Language


def asked_form(  # noqa: PLR0913, RUF100  # each is a query parameter
    timezone: Annotated[
        str | None,
        _checked(zone_named),
        Query(max_length=64, description="On whose clocks; else each client's own", examples=["Europe/Paris"]),
    ] = None,
    sort: Annotated[
        str | None,
        _checked(Sort.parse),
        Query(
            max_length=64, description="A column, the largest first; `offered:asc`: the smallest", examples=["offered"]
        ),
    ] = None,
    top: Annotated[int | None, Query(ge=1, le=10_000, description="Only so many rows, the others together")] = None,
    compare: Annotated[
        Comparison | None, Query(description="With the period before, or the same weekdays before")
    ] = None,
    format: Annotated[Format, Query(description="What the answer is: JSON, or a file")] = Format.JSON,  # noqa: A002
    language: Annotated[
        Language, Query(description="Of names, of files and of what the figures mean")
    ] = Language.ENGLISH,
) -> Form:
    if format is Format.TABLE:
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY, "query.format: table is for terminals: ask for json or csv"
        )
    return Form(
        zone=zone_named(timezone) if timezone else None,
        order=Order(sort=Sort.parse(sort) if sort else None, top=top),
        comparison=compare,
        form=format,
        language=language,
    )
