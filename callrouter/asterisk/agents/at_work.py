"""Agents at work, put together: the roster, what moves it, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from callrouter.asterisk.agents.answers import Answers, Say
from callrouter.asterisk.agents.comparison import Comparison
from callrouter.asterisk.agents.feature_codes import FeatureCodes, Pins
from callrouter.asterisk.agents.last_crew import LastCrew
from callrouter.asterisk.agents.members import Members
from callrouter.asterisk.agents.offers import Offers
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.core.agents.standing import Crew
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.audit import Deed
from callrouter.store.agents.sessions import SessionLog


@dataclass(frozen=True, kw_only=True)
class AgentsAtWork:
    """Everything about agents that lives as long as the engine."""

    roster: Roster
    comparison: Comparison
    sessions: SessionLog

    @classmethod
    def of(  # noqa: PLR0913, RUF100  # each is somebody it works with
        cls,
        link: AmiLink,
        crew: Callable[[], Crew | None],
        *,
        due: asyncio.Event,
        seen: asyncio.Event,
        clock: SystemClock,
        shift: timedelta,
        say: Say,
        pins: Pins,
        sessions: SessionLog,
        note: Callable[[Deed], None],
        tasks: Tasks,
    ) -> AgentsAtWork:
        """Subscribes to the link, before it runs. `due` is set when Asterisk may have other queues than before, `seen`
        whenever agents were compared with it; `tasks` are those that may fail once.
        """

        def link_up() -> bool:
            return link.state is LinkState.UP

        members = Members(link)
        last = LastCrew(crew)
        roster = Roster(members, last, clock=clock, tell=sessions.tell, link_up=link_up, shift=shift)
        comparison = Comparison(
            roster,
            members,
            clock=clock,
            link_up=link_up,
            due=due,
            shift=shift,
            on_recalled=sessions.settle,
            on_queues=last.queues_are,
            on_seen=seen.set,
        )
        Offers(link, roster)
        FeatureCodes(link, roster, pins, Answers(say), note=note, start=tasks.start)
        link.tells(on_state=lambda state, _: comparison.look_soon(afresh=True) if state is LinkState.UP else None)
        return cls(roster=roster, comparison=comparison, sessions=sessions)

    def start(self, tasks: Tasks) -> None:
        """Compare with Asterisk from now on, and write sessions."""
        tasks.keep(self.comparison.run, "comparison of agents")
        tasks.keep(self.sessions.run, "agents' sessions")

    async def stop(self) -> None:
        """Write what waits; nobody's state changes by it."""
        await self.sessions.close()
