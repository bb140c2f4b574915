"""Reads addresses of the operator's own servers: the mail server's, and that of the pages that links lead to."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from callrouter.delivery.servers import MailServer, Security

_SECURITY: Final = {
    "smtp": (Security.NONE, 25),
    "smtp+starttls": (Security.STARTTLS, 587),
    "smtps": (Security.TLS, 465),
}
"""By scheme, with the port where none is said."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LONGEST_PUBLIC: Final = 120
"""Characters; a link must have room in an SMS beside the words."""


def mail_server(url: str, sender: str) -> MailServer:
    """The server that `smtp+starttls://user:password@host:port` names.

    Raises:
        ValueError: it names none, or sends a password readable for everybody on the way. Repeats nothing of it.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in _SECURITY:
        raise ValueError("it begins with none of smtp://, smtp+starttls://, smtps://")
    security, port = _SECURITY[scheme]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        raise ValueError("its parts cannot be told apart: percent-encode / @ : ? # in user and password") from None
    if not host or url.count("@") > 1 or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("its parts cannot be told apart: percent-encode / @ : ? # in user and password")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user.isprintable() and password.isprintable()):
        raise ValueError("user or password holds what no mail server is told: control characters")
    if user and security is Security.NONE and not _is_here(host):
        raise ValueError("it would send the password in the clear: write smtp+starttls:// or smtps://")
    return MailServer(host=host, port=port, security=security, user=user, password=password, sender=sender)


def mail_address(text: str) -> str:
    """An address that mail may come from, alone.

    Raises:
        ValueError: it is none.
    """
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError("it is no mail address")
    return text


def public_url(text: str) -> str:
    """Where people reach pages of ours from outside, without a slash at the end.

    Raises:
        ValueError: it is no such address, or what is confidential would be read on the way there.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in text:
        raise ValueError("it is not a web address, or more than one")
    _ = parts.port  # raises ValueError for what is not a port
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError("what people open there would be read on the way: it needs https")
    if not (text.isascii() and text.isprintable()) or len(text) > _LONGEST_PUBLIC or set(text) & set(' `"<>\\'):
        raise ValueError(f"it is longer than {_LONGEST_PUBLIC} characters, or holds signs that no address has")
    return text.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
