"""Reports as the documents write them: who is sent the figures of each month."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, ClassVar

from callrouter.core.dispatch.monthly import LANGUAGES
from callrouter.dialplan.documents.delivery import Clock
from callrouter.dialplan.language.fields import Block, Name, OneOf

MOST_REPORTS = 10
"""What one client may have."""


class ReportBlock(Block):
    """A report of each month that somebody of the client's is sent by mail, on the first of the month that follows."""

    missing: ClassVar[Mapping[str, str]] = {"to": "name the contact who is sent it: one with an email"}

    to: Name
    """The contact who is sent it: one with an `email`."""
    monthly: Annotated[str, OneOf("pdf")] = "pdf"
    """As what: `pdf`, two pages with the figures, days, hours and weekdays, compared with the month before."""
    at: Clock = time(7, 0)
    """From when on it is sent on the first, by the client's clock, in quotes; `"07:00"` unless said, and not before
    00:15: whoever rang at midnight is in it. A worker that is not there then sends it when it comes."""
    language: Annotated[str, OneOf(*LANGUAGES)] | None = None
    """`fr` or `en`; by default the contact's, else the client's, and English where it is neither."""
