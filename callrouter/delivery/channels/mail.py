"""Sends mail by the operator's own server (RFC 5321); the body is a whole message but for its To.

That the server took it says nothing of the mailbox. Where the server offers DSN (RFC 3461) it is asked to report
success and failure to whoever the mail is from, under the delivery's id. Whoever was refused for good (5xx) is not
tried again; what is wrong with our own set-up, such as a password, can be mended, and is. When the connection breaks
after the mail was begun, nobody knows whether it was taken: sent again, it has the same Message-ID.
"""

from __future__ import annotations

import asyncio
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from callrouter.delivery.channel import Channel, Outcome, Tools
from callrouter.delivery.ports import Delivery

if TYPE_CHECKING:  # loaded with the first mail: an engine sends none, and has to start quickly
    from callrouter.delivery.mailing.connections import SmtpConnections
    from callrouter.delivery.servers import MailServer

ATTEMPT_SECONDS: Final = 60.0
"""Servers look through a mail before they answer for it."""
ANSWER_SECONDS: Final = 30.0
"""For each answer."""
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LONGEST: Final = 254


class Mail(Channel):
    """SMTP.

    Args:
        tools: with the mail server.
        answer_seconds: how long each of its answers is waited for.
    """

    name = "mail"
    schemes = frozenset({"mailto"})
    deadline_seconds = ATTEMPT_SECONDS + 2.0  # the attempt's own end comes first, and knows how far it came

    def __init__(self, tools: Tools, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        super().__init__(tools)
        self._answer_seconds = answer_seconds

    def check(self, address: str) -> str | None:
        """Whether it is one mailbox, and there is a server."""
        if _mailbox(address) is None:
            return "it is not one mail address in plain letters: mailto:name@example.org"
        return "no mail server is set: CALLROUTER_SMTP_URL" if self.tools.mail is None else None

    def destination(self, address: str) -> str:
        """The server: whoever mail is for, that is who answers."""
        return f"{self._server.host}:{self._server.port}"

    async def send(self, delivery: Delivery) -> Outcome:
        """One transaction."""
        from callrouter.delivery.mailing.attempt import MailAttempt

        attempt = MailAttempt(self._server, delivery, _mailbox(delivery.address) or "")
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await attempt.over(self._connections)
        except TimeoutError:
            return attempt.unanswered(f"it had not ended after {ATTEMPT_SECONDS:g} s")

    async def close(self) -> None:
        """Take leave of the server."""
        if "_connections" in self.__dict__:
            await self._connections.close()

    @property
    def _server(self) -> MailServer:
        assert self.tools.mail is not None, "asked for addresses that pass the check"
        return self.tools.mail

    @cached_property
    def _connections(self) -> SmtpConnections:
        from callrouter.delivery.mailing.connections import SmtpConnections

        return SmtpConnections(self._server, answer_seconds=self._answer_seconds)


def _mailbox(address: str) -> str | None:
    """Of `mailto:` (RFC 6068), without anything more; None: it is no such address."""
    mailbox = unquote(address.partition(":")[2])
    return mailbox if len(mailbox) <= _LONGEST and _MAILBOX.fullmatch(mailbox) else None
