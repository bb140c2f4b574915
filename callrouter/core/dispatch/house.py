"""What a client's plan answers when a step begins: where people are reached, who is on call, when it is time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callrouter.core.dispatch.policy import Reach, Step
from callrouter.core.rota import Rota
from callrouter.core.schedule import Schedule

DAYS_AHEAD: Final = 366
"""For so long the next opening is looked for."""


class PlanHouse:
    """Of a plan that is live, by its own fields of these names."""

    def __init__(
        self,
        *,
        people: Mapping[str, Reach],
        rotas: Mapping[str, Rota],
        schedules: Mapping[str, Schedule],
        timezone: str,
    ) -> None:
        self._people = people
        self._rotas = rotas
        self._schedules = schedules
        self._zone = ZoneInfo(timezone)

    def reach(self, contact: str) -> Reach | None:
        """Where somebody is reached; None: the client has no such contact."""
        return self._people.get(contact)

    def on_call(self, rota: str, at: datetime) -> tuple[str, ...] | None:
        """Names of those whom a rota has on call; None: there is no such rota."""
        found = self._rotas.get(rota)
        return None if found is None else tuple(one.name for one in found.at(at))

    def opens(self, hours: str, at: datetime) -> datetime | None:
        """The first instant from then on at which hours are open; None: not within a year, or there are none."""
        schedule = self._schedules.get(hours)
        if schedule is None:
            return None
        if schedule.at(at).open:
            return at
        zone = ZoneInfo(schedule.timezone)
        today = at.astimezone(zone).date()
        for day in (today + timedelta(days=step) for step in range(DAYS_AHEAD)):
            for part in schedule.open_parts(day):
                begins = datetime.combine(day, part.start, zone).astimezone(UTC)
                if begins > at and schedule.at(begins).open:
                    return begins
        return None

    def strikes(self, step: Step, at: datetime) -> datetime:
        """The first of its times of day after that instant, by the client's clock."""
        today = at.astimezone(self._zone).date()
        instants = (
            datetime.combine(today + timedelta(days=days), clock, self._zone).astimezone(UTC)
            for days in range(3)
            for clock in step.at
        )
        return min(one for one in instants if one > at)
