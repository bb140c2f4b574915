"""Has written down what a mail that came back says, of a telling or in answer to it. Nothing it holds is our error."""

from __future__ import annotations

import asyncio
import re
from enum import Enum, auto
from typing import Final

import structlog

from callrouter.core.dispatch import Means
from callrouter.dispatch.receipts.answers import answer_in
from callrouter.dispatch.receipts.parts import Mail, one_line
from callrouter.dispatch.receipts.reading import Read, is_of_a_server, read
from callrouter.errors import MailUnreadable, StoreError
from callrouter.logs import Outage
from callrouter.runtime.ports import Clock
from callrouter.store.database import Database
from callrouter.store.dispatch.receipts import Noted, note_receipt
from callrouter.store.dispatch.replies import Reply, take_reply

log = structlog.get_logger(__name__)

AGAIN_SECONDS: Final = 0.25
"""Between two looks at a telling of which it is not written down yet that it was sent: reports can be that fast."""
PATIENCE_SECONDS: Final = 10.0
"""After which whoever brought the report is to come again."""
_MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s{0,4}([^\r\n]{1,200})", re.IGNORECASE | re.MULTILINE)
_HEAD_BYTES: Final = 65_536


class Taken(Enum):
    """What is said to whoever brought a mail."""

    DONE = auto()
    """It need not be brought again, whether it said anything or not."""
    LATER = auto()
    """It is to be brought again."""


class Reports:
    """Of one worker, whether it holds the lease or not.

    Args:
        database: open.
        clock: for when it was heard.
        domain: that the Message-IDs of our mail end with.
        patience_seconds: how long a telling is waited for that is on its way.
    """

    def __init__(
        self, database: Database, clock: Clock, domain: str, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._database = database
        self._clock = clock
        self._domain = domain
        self._patience_seconds = patience_seconds
        self._away = Outage(
            log, "reports on mail wait: PostgreSQL is away", "reports on mail are taken again: PostgreSQL is back"
        )

    async def take(self, content: bytes, sender: str) -> Taken:
        """One mail, with whom its envelope names as the sender; empty: nobody."""
        try:
            found = await asyncio.to_thread(self._read, content, sender)
        except Exception as error:  # whoever sent it is to blame, and nobody can mend it: it must not come again
            reason = str(error) if isinstance(error, MailUnreadable) else repr(error)
            log.warning("a mail that came back cannot be read", mail=_message_id(content), reason=reason)
            return Taken.DONE
        if found is None:
            log.info("a mail that came back says nothing of ours", mail=_message_id(content))
            return Taken.DONE
        try:
            if isinstance(found, Reply):
                return await self._answer(found)
            noted = await self._note(found)
        except StoreError as error:
            self._away.failed(str(error))
            return Taken.LATER
        self._away.ended()
        if noted is Noted.NOT_YET:
            return Taken.LATER
        log.info("a report on mail was taken", delivery=found.delivery_id, fate=found.fate.value, came_to=noted.name)
        return Taken.DONE

    def _read(self, content: bytes, sender: str) -> Read | Reply | None:
        mail = Mail(content)
        said = read(mail, sender, self._domain)
        if said is not None or is_of_a_server(mail, sender):
            return said
        return answer_in(mail, content, sender, self._domain)

    async def _answer(self, reply: Reply) -> Taken:
        outcome = await take_reply(self._database, reply, self._clock.now())
        self._away.ended()
        log.info("an answer to a mail was taken", came_to="nothing new" if outcome is None else outcome.value)
        return Taken.DONE

    async def _note(self, found: Read) -> Noted:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_seconds
        while True:
            at = self._clock.now()
            noted = await note_receipt(self._database, found.delivery_id, Means.EMAIL, found.fate, found.said, at)
            if noted is not Noted.NOT_YET or loop.time() >= deadline:
                return noted
            await asyncio.sleep(AGAIN_SECONDS)


def _message_id(content: bytes) -> str:
    """By which the operator finds it in the mail server's log."""
    match = _MESSAGE_ID.search(content[:_HEAD_BYTES])
    return one_line(match[1].decode("ascii", "replace")) if match else "without a Message-ID"
