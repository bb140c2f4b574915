"""Who answers callers, as far as it is known: as the files said it when they were last right, and of teams that they
have no more as long as Asterisk still has those.

A queue that is taken out of the files is drained first. Meanwhile its agents are rung by it, and may log out of it, or
pause. What an engine before this one knew of such a team is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from callrouter.core.agents.standing import Agent, Crew
from callrouter.core.call import replace


class LastCrew:
    """See the module; nobody, where the files never were right."""

    def __init__(self, now: Callable[[], Crew | None]) -> None:
        """`now` gives the same object as long as the files say the same; None: they are wrong."""
        self._now = now
        self._written = Crew()
        self._crew = Crew()

    def __call__(self) -> Crew:
        """The same object as long as nothing else is known."""
        written = self._now()
        if written is not None and written is not self._written:
            self._written = written
            self._crew = _with_leaving(written, self._crew, self._crew.queues - written.queues)
        return self._crew

    def queues_are(self, there: Collection[str]) -> None:
        """Asterisk has these queues: whichever is in no file and not there any more is nobody's."""
        leaving = self._crew.queues - self._written.queues
        if gone := leaving.difference(there):
            self._crew = _with_leaving(self._written, self._crew, leaving - gone)


def _with_leaving(written: Crew, before: Crew, leaving: frozenset[str]) -> Crew:
    """Whom the files name, and besides of which of the teams that leave each was before."""
    if not leaving:
        return written
    agents = {
        name: _still_of(agent, before.agents[name], leaving) if name in before.agents else agent
        for name, agent in written.agents.items()
    }
    return replace(written, agents=agents, queues=written.queues | leaving)


def _still_of(agent: Agent, before: Agent, leaving: frozenset[str]) -> Agent:
    """The places they have now, and in those that leave what they had there."""
    places = {place.queue: place for place in agent.places}
    for old in before.places:
        kept = {queue: penalty for queue, penalty in old.queues.items() if queue in leaving}
        now = places.get(old.queue)
        if kept == old.queues and now is None:
            places[old.queue] = old
        elif kept:
            places[old.queue] = replace(now or old, penalties={**(now.queues if now else {}), **kept})
    return replace(agent, places=tuple(places.values()))
