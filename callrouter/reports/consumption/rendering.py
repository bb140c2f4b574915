"""Forms of a statement of consumption, and the bytes of one. JSON is the API's, and so made there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from callrouter.consumption.statement import Statement
from callrouter.reports.words import Language


class Format(StrEnum):
    """As what a statement is given."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PDF = "pdf"


MEDIA_TYPES: Final = {Format.CSV: "text/csv; charset=utf-8; header=present", Format.PDF: "application/pdf"}
"""Of the forms that are files."""


def written(statements: Sequence[Statement], form: Format, language: Language, now: datetime) -> bytes:
    """The file: of several, CSV only. It takes a while: not for an event loop."""
    if form is Format.CSV:
        from callrouter.reports.consumption import comma_separated

        return comma_separated.lines(statements, language).encode()
    if form is not Format.PDF:
        raise ValueError(f"{form} is no file")
    from callrouter.reports.consumption.document import of_statement
    from callrouter.reports.printed import written as printed

    (one,) = statements
    return printed(of_statement(one, language, now), one.issued_at or now)


def file_name(statement: Statement, form: Format) -> str:
    """What the file is called where nobody says it."""
    return f"consumption-{statement.client}-{statement.month:%Y-%m}.{form}"
