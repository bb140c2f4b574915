"""A report as one table, for whoever goes on computing with it: a row of heads, and rows of values in their own units.

Every figure of the period that it is compared with stands beside its own. Rows under each promise follow the row they
are a part of; the others and the total come last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callrouter.reports.model import By, Report, Row, Unit, Value
from callrouter.reports.words import OF, Language, label, said, term

Cell = str | Value


@dataclass(frozen=True, slots=True)
class Head:
    """Of one column; without a unit it holds words."""

    name: str
    unit: Unit | None = None


def heads(report: Report, language: Language) -> list[Head]:
    """The heads, in order."""
    found = [Head(OF[language][report.by])]
    if with_clients(report):
        found.append(Head(OF[language][By.CLIENT]))
    found.append(Head(said("promised", language)))
    before = said("before", language)
    for column in report.columns:
        name = term(column.name, language).name
        found.append(Head(name, column.unit))
        if report.comparison is not None:
            found.append(Head(f"{name} ({before})", column.unit))
    found.append(Head(said("verdict", language)))
    return found


def table(report: Report, language: Language) -> Iterator[list[Cell]]:
    """The rows, as long as the heads each."""
    for row in report.rows:
        name = "" if row.key is None else label(report.by, row.key, language)
        yield _cells(report, row, name, language)
        for part in row.parts:
            yield _cells(report, part, name, language)
    if report.others is not None:
        yield _cells(report, report.others, said("others", language, n=report.others.folded), language)
    if report.total is not None:
        yield _cells(report, report.total, said("total", language), language)


def with_clients(report: Report) -> bool:
    """Whether the client of each row is told beside it."""
    return any(row.client is not None for row in report.rows)


def verdict(row: Row, language: Language) -> str:
    """Whether the target was reached, in a word; nothing where there is none."""
    return "" if row.reached is None else said("reached" if row.reached else "missed", language)


def _cells(report: Report, row: Row, name: str, language: Language) -> list[Cell]:
    cells: list[Cell] = [name]
    if with_clients(report):
        cells.append(row.client or "")
    cells.append("" if row.basis is None else str(row.basis))
    for place, value in enumerate(row.cells):
        cells.append(value)
        if report.comparison is not None:
            cells.append(None if row.before is None else row.before[place])
    cells.append(verdict(row, language))
    return cells
