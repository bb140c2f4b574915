"""Forms of a report: which there are, and the bytes of one. What is heavy is imported by the form that needs it.

JSON is no form of its own here: it is the answer of the API, and so made there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from callrouter.reports.making import ALL_ROWS
from callrouter.reports.model import By, Report
from callrouter.reports.reading import Asked
from callrouter.reports.words import Language


class Format(StrEnum):
    """As what a report is given."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    SVG = "svg"
    PDF = "pdf"


MEDIA_TYPES: Final = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.SVG: "image/svg+xml",
    Format.PDF: "application/pdf",
}
"""Of the forms that are files."""


def needed(asked: Asked, form: Format) -> list[Asked]:
    """The reports of which a file is made, the one that is asked for first: a client's printed period has its days,
    hours and weekdays as well."""
    if form is not Format.PDF or not _is_clients(asked):
        return [asked]
    # Days stand for themselves: the first of a month is another weekday than the first of the one before.
    days = replace(asked, by=By.DAY, order=ALL_ROWS, comparison=None)
    return [asked, days, *(replace(asked, by=by, order=ALL_ROWS) for by in (By.HOUR, By.WEEKDAY))]


def written(reports: Sequence[Report], form: Format, language: Language) -> bytes:
    """The file of the reports that it needs. It takes a while: not for an event loop."""
    report = reports[0]
    match form:
        case Format.CSV:
            from callrouter.reports import comma_separated

            return comma_separated.written(report, language).encode()
        case Format.XLSX:
            from callrouter.reports import spreadsheet

            return spreadsheet.written(report, language)
        case Format.SVG:
            from callrouter.reports import chart

            return chart.drawn(report, language).encode()
        case Format.PDF:
            from callrouter.reports import document, printed

            is_whole = len(reports) > 1 and report.rows
            made = document.of_client(reports, language) if is_whole else document.of_report(report, language)
            return printed.written(made, report.made_at)
        case _:
            raise ValueError(f"{form} is no file")


def _is_clients(asked: Asked) -> bool:
    return asked.by is By.CLIENT and asked.clients is not None and len(asked.clients) == 1


def file_name(asked: Asked, form: Format) -> str:
    """What the file is called where nobody says it."""
    whose = "-".join(asked.clients) if asked.clients and len(asked.clients) <= 3 else "clients"
    return f"report-{whose}-by-{asked.by}.{form}"
