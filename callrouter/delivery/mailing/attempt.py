"""One mail, one transaction: how far it came, and what that means."""

from __future__ import annotations

import re
from typing import Final

import aiosmtplib

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Outcome
from callrouter.delivery.mailing.connections import SmtpConnections, certificate_fault
from callrouter.delivery.ports import Delivery
from callrouter.delivery.servers import MailServer

_LONGEST_ANSWER: Final = 300
"""Characters of what a server says."""
_TOO_LARGE: Final = 552
_GOING_AWAY: Final = (421, 521)
"""The server ends the connection (RFC 5321, 3.8; RFC 7504): nothing was taken."""

_NOT_OFFERED: Final = (aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported)
"""The library's words for STARTTLS or AUTH that the server does not have: the first has no class of its own."""


class _Away(Exception):
    """The server ends the connection, and said so."""


class MailAttempt:
    """One delivery to one mailbox.

    Args:
        server: that it goes by.
        delivery: the mail.
        mailbox: `name@example.org`.
    """

    def __init__(self, server: MailServer, delivery: Delivery, mailbox: str) -> None:
        self._server = server
        self._host = f"{server.host}:{server.port}"
        self._delivery = delivery
        self._mailbox = mailbox
        self._begun = False
        """The mail itself is on its way: what the server does not answer now, it may have done."""

    async def over(self, connections: SmtpConnections) -> Outcome:
        """Make it; when a connection that was kept turns out to be dead, on another one."""
        return await self._on(connections, fresh=False) or await self._on(connections, fresh=True) or self.unanswered()

    def unanswered(self, why: str = "the connection broke") -> FailedForNow:
        """What it came to when the server said nothing more."""
        if self._begun:
            reason = f"{self._host}: {why} after the mail was begun, and nobody knows whether it was taken"
            return FailedForNow(reason=reason, destination_answers=False, fate_unknown=True)
        return FailedForNow(reason=f"{self._host} took nothing: {why}", destination_answers=False)

    async def _on(self, connections: SmtpConnections, *, fresh: bool) -> Outcome | None:
        """None: it was a kept connection, and dead."""
        kept = False
        try:
            async with connections.connected(fresh=fresh) as connection:
                kept = connection.kept
                return await self._transaction(connection.client)
        except aiosmtplib.SMTPAuthenticationError as error:
            said = f"{self._host} does not take the user or the password of CALLROUTER_SMTP_URL: {_answer(error)}"
            return FailedForNow(reason=said, destination_answers=False)
        except aiosmtplib.SMTPResponseException as error:  # to our greeting
            return FailedForNow(reason=f"{self._host} takes no mail: {_answer(error)}", destination_answers=False)
        except (_Away, aiosmtplib.SMTPException, OSError) as error:
            if fault := certificate_fault(error):
                return FailedForNow(reason=self._certificate(fault), destination_answers=False)
            if type(error) in _NOT_OFFERED:
                said = f"{self._host} does not offer what CALLROUTER_SMTP_URL wants of it: {_one_line(str(error))}"
                return FailedForNow(reason=said, destination_answers=False)
            return None if kept and not self._begun else self.unanswered(_one_line(str(error)) or type(error).__name__)

    async def _transaction(self, client: aiosmtplib.SMTP) -> Outcome:
        offers = client.esmtp_extensions
        content = f"To: {self._mailbox}\r\n{self._delivery.body}".encode("ascii", "replace")
        options = [f"SIZE={len(content)}"] if "size" in offers else []
        reported = "dsn" in offers  # a server that does not offer it refuses the mail for it
        if reported:
            options += ["RET=HDRS", f"ENVID={_xtext(self._delivery.delivery_id)}"]
        try:
            await client.mail(self._server.sender, options=options)
            await client.rcpt(self._mailbox, options=["NOTIFY=SUCCESS,FAILURE"] if reported else [])
            self._begun = True
            answer = await client.data(content)
        except aiosmtplib.SMTPResponseException as error:
            return await self._refused(client, error)
        # What comes back names this: in the report that was asked for, or in the Message-ID of what bounced.
        return Delivered(answer=_one_line(f"{answer.code} {answer.message}"), receipt_id=self._delivery.delivery_id)

    async def _refused(self, client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException) -> Outcome:
        """What a refusal means; the connection is left as it was before the transaction."""
        if not 400 <= error.code <= 599:
            raise aiosmtplib.SMTPServerDisconnected(f"it answered {_answer(error)}")
        self._begun = False
        if error.code in _GOING_AWAY:
            raise _Away(_answer(error))
        try:
            await client.rset()
        except (aiosmtplib.SMTPException, OSError):
            client.close()
        said = f"{self._host} refused it: {_answer(error)}"
        if isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code != _TOO_LARGE:
            said = f"{self._host} takes no mail from {self._server.sender} (CALLROUTER_MAIL_FROM): {_answer(error)}"
            return FailedForNow(reason=said, destination_answers=True)
        if error.code >= 500:
            return FailedForGood(reason=said)
        return FailedForNow(reason=said, destination_answers=True)

    def _certificate(self, fault: str) -> str:
        return (
            f"the certificate of {self._host} is not valid ({fault}), and nothing is sent: "
            "renew it there, or have this machine trust who issued it"
        )


def _answer(error: aiosmtplib.SMTPResponseException) -> str:
    return _one_line(f"{error.code} {error.message}")


def _one_line(text: str) -> str:
    """What a server says, as a person may read it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_ANSWER]


def _xtext(text: str) -> str:
    """As DSN wants ids written (RFC 3461, 4)."""
    return re.sub(r"[^!-*,-<>-~]", lambda found: f"+{ord(found[0]) & 0xFF:02X}", text)[:100]
