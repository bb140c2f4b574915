"""A mail with a report enclosed (RFC 5322); in which words, whoever makes the report says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from callrouter.delivery.rendering import headers, people

_POLICY: Final = SMTP.clone(cte_type="7bit")
_LONGEST: Final = 200
"""Characters of a name, or of what is said in a header."""


class ReportMail(Struct, frozen=True, kw_only=True):
    """What it says, and the file that is enclosed."""

    delivery_id: str
    """The same at each repetition."""
    client_name: str
    subject: str
    paragraphs: Sequence[str]
    file_name: str
    content: bytes
    """PDF."""
    at: datetime
    """Aware, in the client's zone."""


def of(report: ReportMail, *, sender: str, domain: str) -> str:
    """All of it but its To, in ASCII, with lines that end with CR LF.

    Args:
        report: what is sent.
        sender: the address that mail comes from.
        domain: the one that Message-IDs end with.
    """
    made = EmailMessage(policy=_POLICY)
    said = [people.on_one_line(paragraph) for paragraph in report.paragraphs]
    made.set_content("\n\n".join(said) + "\n", cte="quoted-printable")
    made.add_attachment(report.content, maintype="application", subtype="pdf", filename=report.file_name)
    name = people.on_one_line(report.client_name)[:_LONGEST].strip()
    head = {
        "From": headers.address(name, sender),
        "Subject": headers.text(people.on_one_line(report.subject)[:_LONGEST].strip()),
        "Date": format_datetime(report.at),
        "Message-ID": f"<{quote(report.delivery_id, safe='')}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    return "".join(f"{key}: {value}\r\n" for key, value in head.items()) + made.as_bytes().decode("ascii")
