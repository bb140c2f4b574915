"""Members of Asterisk's queues, and what AstDB keeps of agents: read as lists, changed by one write for each change.

Whoever logs in is a dynamic member, which app_queue keeps in AstDB with its pause, its reason and the penalty that it
was added with. It does not keep a penalty that QueuePenalty sets, nor any pause of a member of queues.conf
(app_queue.c, dump_queue_members). So a penalty that changes is followed by a pause or its end, which writes all of the
queue's members, and after each log-in what is there is compared with the roster.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from callrouter.asterisk.batch import Batch
from callrouter.asterisk.codec import AmiMessage, whole_number
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.pbx.astdb import entries

PREFIX: Final = "PJSIP/"
AGENTS: Final = "callrouter/agent"
"""Family of AstDB: where each agent stands (`roster`), by agent."""
WRAP_UPS: Final = "callrouter/wrap_up"
"""`<until>:<since>:<call>` by telephone, in seconds since 1970: extensions.conf, callrouter-wrap-up."""
ASKED: Final = "callrouter/asked"
"""`<wish>:<n>:<when>` by telephone: what an agent keyed in while no engine was there."""
PAUSES: Final = "callrouter/pause"
"""Reasons of pauses by `0<n>`, for a PBX alone."""
_GONE: Final = frozenset({"4", "5"})
"""Device states of a telephone that is not there (AST_DEVICE_INVALID, AST_DEVICE_UNAVAILABLE)."""


class Seen(Struct, frozen=True, kw_only=True):
    """A member, as Asterisk has it."""

    queue: str
    agent: str
    phone: str
    dynamic: bool
    paused: bool
    reason: str
    penalty: int
    reachable: bool


class Members:
    """What Asterisk has."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link

    async def queues(self) -> set[str]:
        """The queues that Asterisk has.

        Raises:
            AmiError: the link went away meanwhile.
        """
        # Without a name it lists every queue (app_queue.c, manager_queues_summary).
        answer = await self._link.collect("QueueSummary")
        return {event["Queue"] for event in answer if event["Event"] == "QueueSummary"}

    async def seen(self, queues: Iterable[str]) -> list[Seen]:
        """The members of these queues that are rung at a telephone of ours.

        Raises:
            AmiError: the link went away meanwhile.
        """
        found: list[Seen] = []
        for queue in queues:
            # One at a time: callers may be waiting in each, and each is an event of the answer.
            answer = await self._link.collect("QueueStatus", [("Queue", queue)])
            found += [
                _seen(event)
                for event in answer
                if event["Event"] == "QueueMember" and event["Location"].startswith(PREFIX)
            ]
        return found

    async def kept(self, family: str) -> dict[str, str]:
        """What AstDB holds of a family, by key.

        Raises:
            AmiError: the link went away meanwhile.
        """
        return dict(await entries(self._link, family))

    def change(self) -> Change:
        """Begin a change."""
        return Change(self._link.batch())


class Change:
    """One change: what is put together here leaves in one write. What fails is mended at the next comparison."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._any = False

    def __bool__(self) -> bool:
        return self._any

    def add(self, queue: str, phone: str, agent: str, *, penalty: int = 0, paused: bool = False) -> None:
        """Make somebody a member; a pause gets its reason by `pause`."""
        headers = {
            "Queue": queue,
            "Interface": PREFIX + phone,
            "MemberName": agent,
            "StateInterface": PREFIX + phone,
            "Penalty": str(penalty),
            "Paused": "true" if paused else "false",
        }
        self._post("QueueAdd", headers, about=agent)

    def remove(self, queue: str, phone: str) -> None:
        """Who rings or talks is not disturbed: a removed member finishes their conversation."""
        self._post("QueueRemove", {"Queue": queue, "Interface": PREFIX + phone}, about=phone)

    def pause(self, phone: str, reason: str, queue: str = "") -> None:
        """In one queue, or in all of them."""
        self._pause(phone, queue, {"Paused": "true", "Reason": reason})

    def resume(self, phone: str, queue: str = "") -> None:
        """End a pause."""
        self._pause(phone, queue, {"Paused": "false"})

    def _pause(self, phone: str, queue: str, headers: dict[str, str]) -> None:
        place = {"Interface": PREFIX + phone, **({"Queue": queue} if queue else {})}
        self._post("QueuePause", {**place, **headers}, about=phone)

    def set_penalty(self, queue: str, phone: str, penalty: int) -> None:
        """Follow it by `pause` or `resume`, or a restart of Asterisk forgets it."""
        headers = {"Queue": queue, "Interface": PREFIX + phone, "Penalty": str(penalty)}
        self._post("QueuePenalty", headers, about=phone)

    def put(self, family: str, key: str, value: str) -> None:
        """Have AstDB keep a value."""
        self._post("DBPut", {"Family": family, "Key": key, "Val": value}, about=key)

    def drop(self, family: str, key: str) -> None:
        """Have it forget one."""
        self._post("DBDel", {"Family": family, "Key": key}, about=key)

    def write(self) -> None:
        """Send all of it."""
        if self._any:
            self._batch.write()

    def _post(self, name: str, headers: dict[str, str], *, about: str) -> None:
        self._batch.post(name, headers, about=about)
        self._any = True


def _seen(event: AmiMessage) -> Seen:
    return Seen(
        queue=event["Queue"],
        agent=event["Name"],
        phone=event["Location"].removeprefix(PREFIX),
        dynamic=event["Membership"] == "dynamic",
        paused=event["Paused"] == "1",
        reason=event["PausedReason"],
        penalty=whole_number(event["Penalty"]) or 0,
        reachable=event["Status"] not in _GONE,
    )
