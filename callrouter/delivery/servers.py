"""The operator's own servers, by which mail and SMS leave the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    """What a connection to a mail server is protected by."""

    NONE = "none"
    STARTTLS = "starttls"
    """Begun in the clear and encrypted before anything is said; a server that does not offer it gets nothing."""
    TLS = "tls"
    """Encrypted from the first byte on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """One that relays our mail."""

    host: str
    port: int
    security: Security
    user: str = ""
    """Empty: nobody logs in."""
    password: str = field(default="", repr=False)
    sender: str
    """The address that mail comes from, and that bounces and receipts go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """A provider's web service, or one's own, that sends SMS."""

    url: str
    secret: str = field(default="", repr=False)
    """Its bearer token; empty: it asks for none."""
    sender: str = ""
    """The number or name that SMS come from; empty: the gateway's own."""
