"""What /api/reports answers, and `callrouter report --format json` prints: a report with all its figures.

Shares are 0 to 1, durations seconds, and null is what there was nothing to compute from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from pydantic import Field
from pydantic.json_schema import models_json_schema

from callrouter.api.schemas.base import Instant, Out
from callrouter.api.schemas.stats import GapOut, TargetOut
from callrouter.core.service_level import WaitingClock
from callrouter.periods import Comparison
from callrouter.reports.model import By, Report, Row, Span, Unit, Value
from callrouter.reports.notes import title
from callrouter.reports.words import Language, basis, label, said, term

_FIGURES: Any = Field(
    description="By the name of their column", examples=[{"offered": 412, "pickup_rate": 0.953, "asa_seconds": 8.2}]
)


class ColumnOut(Out):
    """One figure that every row has."""

    name: str = Field(examples=["pickup_rate"])
    unit: Unit = Field(description="A share is 0 to 1", examples=[Unit.SHARE])
    title: str = Field(description="In the report's language", examples=["Pickup rate"])
    means: str = Field(examples=["Answered ÷ offered, short abandons left out."])


class SpanOut(Out):
    """The period on the clocks of one zone."""

    zone: str = Field(examples=["Europe/Paris"])
    from_at: datetime = Field(description="With the zone's offset: included", examples=["2026-10-01T00:00:00+02:00"])
    to_at: datetime = Field(description="Not included", examples=["2026-11-01T00:00:00+01:00"])


class BasisOut(TargetOut):
    """What service levels were made with."""

    clock: WaitingClock = Field(description="From when waiting is measured")
    promised: bool = Field(description="false: the default stands in, because no promise is known")
    says: str = Field(description="The same in a sentence, to be shown beside the figures")


class PartOut(Out):
    """Figures under one promise."""

    basis: int = Field(description="Of `bases`, from 1 on", examples=[1])
    figures: dict[str, Value] = _FIGURES
    reached: bool | None = Field(description="Whether the target was reached; null: there is none, or no call")


class RowOut(Out):
    """One line."""

    key: str | int | None = Field(
        description="A name, a number, a version; a day, or the first day of a month; an hour that clocks show (0 to "
        "23); a weekday (1 is Monday). null: a total, or what `top` left out",
        examples=["cabinet-moreau"],
    )
    label: str = Field(description="The same in the report's language", examples=["cabinet-moreau"])
    client: str | None = Field(description="Whose row it is, where it is one client's", examples=["cabinet-moreau"])
    figures: dict[str, Value] = _FIGURES
    before: dict[str, Value] | None = Field(
        description="The same of the period that it is compared with", examples=[{"offered": 398}]
    )
    basis: int | None = Field(description="Of `bases`, from 1 on; null: several, see `promises`, or none")
    reached: bool | None = Field(description="Whether the target was reached; null: there is none, or no call")
    promises: list[PartOut] = Field(description="Under each promise; empty unless there are several")
    calls: list[str] = Field(
        description="Pages that list exactly the calls of this row; empty where none does",
        examples=[["/api/calls?client=cabinet-moreau&from=2026-09-30T22%3A00%3A00Z&to=2026-10-31T23%3A00%3A00Z"]],
    )
    folded: int = Field(description="How many rows it stands for; 0: itself", examples=[0])


class ReportOut(Out):
    """A report."""

    title: str = Field(examples=["Calls by client · All clients · October 2026 (Europe/Paris)"])
    by: By = Field(description="What it has a row for", examples=[By.CLIENT])
    language: Language
    clients: list[str] | None = Field(description="Whose calls; null: everybody's", examples=[["cabinet-moreau"]])
    made_at: Instant
    periods: list[SpanOut] = Field(description="The period on the clocks of each zone that it follows")
    columns: list[ColumnOut]
    rows: list[RowOut]
    others: RowOut | None = Field(description="What `top` left out, together")
    total: RowOut | None = Field(
        description="null where rows cannot be added: a call may be in several of them. Its service level is null "
        "where what was promised is measured in different ways"
    )
    bases: list[BasisOut] = Field(description="What the service levels were made with; rows refer to them")
    gaps: list[GapOut] = Field(description="Times in which calls may be missing")
    comparison: Comparison | None = Field(description="With what it is compared")
    compared: list[SpanOut] = Field(description="That period")

    @classmethod
    def of(cls, report: Report, language: Language) -> ReportOut:
        """From the report."""

        def row(found: Row | None) -> RowOut | None:
            return None if found is None else _row(report, found, language)

        return cls(
            title=title(report, language),
            by=report.by,
            language=language,
            clients=None if report.clients is None else list(report.clients),
            made_at=report.made_at,
            periods=_spans(report.spans),
            columns=[
                ColumnOut(
                    name=one.name,
                    unit=one.unit,
                    title=term(one.name, language).name,
                    means=term(one.name, language).means,
                )
                for one in report.columns
            ],
            rows=[_row(report, one, language) for one in report.rows],
            others=row(report.others),
            total=row(report.total),
            bases=[
                BasisOut(**asdict(one.target), promised=one.promised, says=" ".join(basis(one, language)))
                for one in report.bases
            ],
            gaps=[GapOut.model_validate(one) for one in report.missing],
            comparison=report.comparison,
            compared=_spans(report.compared),
        )


def _spans(spans: Sequence[Span]) -> list[SpanOut]:
    return [SpanOut.model_validate(span) for span in spans]


def _row(report: Report, row: Row, language: Language) -> RowOut:
    if row.key is not None:
        named = label(report.by, row.key, language)
    elif row is report.total:
        named = said("total", language)
    else:
        named = said("others", language, n=row.folded)
    return RowOut(
        key=row.key if isinstance(row.key, str | int | None) else row.key.isoformat(),
        label=named,
        client=str(row.key) if report.by is By.CLIENT and row.key is not None else row.client,
        figures=_figures(report, row.cells),
        before=None if row.before is None else _figures(report, row.before),
        basis=row.basis,
        reached=row.reached,
        promises=[
            PartOut(basis=part.basis or 0, figures=_figures(report, part.cells), reached=part.reached)
            for part in row.parts
        ],
        calls=[f"/api/calls?{query}" for query in row.calls],
        folded=row.folded,
    )


def _figures(report: Report, cells: Sequence[Value]) -> dict[str, Value]:
    return {column.name: cell for column, cell in zip(report.columns, cells, strict=True)}


def schema() -> dict[str, Any]:
    """JSON Schema of it; `docs/report.schema.json` is it."""
    references, definitions = models_json_schema([(ReportOut, "serialization")], ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A report",
        **references[ReportOut, "serialization"],
        "$defs": definitions["$defs"],
    }
