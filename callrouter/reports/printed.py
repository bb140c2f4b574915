"""A document as PDF (A4), by typst: in one process, with its own fonts, and nothing read but the template.

What the document says is handed over as data, so that nothing of it is read as markup. The same document is the same
file, byte for byte: its date is that of the report.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import msgspec
import typst

from callrouter.reports.document import Document


def written(document: Document, made_at: datetime) -> bytes:
    """The whole file."""
    template = files("callrouter.reports").joinpath("templates", "report.typ").read_bytes()
    said = msgspec.json.encode(document).decode()
    at = made_at.astimezone(UTC).replace(microsecond=0)
    found = typst.compile(template, sys_inputs={"report": said}, ignore_system_fonts=True, timestamp=at)
    assert isinstance(found, bytes)
    return found
