"""A message of RFC 5322, plain and HTML, with the recordings.

Headers hold foreign names: `people` takes out what would end a line or turn it round, and `headers` encodes the rest.
Whom it goes to stands in the envelope; the channel writes To.
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from callrouter.delivery.parcel import Attachment, Parcel
from callrouter.delivery.rendering import headers, letter, people, recordings
from callrouter.delivery.rendering.recordings import Fate

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""Every server on the way takes it."""
_CONTENT_TYPE: Final = re.compile(r"([a-z]+)/([a-z0-9.+-]+)")
_LONGEST_NAME: Final = 200
"""Characters of a name in a header: it goes on in the text."""


def of(parcel: Parcel, *, sender: str, domain: str) -> str:
    """All of it, in ASCII, with lines that end with CR LF."""
    silent = parcel.confidential or parcel.kind != "message"
    read = [] if silent else recordings.read(parcel.messages)
    parts = list(letter.parts_of(parcel, read))
    made = EmailMessage(policy=_POLICY)
    made.set_content(letter.plain(parts), cte="quoted-printable")
    made.add_alternative(letter.html(parts, parcel.language), subtype="html", cte="quoted-printable")
    for one, recording in zip(parcel.messages, read, strict=False):
        if recording.fate is Fate.ATTACHED and one.recording is not None:
            _attach(made, one.recording, recording.content)
    return _head(parcel, sender, domain) + made.as_bytes().decode("ascii")


def _head(parcel: Parcel, sender: str, domain: str) -> str:
    name = people.on_one_line(parcel.client_name)[:_LONGEST_NAME].strip()
    said = {
        "From": headers.address(name, sender),
        "Subject": headers.text(letter.subject_of(parcel)[: 2 * _LONGEST_NAME].strip()),
        "Date": format_datetime(people.local(parcel.messages[0].taken_at, parcel.timezone)),
        "Message-ID": f"<{quote(parcel.delivery_id, safe='')}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    if parcel.kind == "message" and any(one.urgent for one in parcel.messages):
        said["Importance"] = "high"
    return "".join(f"{name}: {value}\r\n" for name, value in said.items())


def _attach(made: EmailMessage, attachment: Attachment, content: bytes) -> None:
    found = _CONTENT_TYPE.fullmatch(attachment.content_type.lower())
    kind, subtype = found.groups() if found and found[1] != "multipart" else ("application", "octet-stream")
    made.add_attachment(
        content, maintype=kind, subtype=subtype, filename=people.on_one_line(attachment.name)[:_LONGEST_NAME]
    )
