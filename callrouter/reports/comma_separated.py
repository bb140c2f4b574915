"""A report as CSV (RFC 4180): commas, CRLF, UTF-8; numbers with a point, shares 0 to 1, nothing where there is none.

A spreadsheet takes a text that begins with = + - @ or a tab for a formula, and some of them start programs by it. Names
that callers, clients or their files chose are given an apostrophe in front, which spreadsheets show as the text it
is. Numbers are left alone, telephone numbers in E.164 among them: read as a number they do no harm.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from callrouter.reports.flat import Cell, heads, table
from callrouter.reports.model import Report
from callrouter.reports.words import Language

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Also in the broad forms that East Asian spreadsheets read alike."""
_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?", re.ASCII)


def written(report: Report, language: Language) -> str:
    """The whole file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(head.name) for head in heads(report, language)])
    writer.writerows([_cell(cell) for cell in row] for row in table(report, language))
    return out.getvalue()


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    if text.startswith(_BEGINS_A_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return harmless(cell) if isinstance(cell, str) else repr(round(cell, 6))
