"""What /api/consumption answers, and `callrouter consumption --format json` prints.

Amounts, prices and rates are strings, so that nobody adds up floats: "0.85", "0.2". Quantities are whole numbers of
pieces, seconds or days; `per` says of how many of them the price is.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import models_json_schema

from callrouter.api.schemas.base import CALL_ID, Instant, NextCursor, Out
from callrouter.consumption.items import Kind
from callrouter.consumption.rating import Charge, Line
from callrouter.consumption.statement import Statement
from callrouter.reports.consumption.words import what
from callrouter.reports.words import Language
from callrouter.store.consumption.comparing import Comparison
from callrouter.store.consumption.invoices import BilledItem, InvoicePage, ItemPage
from callrouter.store.consumption.tariffs import TariffSince

Amount = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["944.51"])]
NUMBER = "2026-00042"
"""Of examples."""
Number = Annotated[str, Field(examples=[NUMBER])]
Month = Annotated[date, Field(description="Its first day", examples=["2026-10-01"])]
Client = Annotated[str, Field(examples=["cabinet-moreau"])]


class TermsOut(Out):
    """By which tariff days of the month are billed."""

    since: date = Field(examples=["2026-10-01"])
    until: date = Field(description="Not included", examples=["2026-11-01"])
    version: str = Field(examples=["d1800a58a2ab"])
    tariff: str = Field(description="Its name", examples=["secretariat-2026"])


class LineOut(Out):
    """One line."""

    line: int = Field(description="Its place, from 1", examples=[3])
    month: Month
    charge: Charge
    tier: int = Field(description="From 1; 0: there is one price")
    surcharge: str = Field(description="Its name; empty: none is added")
    what: str = Field(description="The same in the language that was asked for", examples=["Calls, tier 1"])
    quantity: int = Field(description="Pieces, seconds or days", examples=[100])
    per: int = Field(description="Of how many the price is", examples=[1])
    price: Amount
    amount: Amount
    vat_rate: Amount = Field(description="A share", examples=["0.2"])
    correction: bool = Field(description="Of a month that was billed before")


class VatOut(Out):
    """VAT of one rate."""

    rate: Amount
    net: Amount
    vat: Amount


class StatementOut(Out):
    """What a client is to pay for a month."""

    number: str | None = Field(description="null: it is not issued", examples=[NUMBER])
    issued_at: Instant | None
    issued_by: str = Field(description="Who did; empty: nobody has", examples=["operator"])
    client: Client
    name: str = Field(examples=["Cabinet du docteur Moreau"])
    month: Month
    zone: str = Field(examples=["Europe/Paris"])
    from_at: Instant
    to_at: Instant = Field(description="Not included")
    currency: str = Field(description="ISO 4217", examples=["EUR"])
    terms: list[TermsOut]
    lines: list[LineOut]
    counted: dict[str, int] = Field(description="How many items of the month are billed, by kind")
    not_billed: dict[str, int] = Field(description="How many calls of the month are not, by why")
    net: Amount = Field(description="Without VAT")
    vat: list[VatOut]
    gross: Amount = Field(description="With VAT")

    @classmethod
    def of(cls, statement: Statement, language: Language) -> StatementOut:
        """In a language."""
        return cls(
            number=statement.number,
            issued_at=statement.issued_at,
            issued_by=statement.issued_by,
            client=statement.client,
            name=statement.name,
            month=statement.month,
            zone=statement.zone,
            from_at=statement.from_at,
            to_at=statement.to_at,
            currency=statement.currency,
            terms=[TermsOut.model_validate(one) for one in statement.terms],
            lines=[_line(place, one, language) for place, one in enumerate(statement.lines, start=1)],
            counted=dict(statement.counted),
            not_billed=dict(statement.not_billed),
            net=_text(statement.net),
            vat=[VatOut(rate=_text(one.rate), net=_text(one.net), vat=_text(one.vat)) for one in statement.vat],
            gross=_text(statement.gross),
        )


class InvoiceOut(Out):
    """One of a list."""

    number: Number
    client: Client
    name: str
    month: Month
    currency: str = Field(examples=["EUR"])
    net: Amount
    gross: Amount
    issued_at: Instant
    issued_by: str = Field(examples=["operator"])


class InvoicePageOut(Out):
    """Invoices, the newest first."""

    invoices: list[InvoiceOut]
    next_cursor: NextCursor

    @classmethod
    def of(cls, found: InvoicePage) -> InvoicePageOut:
        """A page."""
        names = InvoiceOut.model_fields.keys() - {"net", "gross"}
        return cls(
            invoices=[
                InvoiceOut(net=_text(one.net), gross=_text(one.gross), **{name: getattr(one, name) for name in names})
                for one in found.invoices
            ],
            next_cursor=found.next_cursor,
        )


class ItemOut(Out):
    """What an invoice says of one call, callback, message or SMS: as it was measured, and what it counted for."""

    kind: Kind
    id: str = Field(description="call_id, outgoing_id, message_id, delivery_id", examples=[CALL_ID])
    month: Month = Field(description="First day of the month in which it is counted")
    at: Instant
    outcome: str = Field(description="A call's disposition; else reached, not_reached, taken, sent, not_sent")
    why_not: str = Field(description="Why it costs nothing; empty: it is billed")
    talk_seconds: float
    put_through_seconds: float | None = Field(description="Of the talk; null: not measured")
    hold_seconds: float | None = Field(description="null: not measured")
    wrap_up_seconds: float | None = Field(description="null: not measured")
    billed_seconds: int
    surcharge: str
    lines: list[int] = Field(description="Places of the lines in which it counts")

    @classmethod
    def of(cls, one: BilledItem) -> ItemOut:
        """Of a row."""
        item = one.rated.item
        return cls(
            kind=item.kind,
            id=item.item_id,
            month=one.month,
            at=item.at,
            outcome=str(item.outcome),
            why_not=str(one.rated.why),
            talk_seconds=item.talk_seconds,
            put_through_seconds=item.put_through_seconds,
            hold_seconds=item.hold_seconds,
            wrap_up_seconds=item.wrap_up_seconds,
            billed_seconds=one.rated.seconds,
            surcharge=one.rated.surcharge,
            lines=list(one.lines),
        )


class ItemPageOut(Out):
    """Items, the newest first."""

    items: list[ItemOut]
    next_cursor: NextCursor

    @classmethod
    def of(cls, found: ItemPage) -> ItemPageOut:
        """A page."""
        return cls(items=[ItemOut.of(one) for one in found.items], next_cursor=found.next_cursor)


class TariffSinceOut(Out):
    """From a day on, a client has a tariff."""

    since: date = Field(examples=["2026-10-01"])
    version: str | None = Field(description="null: from then on it has none", examples=["d1800a58a2ab"])
    tariff: str = Field(description="Its name", examples=["secretariat-2026"])
    set_at: Instant
    set_by: str = Field(examples=["command:anne"])


class TariffsOut(Out):
    """The tariffs of a client, the earliest first."""

    client: Client
    tariffs: list[TariffSinceOut]

    @classmethod
    def of(cls, client: str, found: list[TariffSince]) -> TariffsOut:
        """Of rows."""
        return cls(client=client, tariffs=[TariffSinceOut.model_validate(one) for one in found])


class ComparisonOut(Out):
    """The same month by two tariffs, without corrections of other months."""

    now: StatementOut | None = Field(description="By the client's; null: it has none in that month")
    by_other: StatementOut
    difference: Amount | None = Field(description="Without VAT: what more the other costs")

    @classmethod
    def of(cls, found: Comparison, language: Language) -> ComparisonOut:
        """In a language."""
        return cls(
            now=None if found.now is None else StatementOut.of(found.now, language),
            by_other=StatementOut.of(found.by_other, language),
            difference=None if found.now is None else _text(found.by_other.net - found.now.net),
        )


def _line(place: int, line: Line, language: Language) -> LineOut:
    return LineOut(
        line=place,
        month=line.month,
        charge=line.charge,
        tier=line.place,
        surcharge=line.name,
        what=what(line, language),
        quantity=line.quantity,
        per=line.per,
        price=_text(line.price),
        amount=_text(line.amount),
        vat_rate=_text(line.vat),
        correction=line.correction,
    )


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


def schema() -> dict[str, Any]:
    """JSON Schema of a statement; `docs/consumption.schema.json` is it."""
    references, definitions = models_json_schema([(StatementOut, "serialization")], ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A statement of consumption",
        **references[StatementOut, "serialization"],
        "$defs": definitions["$defs"],
    }
