"""Where the mail server hands us what came back: LMTP (RFC 2033), of aiosmtpd, with limits of our own.

Whoever may connect may say what became of any mail whose id they know: nobody is asked who they are, and so it listens
on this machine only, unless the operator says otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from callrouter.dispatch.receipts.noting import Taken

log = structlog.get_logger(__name__)

MOST_BYTES: Final = 10 * 1024 * 1024
"""Of a mail: more than Postfix lets through as it is installed."""
MOST_CONNECTIONS: Final = 8
"""At once. The mail server comes again; what a mail is held in while it comes can be many times its size."""
TIMEOUT_SECONDS: Final = 60.0
"""For each command, and for a whole mail with what is done of it."""
_LONGEST_LINE: Final = 65_536

Take = Callable[[bytes, str], Awaitable[Taken]]
"""Mail and its envelope's sender."""

# What it would log are addresses and lines of mail.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Entrance:
    """What aiosmtpd asks; of all connections."""

    def __init__(self, take: Take) -> None:
        self._take = take

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        """Whoever it is for; one at a time, or there would have to be an answer for each."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode(errors="replace")
        try:
            taken = await self._take(raw, envelope.mail_from or "")
        except Exception:
            log.exception("a report on mail could not be taken: a fault of ours")
            taken = Taken.LATER
        return "250 2.0.0 taken" if taken is Taken.DONE else "451 4.3.0 not now: bring it again"

    async def handle_exception(self, error: Exception) -> str:
        """A command that aiosmtpd cannot make anything of."""
        log.debug("a command of the mail server's was not understood", error=repr(error))
        return "500 5.5.2 not understood"


class Line(LMTP):
    """One connection."""

    line_length_limit = _LONGEST_LINE

    def __init__(self, entrance: Entrance, open_: set[Line]) -> None:
        super().__init__(
            entrance,
            data_size_limit=MOST_BYTES,
            hostname=socket.gethostname(),
            ident="callrouter LMTP",
            timeout=TIMEOUT_SECONDS,
            loop=asyncio.get_running_loop(),
        )
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to talk, unless there are too many."""
        super().connection_made(transport)
        assert self._handler_coroutine is not None
        self._handler_coroutine.add_done_callback(_seen)
        self._open.add(self)
        if len(self._open) > MOST_CONNECTIONS and isinstance(transport, asyncio.Transport):
            self._handler_coroutine.cancel()
            transport.write(b"421 4.3.2 too many connections: come again\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """What was not taken is not."""
        self._open.discard(self)
        super().connection_lost(error)

    def abort(self) -> None:
        """End it now."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


def _seen(task: asyncio.Task[Any]) -> None:
    """That a connection broke in the middle is no news: the mail server comes again."""
    if not task.cancelled():
        task.exception()


async def listen_for_reports(listening: socket.socket, take: Take) -> None:
    """Until cancelled. The socket is closed at the end."""
    lines: set[Line] = set()
    entrance = Entrance(take)
    server = await asyncio.get_running_loop().create_server(partial(Line, entrance, lines), sock=listening)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        server.close()
        for line in list(lines):
            line.abort()
