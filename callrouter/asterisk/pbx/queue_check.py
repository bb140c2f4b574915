"""Says loudly how the PBX's queues and telephones differ from what the folder says: callers would not be served so.

Asterisk's queues stand in its own files, the trees and the teams in the folder's. They are compared after each log-in,
whenever plans go live, when the PBX's unit has applied something, and every half minute: a queue may also vanish, or be
mended, by a reload of Asterisk's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

import structlog

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.asterisk.pbx.missing_queues import by_consequence, consequence
from callrouter.asterisk.pbx.queue_differences import differences_of, written_of
from callrouter.asterisk.pbx.queues_named import QueuesNamed
from callrouter.asterisk.teams.document import Team, Teams
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import how_many
from callrouter.errors import ActionFailed, AmiError
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS: Final = 30.0
PENDING_SECONDS: Final = 0.2
"""How often the unit's work is waited for."""
_FEW: Final = 5
"""Queues named in one sentence."""


class Lists(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]: ...

    def send_batch(self, requests: list[tuple[str, dict[str, str]]]) -> list[asyncio.Future[AmiMessage]]: ...


class QueueCheck:
    """Which queues are missing, and which are not as the folder says.

    Args:
        link: the link to Asterisk.
        plans: those in service, by client; the same object as long as they are the same.
        teams: the teams and telephones that the PBX is to have.
        due: set by whoever puts plans into service; a comparison clears it.
        link_up: whether it makes sense to ask.
        pending: whether the PBX's unit is at work, so that what differs now is no news.
        on_checked: called after each comparison with how many queues are missing, how many differ, and how many
            telephones are missing.
        on_different: called when the PBX's unit could mend something.
    """

    def __init__(
        self,
        link: Lists,
        plans: Callable[[], Mapping[str, Plan]],
        teams: Callable[[], Teams],
        *,
        due: asyncio.Event,
        link_up: Callable[[], bool],
        on_checked: Callable[[int, int, int], None],
        pending: Callable[[], bool] = lambda: False,
        on_different: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = link
        self._named = QueuesNamed(plans)
        self._teams = teams
        self._link_up = link_up
        self._pending = pending
        self._on_checked = on_checked
        self._on_different = on_different
        self._due = due
        self.missing: Mapping[str, list[str]] = {}
        """By queue that the PBX lacks: the clients whose trees name it, as found the last time."""
        self.differences: Mapping[str, list[str]] = {}
        """By queue of the folder: what is otherwise on the PBX, each a sentence, as found the last time."""
        self.phones_missing: Sequence[str] = ()
        """Telephones of agents that the PBX lacks, as found the last time."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, as sentences without names of clients and agents; None when nothing is."""
        said = []
        for meanwhile, missing in by_consequence(self.missing).items():
            clients = len({client for named in missing.values() for client in named})
            said.append(
                f"Asterisk has no queue {_some(missing)}, which the trees of {how_many(clients, 'client')} name: "
                f"{meanwhile}"
            )
        if self.differences:
            said.append(
                f"Asterisk's queue {_some(self.differences)} is not as the folder says; the engine's log and "
                "`callrouter status` say how"
            )
        if self.phones_missing:
            said.append(f"Asterisk has no telephone for {how_many(len(self.phones_missing), 'agent')}")
        return "; ".join([*said, _MEND]) if said else None

    @property
    def details(self) -> str | None:
        """The same with what differs, for whoever may read the agents' names."""
        if not self.differences and not self.phones_missing:
            return self.trouble
        missing = [f"Asterisk has no queue {_some(self.missing)}, which trees name"] if self.missing else []
        found = [f"queue {name}: {what}" for name, several in self.differences.items() for what in several]
        phones = [f"Asterisk has no telephone {', '.join(self.phones_missing)}"] if self.phones_missing else []
        return "; ".join([*missing, *found, *phones, _MEND])

    def look_soon(self) -> None:
        """After a log-in, or when somebody asks."""
        self._due.set()

    async def run(self) -> None:
        """Compare when due, until cancelled."""
        while True:
            await pause(LOOK_AGAIN_SECONDS, self._due)
            self._due.clear()
            while self._pending():
                await asyncio.sleep(PENDING_SECONDS)
            if self._link_up():
                with suppress(AmiError):  # the next log-in does it again
                    await self.look()

    async def look(self) -> None:
        """Compare now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        named, teams = await self._named.look(), self._teams()
        # QueueSummary without a name lists every queue (app_queue.c, manager_queues_summary); names ignore case.
        answer = await self._link.collect("QueueSummary")
        there = {event["Queue"].lower() for event in answer if event["Event"] == "QueueSummary"}
        missing = {queue: clients for queue, clients in sorted(named.items()) if queue.lower() not in there}
        differences = {}
        for team in teams.teams:
            if team.name.lower() in there:
                found = await self._compared(team)
            else:
                found = ["it is not there"] if team.name not in missing else []
            if found:
                differences[team.name] = found
        phones = await self._phones_missing(teams) if teams.phones else []
        news = (missing, differences, phones) != (self.missing, self.differences, self.phones_missing)
        if news:
            self._log(missing, differences, phones)
        self.missing, self.differences, self.phones_missing = missing, differences, phones
        self._on_checked(len(missing), len(differences), len(phones))
        if news and (differences or phones or any(team.name in missing for team in teams.teams)):
            self._on_different()  # what stays after that is told, and is not for the unit to mend

    async def _compared(self, team: Team) -> list[str]:
        """How a queue that is there differs. One at a time: callers may be waiting in each, and each is an event."""
        shown = await self._link.collect("QueueStatus", [("Queue", team.name)])
        written = written_of(team)
        asked = [("Getvar", {"Variable": one.variable(team)}) for one in written]
        answers = await asyncio.gather(*self._link.send_batch(asked))
        found = [one.difference(answer["Value"]) for one, answer in zip(written, answers, strict=True)]
        return [*differences_of(team, shown), *filter(None, found)]

    async def _phones_missing(self, teams: Teams) -> list[str]:
        try:
            answer = await self._link.collect("PJSIPShowEndpoints")
        except ActionFailed:  # there is not one (pjsip_configuration.c, ami_show_endpoints)
            return list(teams.phones)
        there = {event["ObjectName"] for event in answer if event["Event"] == "EndpointList"}
        return [phone for phone in teams.phones if phone not in there]

    def _log(
        self, missing: Mapping[str, list[str]], differences: Mapping[str, list[str]], phones: Sequence[str]
    ) -> None:
        for queue, clients in missing.items():
            if self.missing.get(queue) != clients:
                log.error(
                    "Asterisk lacks a queue that trees name",
                    queue=queue,
                    meanwhile=consequence(queue),
                    clients=clients[:_FEW],
                    clients_in_all=len(clients),
                )
        for queue, found in differences.items():
            if self.differences.get(queue) != found:
                log.error("a queue of Asterisk is not as the folder says", queue=queue, differences=found)
        if phones and phones != self.phones_missing:
            log.error("Asterisk lacks telephones of agents: they are not rung", phones=phones)
        if not missing and not differences and not phones:
            log.info("Asterisk's queues and telephones are as the folder says")


def _some(queues: Mapping[str, object]) -> str:
    """The first few, each in quotes."""
    more = f" and {len(queues) - _FEW} more" if len(queues) > _FEW else ""
    return ", ".join(f'"{queue}"' for queue in islice(queues, _FEW)) + more


_MEND: Final = "`callrouter pbx apply`, on Asterisk's host, brings them there"
