"""The clients' mail server: whatever callrouter tells them by mail is kept, and shown at the end."""

from __future__ import annotations

import asyncio
import email
import email.policy
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


@dataclass
class Mailbox:
    """All mailboxes of all clients in one."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @classmethod
    async def open(cls) -> Mailbox:
        """On a free port of the loopback."""
        box = cls(port=0)
        loop = asyncio.get_running_loop()
        box._server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
        box.port = box._server.sockets[0].getsockname()[1]
        return box

    async def close(self) -> None:
        """Take no more."""
        assert self._server is not None
        self._server.close()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        self.mails.append(email.message_from_bytes(raw, policy=email.policy.default))
        return "250 2.0.0 kept"

    async def quiet(self, seconds: float) -> None:
        """Until no mail has come for so long."""
        known = -1
        while known != len(self.mails):
            known = len(self.mails)
            await asyncio.sleep(seconds)
