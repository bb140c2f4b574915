"""Says loudly how the PBX's queues differ from what the folder says: its callers would not be served as it says.

Asterisk's queues stand in its own files, the trees and the teams in the folder's. They are compared after each log-in,
whenever plans go live, and every half minute: a queue may also vanish, or be mended, by a reload of Asterisk's own.
AMI shows of a queue its members, strategy and bound; how long a phone rings, the pause after it and the wrap-up it does
not show (app_queue.c, manager_queues_status).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol

import structlog
from msgspec import Struct

from callrouter.asterisk.batch import Headers
from callrouter.asterisk.codec import AmiMessage
from callrouter.core.plan import Plan
from callrouter.dialplan.issues import how_many
from callrouter.errors import AmiError

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS: Final = 30.0
_SLICE: Final = 2
"""Plans gone through without a pause: some 0.1 ms, after which the loop may serve its callers."""
_FEW: Final = 5
"""Queues named in one sentence."""


class Lists(Protocol):
    """What the link can do for us (`AmiLink`)."""

    def collect(self, name: str, headers: Headers = ()) -> asyncio.Future[list[AmiMessage]]: ...


class Team(Struct, frozen=True, kw_only=True):
    """A queue as the folder says it is."""

    name: str
    members: Mapping[str, str]
    """Agents by the interface at which they are rung."""
    strategy: str
    max_callers: int
    """0: any number."""


class QueueCheck:
    """Which queues are missing, and which are not as the folder says.

    Args:
        link: the link to Asterisk.
        plans: those in service, by client; the same object as long as they are the same.
        teams: the teams of the folder as it is in service.
        due: set by whoever puts plans into service; a comparison clears it.
        link_up: whether it makes sense to ask.
        on_checked: called after each comparison with how many queues are missing, and how many differ.
    """

    def __init__(
        self,
        link: Lists,
        plans: Callable[[], Mapping[str, Plan]],
        teams: Callable[[], Sequence[Team]],
        *,
        due: asyncio.Event,
        link_up: Callable[[], bool],
        on_checked: Callable[[int, int], None],
    ) -> None:
        self._link = link
        self._plans = plans
        self._teams = teams
        self._link_up = link_up
        self._on_checked = on_checked
        self._due = due
        self._named: tuple[Mapping[str, Plan], dict[str, list[str]]] | None = None
        """Plans, and what was found in them: clients by the queue they name."""
        self.missing: Mapping[str, list[str]] = {}
        """By queue that the PBX lacks: the clients whose trees name it, as found the last time."""
        self.differences: Mapping[str, list[str]] = {}
        """By queue of the folder: what is otherwise on the PBX, each a sentence, as found the last time."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, as sentences without names of clients and agents; None when nothing is."""
        said = []
        if self.missing:
            clients = len({client for named in self.missing.values() for client in named})
            said.append(
                f"Asterisk has no queue {_some(self.missing)}, which the trees of {how_many(clients, 'client')} name: "
                "whoever is sent there overflows at once"
            )
        if self.differences:
            said.append(
                f"Asterisk's queue {_some(self.differences)} is not as the folder says; the engine's log and "
                "`callrouter status` say how"
            )
        return "; ".join([*said, _MEND]) if said else None

    @property
    def details(self) -> str | None:
        """The same with what differs, for whoever may read the agents' names."""
        if not self.differences:
            return self.trouble
        missing = [f"Asterisk has no queue {_some(self.missing)}, which trees name"] if self.missing else []
        found = [f"queue {name}: {what}" for name, several in self.differences.items() for what in several]
        return "; ".join([*missing, *found, _MEND])

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
        differences = {}
        for team in self._teams():
            if team.name.lower() in there:
                # One at a time: callers may be waiting in each, and each is an event of the answer.
                found = list(differences_of(team, await self._link.collect("QueueStatus", [("Queue", team.name)])))
            else:
                found = ["it is not there"] if team.name not in missing else []
            if found:
                differences[team.name] = found
        if (missing, differences) != (self.missing, self.differences):
            self._log(missing, differences)
        self.missing, self.differences = missing, differences
        self._on_checked(len(missing), len(differences))

    def _log(self, missing: Mapping[str, list[str]], differences: Mapping[str, list[str]]) -> None:
        for queue, clients in missing.items():
            if self.missing.get(queue) != clients:
                log.error(
                    "Asterisk lacks a queue that trees name: their callers overflow at once",
                    queue=queue,
                    clients=clients[:_FEW],
                    clients_in_all=len(clients),
                )
        for queue, found in differences.items():
            if self.differences.get(queue) != found:
                log.error("a queue of Asterisk is not as the folder says", queue=queue, differences=found)
        if not missing and not differences:
            log.info("Asterisk's queues are as the folder says")

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
    return {queue for about in abouts for queue in about.queues_named}


def differences_of(team: Team, answer: Sequence[AmiMessage]) -> Iterator[str]:
    """What QueueStatus shows of a queue that is otherwise than its team, each a sentence.

    An agent who has logged in by telephone or by hand, and is no member by the file, is no difference.
    """
    rung = set()
    for event in answer:
        if event["Event"] == "QueueParams":
            if event["Strategy"] != team.strategy:
                yield f"its strategy is {event['Strategy']}, and not {team.strategy}"
            if event["Max"] != str(team.max_callers):
                yield f"it holds {_callers(event['Max'])}, and not {_callers(str(team.max_callers))}"
        elif event["Event"] == "QueueMember":
            rung.add(event["Location"])
            if event["Location"] not in team.members and event["Membership"] == "static":
                yield f"{event['Name']} ({event['Location']}) is rung, and is no member"
    for interface, agent in team.members.items():
        if interface not in rung:
            yield f"{agent} ({interface}) is a member, and is not rung"


def _callers(bound: str) -> str:
    return "any number of callers" if bound == "0" else how_many(int(bound), "caller")


def _some(queues: Mapping[str, object]) -> str:
    """The first few, each in quotes."""
    more = f" and {len(queues) - _FEW} more" if len(queues) > _FEW else ""
    return ", ".join(f'"{queue}"' for queue in islice(queues, _FEW)) + more


_MEND: Final = "render Asterisk's files from this folder, and reload its queues"
