"""What is asked for: by what figures are grouped, and for which clients a period begins and ends when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from callrouter.periods import Period
from callrouter.store.figures.zones import Zones

ALL: Final = "true"
THESE: Final = "{client} = ANY(CAST(:these AS text[]))"
ALL_BUT: Final = "{client} <> ALL(CAST(:these AS text[]))"


class Grouping(StrEnum):
    """By what figures are asked for."""

    CLIENT = "client"
    DID = "did"
    """The number that was dialled."""
    VERSION = "version"
    """Of the client's plan."""
    QUEUE = "queue"
    DAY = "day"
    """Of the client's zone, as are all that follow."""
    WEEKDAY = "weekday"
    """1 is Monday (ISO 8601)."""
    MONTH = "month"
    """By its first day."""
    HOUR = "hour"
    """That clocks show, 0 to 23, in which the journey rang; of a visit, in which it entered the queue."""


@dataclass(frozen=True, slots=True)
class Part:
    """Clients whose days are cut alike, and the instants at which the period begins and ends for them."""

    zone: ZoneInfo
    from_at: datetime
    to_at: datetime
    whose: str
    """A condition on the client of a row, where these are `:these`."""
    clients: Collection[str]
    """As calls name them."""

    @property
    def is_empty(self) -> bool:
        """Whether the period ends before it begins."""
        return self.from_at >= self.to_at

    def has(self, client: str) -> bool:
        """Whether a client is of it, by the name that a call has."""
        return self.whose == ALL or (client in self.clients) == (self.whose == THESE)

    def where(self, client: str) -> str:
        """The condition, on a column."""
        return self.whose.format(client=client)

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        return {} if self.whose == ALL else {"these": list(self.clients)}


def bounds_of(parts: Sequence[Part], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a period begins for the first client, and ends for the last one, as the clocks of a zone show it."""
    return min(one.from_at for one in parts).astimezone(zone), max(one.to_at for one in parts).astimezone(zone)


def parts_of(
    zones: Zones, period: Period, now: datetime, clients: Sequence[str] | None, zone: ZoneInfo | None = None
) -> list[Part]:
    """One for each zone; that of the operator has the calls of nobody too.

    Args:
        zones: of all clients.
        period: what is asked for.
        now: the present instant.
        clients: who is asked for, as they are called now; None: all.
        zone: in which all days are cut; None: each client's own.
    """
    operators = zone or zones.operators
    if clients is None and zone is not None:
        return [Part(zone, *period.within(zone, now), ALL, ())]
    wanted = _names(zones, clients)
    by_zone: dict[str, list[str]] = {}
    for name, own in wanted.items():
        by_zone.setdefault(zone.key if zone else own, []).append(name)
    if clients is not None:
        return [_part(key, period, now, THESE, names) for key, names in (by_zone or {operators.key: []}).items()]
    elsewhere = {key: names for key, names in by_zone.items() if key != operators.key}
    others = [name for names in elsewhere.values() for name in names]
    parts = [_part(key, period, now, THESE, names) for key, names in elsewhere.items()]
    return [*parts, _part(operators.key, period, now, ALL_BUT if others else ALL, others)]


def _part(key: str, period: Period, now: datetime, whose: str, clients: Sequence[str]) -> Part:
    zone = ZoneInfo(key)
    return Part(zone, *period.within(zone, now), whose, frozenset(clients))


def _names(zones: Zones, clients: Sequence[str] | None) -> dict[str, str]:
    """The name of each client's zone, by every name under which its calls may stand."""
    owners = zones.in_service if clients is None else clients
    own = {name: zones.in_service.get(name, zones.operators.key) for name in owners}
    return own | {former: own[name] for former, name in zones.present.items() if name in own}
