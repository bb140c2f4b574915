"""Compares Asterisk with the roster, and mends what differs: what it lost, what it did alone, what the files changed.

After each log-in, whenever the files say something else, and every half minute. What agents keyed in while no engine
was there is done first, as of when they did; then members, pauses and penalties are made what they are to be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from callrouter.asterisk.agents.members import AGENTS, ASKED, PAUSES, WRAP_UPS, Members, Seen
from callrouter.asterisk.agents.mending import Mending, remove_strangers
from callrouter.asterisk.agents.roster import Clock, Roster
from callrouter.asterisk.codec import whole_number
from callrouter.core.agents.standing import Standing
from callrouter.errors import AgentRefused, AmiError
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

LOOK_AGAIN_SECONDS: Final = 30.0
CREW_SECONDS: Final = 0.5
"""How often it is seen whether the files say something else."""
PHONE_GONE: Final = timedelta(minutes=2)
"""An agent whose telephone has not been there for so long is logged out: they cannot be rung."""
_EPOCH_DIGITS: Final = 10


class Comparison:
    """See the module."""

    def __init__(
        self,
        roster: Roster,
        members: Members,
        *,
        clock: Clock,
        link_up: Callable[[], bool],
        due: asyncio.Event | None = None,
        shift: timedelta = timedelta(),
        on_recalled: Callable[[Collection[str], datetime], None] = lambda _lasting, _now: None,
        on_queues: Callable[[Collection[str]], None] = lambda _there: None,
        on_seen: Callable[[], None] = lambda: None,
    ) -> None:
        """`due`: set by whoever knows that Asterisk may have other queues than before; `shift` is what our clock is
        ahead of the PBX's; `on_recalled` is told after a log-in which sessions last, `on_queues` before each comparison
        which queues Asterisk has, `on_seen` that one is done.
        """
        self._roster = roster
        self._members = members
        self._clock = clock
        self._link_up = link_up
        self._shift = shift
        self._on_recalled = on_recalled
        self._on_queues = on_queues
        self._on_seen = on_seen
        self._recalled = False
        """Whether AstDB's notes have been read since the last log-in."""
        self._due = due or asyncio.Event()

    @property
    def recalled(self) -> bool:
        """Whether it is known where everybody stood at the last log-in."""
        return self._recalled

    def look_soon(self, *, afresh: bool = False) -> None:
        """Compare now; `afresh` after a log-in: it may be another Asterisk, or have lost what it had."""
        if afresh:
            self._recalled = False
        self._due.set()

    async def run(self) -> None:
        """Compare when due, until cancelled."""
        loop, crew, looked_at = asyncio.get_running_loop(), self._roster.crew, 0.0
        while True:
            await pause(CREW_SECONDS, self._due)
            old = looked_at + LOOK_AGAIN_SECONDS < loop.time()
            if not (self._due.is_set() or old or crew is not self._roster.crew) or not self._link_up():
                self._due.clear()
                continue
            self._due.clear()
            crew, looked_at = self._roster.crew, loop.time()
            with suppress(AmiError):  # the next log-in does it again
                await self.look()

    async def look(self) -> None:
        """Do what was asked of Asterisk alone, and mend what differs there from where everybody stands.

        Raises:
            AmiError: the link went away meanwhile.
        """
        if not self._roster.crew.agents:
            return  # the files were never right since the start, or name nobody: everybody stays where they stand
        self._on_queues(await self._members.queues())
        fresh = not self._recalled
        if fresh:
            self._recall(await self._members.kept(AGENTS))
        self._catch_up(await self._members.kept(ASKED))
        self._run_on(await self._members.kept(WRAP_UPS))
        self._roster.forget_strangers()
        self._roster.end_overdue()
        changes = self._roster.changes
        seen = await self._members.seen(sorted(self._roster.crew.pbx_queues))
        if changes != self._roster.changes:  # somebody moved meanwhile, and what was read is of before
            self.look_soon()
            return
        self._miss_phones(seen)
        self._mend(seen)
        self._publish_reasons(await self._members.kept(PAUSES))
        if fresh:
            self._on_recalled(self._roster.lasting(), self._clock.now())
        self._on_seen()

    def _recall(self, notes: Mapping[str, str]) -> None:
        for name, text in notes.items():
            agent = self._roster.crew.agents.get(name)
            try:
                noted = msgspec.json.decode(text, type=Standing)
            except msgspec.DecodeError as error:
                log.warning("a note of where an agent stood does not read back", agent=name, reason=str(error))
                agent = None
            if agent is None:
                self._drop(AGENTS, name)
            else:
                self._roster.recall(agent, noted)
        self._roster.note_all()
        self._recalled = True

    def _catch_up(self, asked: Mapping[str, str]) -> None:
        """What agents keyed in while no engine was there."""
        for phone, row in asked.items():
            wish, _, rest = row.partition(":")
            number, _, epoch = rest.partition(":")
            agent, at = self._roster.at(phone), self._time(epoch)
            self._drop(ASKED, phone)
            if agent is None:
                continue
            if at is None or self._roster.has_moved_since(agent, at):
                # It stayed in AstDB after it was seen to, or is of before they moved.
                log.info("an old wish of an agent's is dropped", agent=agent.name, phone=phone, wish=row)
                continue
            with suppress(AgentRefused):
                match wish:
                    case "log_out":
                        self._roster.log_out(agent.name, at=at)
                    case "pause":
                        self._roster.pause(agent.name, self._roster.reason(number.lstrip("0")), at=at)
                    case "ready":
                        self._roster.ready(agent.name, at=at)

    def _run_on(self, wrap_ups: Mapping[str, str]) -> None:
        """Wrap-ups that began unheard."""
        for phone, row in wrap_ups.items():
            until, _, rest = row.partition(":")
            since, _, call_id = rest.partition(":")
            agent, since_at, until_at = self._roster.at(phone), self._time(since), self._time(until)
            if agent is not None and self._roster.is_held(agent.name):
                continue
            if agent is None or since_at is None or until_at is None or not call_id:
                self._drop(WRAP_UPS, phone)
            else:
                self._roster.wrap_up_began(phone, (until_at - since_at).total_seconds(), call_id, at=since_at)

    def _time(self, epoch: str) -> datetime | None:
        seconds = whole_number(epoch, _EPOCH_DIGITS)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC) + self._shift

    def _drop(self, family: str, key: str) -> None:
        change = self._members.change()
        change.drop(family, key)
        change.write()

    def _miss_phones(self, seen: Sequence[Seen]) -> None:
        """Since when telephones are away; who logged in at one that stays away is logged out."""
        now = self._clock.now()
        self._roster.phones_gone([one.phone for one in seen if not one.reachable], at=now)
        for phone, since in self._roster.gone_since.items():
            agent = self._roster.at(phone)
            if agent is not None and not agent.always_in and now - since >= PHONE_GONE:
                log.warning("an agent is logged out: their telephone is gone", agent=agent.name, phone=phone)
                with suppress(AgentRefused):
                    self._roster.log_out(agent.name, "phone gone")

    def _mend(self, seen: Sequence[Seen]) -> None:
        """Make Asterisk's members what they are to be."""
        strangers = self._members.change()
        if said := remove_strangers(strangers, self._roster.crew.agents, seen):
            log.info("members of Asterisk's queues are no agents any more", mended=said)
        strangers.write()
        for agent in self._roster.crew.agents.values():
            standing = self._roster.standing(agent)
            mending = Mending(agent, standing, seen, held=self._roster.is_held(agent.name))
            with suppress(AgentRefused):
                if mending.logged_out_there and not agent.always_in:
                    self._roster.log_out(agent.name)
                    continue
                if mending.paused_by_hand:
                    self._roster.pause(agent.name, mending.paused_by_hand, by="asterisk")
                    continue
            change = self._members.change()
            if said := mending.mend(change):
                log.info("an agent's places in Asterisk's queues are mended", agent=agent.name, mended=said)
            change.write()

    def _publish_reasons(self, there: Mapping[str, str]) -> None:
        """For a PBX alone."""
        wanted = {f"0{number}": reason for number, reason in enumerate(self._roster.crew.pauses, 1)}
        change = self._members.change()
        for key, reason in wanted.items():
            if there.get(key) != reason:
                change.put(PAUSES, key, reason)
        for key in there.keys() - wanted.keys():
            change.drop(PAUSES, key)
        change.write()
