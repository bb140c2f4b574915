"""/api/consumption: what clients pay for a month, invoices that were issued, and each line's calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from callrouter.api.auth import CurrentVisitor, Gate, Visitor
from callrouter.api.calls import PlanBook
from callrouter.api.filters import TEXT, Client, Cursor, Limit, refuse_strangers
from callrouter.api.problems import documented
from callrouter.api.schemas.consumption import (
    NUMBER,
    ComparisonOut,
    InvoicePageOut,
    ItemPageOut,
    StatementOut,
    TariffsOut,
)
from callrouter.consumption.document import ReadTariff, read_tariff
from callrouter.consumption.statement import Statement
from callrouter.dialplan.issues import errors
from callrouter.errors import ConsumptionRefused
from callrouter.periods import Period
from callrouter.permissions import By, Permission
from callrouter.reports.consumption.rendering import MEDIA_TYPES, Format, file_name, written
from callrouter.reports.words import Language
from callrouter.store.apart import Workshop
from callrouter.store.consumption.comparing import what_if
from callrouter.store.consumption.invoices import find_invoice, list_invoices, list_items
from callrouter.store.consumption.issuing import issue, preview
from callrouter.store.consumption.tariffs import tariffs_since
from callrouter.store.database import Database
from callrouter.store.plans import is_client, live_version

_FILES: Final = {
    media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()
}
_A_TARIFF: Final = """tariff: by-call
currency: EUR
vat: 20%
calls: { price: 0.90 }
not_billed: { outcomes: [rejected, left_early, self_served, failed, abandoned] }
"""
_CLIENT: Final = "^[a-z0-9-]+$"


def _is_month(text: str) -> str:
    Period.month(text)
    return text


MonthText = Annotated[str, AfterValidator(_is_month)]
OfClient = Annotated[str, Query(pattern=_CLIENT, max_length=64, description="Whose", examples=["cabinet-moreau"])]
OfMonth = Annotated[MonthText, Query(description="A calendar month by the client's clock", examples=["2026-10"])]
OfNumber = Annotated[str, Path(max_length=40, pattern=TEXT, description="Of the invoice", examples=[NUMBER])]
InForm = Annotated[Format, Query(alias="format", description="What the answer is: JSON, or a file")]
InLanguage = Annotated[Language, Query(description="Of what each line says, and of files")]


class IssueIn(BaseModel):
    """Which invoice is to be issued."""

    model_config = ConfigDict(extra="forbid")

    client: str = Field(pattern=_CLIENT, max_length=64, examples=["cabinet-moreau"])
    month: MonthText = Field(description="One that is over, by the client's clock", examples=["2026-10"])


class WhatIfIn(BaseModel):
    """By which tariff a month is to be computed."""

    model_config = ConfigDict(extra="forbid")

    client: str = Field(pattern=_CLIENT, max_length=64, examples=["cabinet-moreau"])
    month: MonthText = Field(examples=["2026-10"])
    tariff: str = Field(
        max_length=20_000, description="YAML, as `callrouter consumption check` reads it", examples=[_A_TARIFF]
    )


_AS_FILES: Final[Mapping[int | str, dict[str, Any]]] = {200: {"content": _FILES}}


def router(
    database: Database, workshop: Workshop, plans: PlanBook, gate: Gate, now: Callable[[], datetime]
) -> APIRouter:
    """The routes. `workshop` rates months, `plans` say how clients are called, `now` is the clock of calls."""
    routes = APIRouter(tags=["consumption"])
    reads = gate.needs(Permission.CONSUMPTION_READ)

    @routes.get(
        "/consumption",
        response_model=StatementOut,
        responses={**documented(403, 404, 409), **_AS_FILES},
        **reads,
    )
    async def consumption(
        visitor: CurrentVisitor,
        client: OfClient,
        month: OfMonth,
        wanted: InForm = Format.JSON,
        language: InLanguage = Language.ENGLISH,
    ) -> Response:
        """What a client is to pay for a month: as it was issued, or else as the record is now; of a month that goes on,
        so far. 409: the client has no tariff in that month."""
        visitor.asked_client(Permission.CONSUMPTION_READ, client)
        await _must_be_client(database, client, visitor)
        name = await _name(database, plans, client)
        try:
            found = await workshop.run(preview, client, _first(month), name=name, now=now())
        except ConsumptionRefused as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
        return await _answer(workshop, found, wanted, language, now())

    _invoices(routes, database, workshop, plans, gate, now)
    _tariffs(routes, database, workshop, plans, gate, now)
    return routes


def _invoices(
    routes: APIRouter, database: Database, workshop: Workshop, plans: PlanBook, gate: Gate, now: Callable[[], datetime]
) -> None:
    reads = gate.needs(Permission.CONSUMPTION_READ)

    @routes.get("/consumption/invoices", responses=documented(403, 404), **reads)
    async def invoices(
        visitor: CurrentVisitor, client: Client = None, limit: Limit = 100, cursor: Cursor = None
    ) -> InvoicePageOut:
        """Invoices, the last ones first."""
        client = visitor.asked_client(Permission.CONSUMPTION_READ, client)
        found = await list_invoices(database, client=client, scope=visitor.principal.scope, limit=limit, cursor=cursor)
        if not found.invoices:
            await refuse_strangers(database, client, visitor)
        return InvoicePageOut.of(found)

    @routes.post(
        "/consumption/invoices",
        status_code=HTTPStatus.CREATED,
        response_model=StatementOut,
        responses={
            **documented(403, 404, 409, 413),
            200: {"model": StatementOut, "description": "It was issued before: the same, as it stands"},
        },
        **gate.needs(Permission.CONSUMPTION_ISSUE),
    )
    async def issues(
        asked: IssueIn, visitor: CurrentVisitor, response: Response, language: InLanguage = Language.ENGLISH
    ) -> StatementOut:
        """Issue the invoice of a month that is over. It never changes: what is learnt later is in the next one. Asked
        again, it is the same (200). 409: the client has no tariff in that month, is called otherwise now, or the month
        goes on."""
        visitor.asked_client(Permission.CONSUMPTION_ISSUE, asked.client)
        await _must_be_client(database, asked.client, visitor)
        name = await _name(database, plans, asked.client)
        by = By(principal=visitor.principal.name, address=visitor.address)
        try:
            found, is_new = await workshop.run(issue, asked.client, _first(asked.month), name=name, by=by, now=now())
        except ConsumptionRefused as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
        if not is_new:
            response.status_code = HTTPStatus.OK
        return StatementOut.of(found, language)

    @routes.get(
        "/consumption/invoices/{number}",
        response_model=StatementOut,
        responses={**documented(403, 404), **_AS_FILES},
        **reads,
    )
    async def invoice(
        number: OfNumber,
        visitor: CurrentVisitor,
        wanted: InForm = Format.JSON,
        language: InLanguage = Language.ENGLISH,
    ) -> Response:
        """An invoice as it was issued."""
        found = await _invoice(database, number, visitor)
        return await _answer(workshop, found, wanted, language, now())

    @routes.get("/consumption/invoices/{number}/items", responses=documented(403, 404), **reads)
    async def items(
        number: OfNumber,
        visitor: CurrentVisitor,
        line: Annotated[int | None, Query(ge=1, le=10_000, description="Only what counts in this line")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ItemPageOut:
        """What an invoice bills, or one line of it, call by call, the last ones first; without a line, also the calls
        of its month that cost nothing, each with why."""
        await _invoice(database, number, visitor)
        return ItemPageOut.of(await list_items(database, number, line=line, limit=limit, cursor=cursor))


def _tariffs(
    routes: APIRouter, database: Database, workshop: Workshop, plans: PlanBook, gate: Gate, now: Callable[[], datetime]
) -> None:
    reads = gate.needs(Permission.CONSUMPTION_READ)

    @routes.get("/consumption/tariffs", responses=documented(403, 404, 409), **reads)
    async def tariffs(visitor: CurrentVisitor, client: OfClient) -> TariffsOut:
        """Which tariff a client has from which day on. 409: the client is called otherwise now."""
        visitor.asked_client(Permission.CONSUMPTION_READ, client)
        await _must_be_client(database, client, visitor)
        try:
            return TariffsOut.of(client, await tariffs_since(database, client))
        except ConsumptionRefused as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None

    @routes.post("/consumption/what-if", responses=documented(403, 404, 409, 413), **reads)
    async def what_if_(
        asked: WhatIfIn, visitor: CurrentVisitor, language: InLanguage = Language.ENGLISH
    ) -> ComparisonOut:
        """What a month would cost by another tariff, beside what it costs. Nothing is kept of it."""
        visitor.asked_client(Permission.CONSUMPTION_READ, asked.client)
        await _must_be_client(database, asked.client, visitor)
        other = _read(asked.tariff)
        name = await _name(database, plans, asked.client)
        try:
            found = await workshop.run(what_if, asked.client, _first(asked.month), other, name=name, now=now())
        except ConsumptionRefused as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
        return ComparisonOut.of(found, language)


async def as_file(database: Database, statement: Statement, form: Format, language: Language, now: datetime) -> bytes:
    """A statement as a file: for a process of its own (`store.apart`), which needs no database for it."""
    return written([statement], form, language, now)


async def _answer(
    workshop: Workshop, statement: Statement, form: Format, language: Language, now: datetime
) -> Response:
    if form is Format.TABLE:
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY, "query.format: table is for terminals: ask for json or csv"
        )
    if form is Format.JSON:
        return Response(StatementOut.of(statement, language).model_dump_json(), media_type="application/json")
    file = await workshop.run(as_file, statement, form, language, now)
    disposition = f'attachment; filename="{file_name(statement, form)}"'
    return Response(file, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": disposition})


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _read(text: str) -> ReadTariff:
    found = read_tariff(text.encode(errors="replace"), "tariff")
    if found.tariff is None:
        said = "; ".join(str(one) for one in errors(found.issues)[:20])
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"body.tariff: {said}")
    return found


async def _invoice(database: Database, number: str, visitor: Visitor) -> Statement:
    """The invoice, if they may see it.

    Raises:
        HTTPException: there is none (404), or none that they may see, which looks the same.
    """
    found = await find_invoice(database, number)
    if found is None or visitor.hides(Permission.CONSUMPTION_READ, number, found.client, set()):
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such invoice: /api/consumption/invoices lists them")
    return found


async def _must_be_client(database: Database, client: str, visitor: Visitor) -> None:
    if not await is_client(database, client):
        await refuse_strangers(database, client, visitor)


async def _name(database: Database, plans: PlanBook, client: str) -> str:
    """How the client is called in its plan that is live; its identifier where there is none."""
    version = await live_version(database, client)
    plan = (await plans.find(client, version)).plan if version is not None else None
    return plan.name if plan is not None and plan.name else client
