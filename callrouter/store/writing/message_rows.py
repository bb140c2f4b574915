"""Messages in their table as soon as they are complete: whoever is to be told need not wait for the end of the call.

The call's own row brings them once more, whatever became of it here, and an engine that is killed leaves them in its
journal of facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from callrouter.core.facts import Fact, MessageLeft
from callrouter.logs import Outage
from callrouter.store.writing.soon import WrittenSoon
from callrouter.store.writing.writer import NumberedFact, RowsRefused, Writer

log = structlog.get_logger(__name__)

MOST: Final = 10_000
"""Messages that wait in memory; later ones come with the rows of their calls alone."""
AT_ONCE: Final = 500
"""Messages a transaction."""
PAUSE_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 2.0


class MessageRows:
    """An observer of messages, and a task (`run`) that writes their rows."""

    interests: Final[frozenset[type[Fact]]] = frozenset({MessageLeft})

    def __init__(self, writer: Writer) -> None:
        """`writer` is its own: it connects with the first message."""
        self._writer = writer
        self._waiting: list[NumberedFact] = []
        away = Outage(log, "messages wait for their calls: PostgreSQL is away", "messages are written at once again")
        self._soon = WrittenSoon(
            self._flush,
            away,
            waiting=lambda: len(self._waiting),
            pause_seconds=PAUSE_SECONDS,
            retry_seconds=RETRY_SECONDS,
        )

    def observe(self, told: Sequence[Fact]) -> None:
        """Take note of what was left; costs next to nothing."""
        for fact in told:
            if type(fact) is MessageLeft and len(self._waiting) < MOST:
                self._waiting.append(_fact(fact))
                self._soon.due()

    async def run(self) -> None:
        """Write until cancelled."""
        await self._soon.run()

    async def close(self) -> None:
        """Write what waits, if that is soon done; else it comes with its call's row."""
        await self._soon.close()
        self._writer.close()

    async def _flush(self) -> None:
        while taken := self._waiting[:AT_ONCE]:
            await self._write(taken)
            del self._waiting[: len(taken)]

    async def _write(self, taken: Sequence[NumberedFact]) -> None:
        try:
            await self._writer.write_facts(taken)
        except RowsRefused as error:
            if len(taken) > 1:
                for one in taken:
                    await self._write([one])
                return
            # Its call's row is cleaned of what PostgreSQL cannot hold, and so is the message that comes with it.
            log.warning("a message comes with its call only", call_id=taken[0].call_id, reason=str(error))


def _fact(left: MessageLeft) -> NumberedFact:
    call = left.call
    return NumberedFact(
        call_id=call.call_id,
        pbx=call.pbx,
        revision=call.revision,
        fact=left.message,
        client=call.client,
        plan_version=call.plan_version,
        caller=call.caller,
        position=call.messages.index(left.message) + 1,
    )
