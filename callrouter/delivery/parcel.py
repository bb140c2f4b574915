"""What somebody is told of messages, before it is written for one of the ways to tell it (`delivery.rendering`)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

Kind = Literal["message", "notice", "code"]
"""What is told: a message, that somebody else has taken it on, or a code by which a confidential one is opened."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that goes with a message."""

    name: str
    """As the receiver sees it."""
    content_type: str
    """`audio/wav`."""
    path: Path
    """Read when the message is written; it may be gone by then."""


class Told(Struct, frozen=True, kw_only=True):
    """One message, as somebody is told it."""

    message_id: str
    taken_at: datetime
    """Aware."""
    urgent: bool
    caller_number: str
    """E.164, or as it came; empty: withheld."""
    caller_name: str
    text: str
    fields: tuple[tuple[str, str], ...]
    """Label and value, in the form's order."""
    recording: Attachment | None
    seconds: float
    """Of the recording."""
    transcript: str = ""
    """What a machine understood of the recording; empty: nothing, or nothing yet."""
    transcript_by: str = ""
    """Which machine."""
    link: str
    """`https://…/m/TOKEN`; empty: CALLROUTER_PUBLIC_URL is not set."""


class Parcel(Struct, frozen=True, kw_only=True):
    """What one contact is told at once, by one of the ways to tell it."""

    delivery_id: str
    """The same at each repetition."""
    client: str
    client_name: str
    """As people call it; it is said even of what is confidential."""
    timezone: str
    """IANA's name: the client's."""
    language: str
    """In which the contact is written to; one that nobody has translated is English."""
    contact: str
    """The document's name for the receiver."""
    contact_title: str
    kind: Kind
    messages: tuple[Told, ...]
    """At least one; several are a digest."""
    confidential: bool
    """What leaves the house holds a link, and nothing of the message."""
    acknowledged_by: str = ""
    """Of a notice: who took it on, as people call them."""
    acknowledged_at: datetime | None = None
    """Of a notice: when."""
    code: str = ""
    """Of a code: it."""
    reply_code: str = ""
    """With which they answer to take all of it on; empty: an answer does not reach us."""
    secret: str = ""
    """Name of the secret by which what is posted is signed; empty: it is not signed."""
