"""Where agents are, for those who give them a caller: a `runtime.ports.Directory` made of the roster."""

from __future__ import annotations

from collections.abc import Callable

from callrouter.asterisk.agents.moves import phones_of
from callrouter.asterisk.agents.roster import Roster


class RosterDirectory:
    """See the module; asked seldom, at a transfer."""

    def __init__(self, roster: Callable[[], Roster], known: Callable[[], bool] = lambda: True) -> None:
        """`known`: whether it has been read where everybody stands."""
        self._now = roster
        self._known = known

    def is_known(self) -> bool:
        """Not before the clients' files, and Asterisk's notes."""
        return self._known()

    @property
    def _roster(self) -> Roster:
        return self._now()

    def colleague(self, name: str) -> str:
        """By name, by number, or by the telephone at which somebody is rung."""
        crew = self._roster.crew
        found = crew.agents.get(name) or crew.numbered(name) or self._roster.at(name) or crew.owner(name)
        return found.name if found is not None else ""

    def at(self, phone: str) -> str:
        """Whoever is rung there."""
        found = self._roster.at(phone)
        return found.name if found is not None else ""

    def phone(self, agent: str) -> str:
        """Where they are logged in, or their own telephone, if nobody has to log in for it."""
        found = self._roster.crew.agents.get(agent)
        return next(iter(phones_of(found, self._roster.standing(found))), "") if found is not None else ""

    def queue_of(self, agent: str) -> str:
        """The first of their teams that rings them where they are."""
        found = self._roster.crew.agents.get(agent)
        if found is None:
            return ""
        logged_in = bool(self._roster.standing(found).phone)
        return next((place.queue for place in found.places if logged_in or not place.log_in), "")

    def team(self, name: str) -> str:
        """A team is called like its queue."""
        return name if name in self._roster.crew.teams else ""
