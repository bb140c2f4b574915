"""Writes facts to the log: what an operator asks about at three in the morning."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from callrouter.core import facts
from callrouter.core.call import Call
from callrouter.core.explain import nodes_reached
from callrouter.core.facts import Fact

TOGETHER_SECONDS: Final = 0.25
"""Calls that end within this time are written together: the first line costs as much as the next ten."""


class FactLog:
    """An observer of facts: calls that begin and end, and trouble.

    Make it when the log is configured: it keeps its logger, because finding one takes as long as writing a line.
    """

    interests: Final[frozenset[type[Fact]]] = frozenset(
        {facts.CallStarted, facts.CallTransferred, facts.TroubleMet, facts.InputRefused, facts.CallEnded}
    )

    def __init__(self) -> None:
        self._log = structlog.get_logger(__name__).bind()
        self._ended: list[Call] = []
        self._writing: asyncio.TimerHandle | None = None

    def observe(self, told: Sequence[Fact]) -> None:
        """Trouble is written at once, the end of a call soon."""
        for fact in told:
            match fact:
                case facts.CallStarted(call=call):
                    self._log.debug(
                        "call", call_id=call.call_id, client=call.client, did=call.did, caller=call.caller.number
                    )
                case facts.TroubleMet(call=call, reason=reason):
                    self._log.warning(
                        "trouble", call_id=call.call_id, client=call.client, node=call.node, reason=reason
                    )
                case facts.CallTransferred(call=call, by=by, target=target, refusal=refusal):
                    self._log.info(
                        "transfer",
                        call_id=call.call_id,
                        client=call.client,
                        by=by,
                        target=target,
                        **({"refused": refusal} if refusal else {}),
                    )
                case facts.InputRefused(call=call, reason=reason):
                    self._log.debug("input refused", call_id=call.call_id, client=call.client, reason=reason)
                case facts.CallEnded(call=call):
                    self._ended.append(call)
                    if self._writing is None:
                        self._writing = asyncio.get_running_loop().call_later(TOGETHER_SECONDS, self.flush)
                case _:
                    pass

    def flush(self) -> None:
        """Write what has not been written yet."""
        if self._writing is not None:
            self._writing.cancel()
        self._writing = None
        ended, self._ended = self._ended, []
        for call in ended:
            self._log.info(
                "call ended",
                call_id=call.call_id,
                client=call.client,
                disposition=call.disposition,
                path=" → ".join(nodes_reached(call)),
            )
