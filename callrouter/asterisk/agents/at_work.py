"""Agents at work, put together: the roster, what moves it, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from callrouter.asterisk.agents.answers import Answers, Say
from callrouter.asterisk.agents.comparison import Comparison
from callrouter.asterisk.agents.feature_codes import FeatureCodes, Pins
from callrouter.asterisk.agents.members import Members
from callrouter.asterisk.agents.offers import Offers
from callrouter.asterisk.agents.roster import Roster
from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.core.agents.standing import Crew
from callrouter.runtime.clock import SystemClock
from callrouter.runtime.tasks import Tasks
from callrouter.store.access.audit import Deed
from callrouter.store.agents.sessions import SessionLog


class LastCrew:
    """Who answers callers, as the files said it when they were last right; nobody, where they never were."""

    def __init__(self, now: Callable[[], Crew | None]) -> None:
        """`now` gives the same object as long as the files say the same; None: they are wrong."""
        self._now = now
        self._last = Crew()

    def __call__(self) -> Crew:
        """The same object as long as nothing else is known."""
        self._last = self._now() or self._last
        return self._last


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
        clock: SystemClock,
        shift: timedelta,
        say: Say,
        pins: Pins,
        sessions: SessionLog,
        note: Callable[[Deed], None],
        tasks: Tasks,
    ) -> AgentsAtWork:
        """Subscribes to the link, before it runs. `tasks` are those that may fail once."""

        def link_up() -> bool:
            return link.state is LinkState.UP

        members = Members(link)
        roster = Roster(members, LastCrew(crew), clock=clock, tell=sessions.tell, link_up=link_up, shift=shift)
        comparison = Comparison(roster, members, clock=clock, link_up=link_up, shift=shift, on_recalled=sessions.settle)
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
