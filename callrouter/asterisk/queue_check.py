"""Says loudly when the PBX lacks a queue that a tree names: its callers would overflow at once, and nobody would know.

Asterisk's queues stand in its own files, the trees in the clients'. They are compared after each log-in, whenever plans
go live, and every half minute, since a queue may also vanish, or be mended, by a reload of Asterisk's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

import structlog

from callrouter.asterisk.codec import AmiMessage
from callrouter.core.plan import Plan
from callrouter.errors import AmiError

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS: Final = 30.0
_SLICE: Final = 2
"""Plans gone through without a pause: some 0.1 ms, after which the loop may serve its callers."""
_FEW: Final = 5
"""Queues named in one sentence."""


class Asked(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def collect(self, name: str) -> asyncio.Future[list[AmiMessage]]: ...


class QueueCheck:
    """Which queues are missing.

    Args:
        link: the link to Asterisk.
        plans: those in service, by client; the same object as long as they are the same.
        due: set by whoever puts plans into service; a comparison clears it.
        link_up: whether it makes sense to ask.
        on_checked: told after each comparison how many queues are missing.
    """

    def __init__(
        self,
        link: Asked,
        plans: Callable[[], Mapping[str, Plan]],
        *,
        due: asyncio.Event,
        link_up: Callable[[], bool],
        on_checked: Callable[[int], None],
    ) -> None:
        self._link = link
        self._plans = plans
        self._link_up = link_up
        self._on_checked = on_checked
        self._due = due
        self._named: tuple[Mapping[str, Plan], dict[str, list[str]]] | None = None
        """Plans, and what was found in them: clients by the queue they name."""
        self.missing: Mapping[str, list[str]] = {}
        """By queue that the PBX lacks: the clients whose trees name it, as found the last time."""

    @property
    def trouble(self) -> str | None:
        """What is missing, as a sentence without names of clients; None when nothing is."""
        if not self.missing:
            return None
        queues = [f'"{queue}"' for queue in islice(self.missing, _FEW)]
        more = f" and {len(self.missing) - _FEW} more" if len(self.missing) > _FEW else ""
        clients = len({client for named in self.missing.values() for client in named})
        return (
            f"Asterisk has no queue {', '.join(queues)}{more}, which the trees of {clients} clients name: whoever is "
            "sent there overflows at once; render Asterisk's files from this folder, and reload its queues"
        )

    def look_soon(self) -> None:
        """After a log-in, or when somebody asks."""
        self._due.set()

    async def run(self) -> None:
        """Compare when due, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await self._due.wait()
            self._due.clear()
            if self._link_up():
                with suppress(AmiError):  # the next log-in does it again
                    await self.look()

    async def look(self) -> None:
        """Compare now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        named = await self._queues_named()
        # QueueSummary without a name lists every queue (app_queue.c, manager_queues_summary); names ignore case.
        answer = await self._link.collect("QueueSummary")
        there = {event["Queue"].lower() for event in answer if event["Event"] == "QueueSummary"}
        missing = {queue: clients for queue, clients in sorted(named.items()) if queue.lower() not in there}
        if missing != self.missing:
            self._tell(missing)
        self.missing = missing
        self._on_checked(len(missing))

    def _tell(self, missing: Mapping[str, list[str]]) -> None:
        for queue, clients in missing.items():
            if self.missing.get(queue) != clients:
                log.error(
                    "Asterisk lacks a queue that trees name: their callers overflow at once",
                    queue=queue,
                    clients=clients[:_FEW],
                    clients_in_all=len(clients),
                )
        if not missing:
            log.info("Asterisk has every queue that trees name")

    async def _queues_named(self) -> dict[str, list[str]]:
        """Clients by the queue that a node or a condition of theirs names."""
        plans = self._plans()
        if self._named is None or self._named[0] is not plans:
            found: dict[str, list[str]] = {}
            left = iter(plans.items())
            while some := list(islice(left, _SLICE)):
                for client, plan in some:
                    for queue in _queues_of(plan):
                        found.setdefault(queue, []).append(client)
                await asyncio.sleep(0)
            self._named = (plans, found)
        return self._named[1]


def _queues_of(plan: Plan) -> set[str]:
    abouts = (node.about() for node in plan.nodes.values())
    return {queue for about in abouts for queue in (*about.queues, *about.queues_seen)}
