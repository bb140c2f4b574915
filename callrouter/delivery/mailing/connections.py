"""Connections to the operator's mail server: each kept for a while after a mail, and used again for the next.

A connection that broke, or on which something was left half said, is never used again. Certificates are checked by the
system's own authorities (`SSL_CERT_FILE` names others).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from callrouter.delivery.servers import MailServer, Security
from callrouter.runtime.tasks import Tasks

CONNECTIONS: Final = 4
"""At a time; servers refuse who has many."""
KEPT_SECONDS: Final = 20.0
"""Without a mail; servers end a connection after some minutes by themselves."""
QUIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One on which the server has said what it offers."""

    client: aiosmtplib.SMTP
    kept: bool
    """It was used before: the server may have ended it without our having heard."""


class SmtpConnections:
    """Those to one server.

    Args:
        server: it.
        answer_seconds: how long each of its answers is waited for.
    """

    def __init__(self, server: MailServer, *, answer_seconds: float) -> None:
        self._server = server
        self._answer_seconds = answer_seconds
        self._free: list[tuple[aiosmtplib.SMTP, asyncio.TimerHandle]] = []
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._tasks = Tasks()

    @asynccontextmanager
    async def connected(self, *, fresh: bool) -> AsyncIterator[Connection]:
        """A connection of which nobody else has the use: a `fresh` one, or one that is kept if there is any.

        It is closed when anything is raised inside.

        Raises:
            aiosmtplib.SMTPException, OSError: there is none to be had.
        """
        async with self._places:
            kept = None if fresh else self._kept()
            client = kept or await self._made()
            try:
                yield Connection(client=client, kept=kept is not None)
            except BaseException:
                client.close()
                raise
            self._keep(client)

    async def close(self) -> None:
        """Take leave of the server."""
        free, self._free = self._free, []
        for client, timer in free:
            timer.cancel()
            await self._quit(client)
        await self._tasks.stop()

    def _kept(self) -> aiosmtplib.SMTP | None:
        while self._free:
            client, timer = self._free.pop()
            timer.cancel()
            if client.is_connected:
                return client
        return None

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        if client.is_connected:
            timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._let_go, client)
            self._free.append((client, timer))

    def _let_go(self, client: aiosmtplib.SMTP) -> None:
        self._free = [(one, timer) for one, timer in self._free if one is not client]
        self._tasks.start(self._quit(client), "leave of the mail server")

    async def _quit(self, client: aiosmtplib.SMTP) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=QUIT_SECONDS)
        client.close()

    async def _made(self) -> aiosmtplib.SMTP:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            timeout=self._answer_seconds,
            local_hostname=_our_name(server.sender),
        )
        await client.connect()
        try:
            await client.ehlo()  # what it offers, also after a log-in, may be another list than before
        except BaseException:
            client.close()
            raise
        return client


def _our_name(sender: str) -> str:
    """How we greet: this machine's whole name, or the sender's domain; no name server is asked, which may take long."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() and name.isprintable() else sender.rpartition("@")[2]


def certificate_fault(error: BaseException | None) -> str:
    """What is wrong with the server's certificate, as OpenSSL says it; empty: the error is of something else."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or str(error)
        error = error.__cause__ or error.__context__
    return ""
