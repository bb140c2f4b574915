"""A mail server on the loopback that behaves as badly as they come: as the name before the @ says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from callrouter.delivery.servers import MailServer, Security

SENDER = "messages@answering.example"
USER, PASSWORD = "answering", "p@ss:w/ord"

RECIPIENTS = {
    "greylisted": "451 4.7.1 come back later",
    "unknown": "550 5.1.1 no such user here",
    "full": "452 4.2.2 mailbox full",
    "over-quota": "552 5.2.2 over quota",
    "leaving": "421 4.3.2 shutting down",
}
"""What the server says to RCPT."""
MAILS = {
    "spam": "554 5.7.1 this looks like spam",
    "busy": "451 4.3.0 try again",
}
"""What it says to a mail."""


@dataclass
class MailBox:
    """What came in, and how often somebody connected."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    once: set[str] = field(default_factory=set)
    """Names that behave badly the next time only."""
    servers: list[SMTP] = field(default_factory=list)

    @property
    def server(self) -> MailServer:
        """As the settings have it."""
        return MailServer(host="127.0.0.1", port=self.port, security=Security.NONE, sender=SENDER)

    def secured(self, security: Security, password: str = "") -> MailServer:
        """The same, encrypted, with somebody who logs in if there is a password."""
        user = USER if password else ""
        return replace(self.server, security=security, user=user, password=password)

    def hang_up(self) -> None:
        """End all connections, as a server does that was idle for long or is started again."""
        for one in self.servers:
            if one.transport is not None:
                one.transport.close()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        """Take the recipient, or not."""
        how = address.partition("@")[0]
        self.commands.append(f"RCPT {how}")
        if how == "dropped-before":
            _abort(server)
        if how == "hanging":
            await asyncio.sleep(3600)
        if said := RECIPIENTS.get(how):
            return said
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the mail, or not."""
        how = envelope.rcpt_tos[0].partition("@")[0]
        if said := MAILS.get(how):
            return said
        content = envelope.content
        self.received.append(content if isinstance(content, bytes) else (content or "").encode())
        if how == "dropped-after" or how in self.once:
            self.once.discard(how)
            _abort(server)
        if how == "hanging-after":
            await asyncio.sleep(3600)
        return "250 2.0.0 taken as 4711"


def _abort(server: SMTP) -> None:
    transport = server.transport
    if isinstance(transport, asyncio.Transport) and not transport.is_closing():
        transport.abort()


def _authenticated(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[MailBox]:
    """One, on that port or a free one; encrypted if it has a certificate."""
    box = MailBox()

    def made() -> SMTP:
        box.connections += 1
        server = SMTP(
            box,
            hostname="mail.example",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_authenticated,
            auth_require_tls=True,
            loop=asyncio.get_running_loop(),
        )
        box.servers.append(server)
        return server

    listening = await asyncio.get_running_loop().create_server(made, "127.0.0.1", port, ssl=tls)
    box.port = listening.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        listening.close()
        for server in box.servers:
            if server.transport is not None and not server.transport.is_closing():
                _abort(server)
        await asyncio.sleep(0)
