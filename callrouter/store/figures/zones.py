"""In which zone the days of each client are, and in which they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from callrouter.errors import DaysAlone
from callrouter.store.figures.days import begins_at, next_month
from callrouter.store.plans import present_names
from callrouter.store.promises import operators_zone, zones_of
from callrouter.store.tables import figure_zones, kept_from

FORM: Final = "/2"
"""Of what is kept: a release that keeps days, or reads them, otherwise has another. No client is so called."""
_IN_PART: Final = f"{FORM}-in-part"
"""The same, of days of which some may be kept otherwise yet: nobody reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Of clients as calls name them."""

    present: Mapping[str, str]
    """By former name: the client's present one."""
    in_service: Mapping[str, str]
    """By present name: the IANA name of the zone of the plan in service."""
    kept: Mapping[str, str]
    """By the name that calls have: the basis on which days are kept (`basis`); empty: none are."""
    families: Mapping[str, Sequence[str]]
    """By any name of a client that had several: all of them."""
    operators: ZoneInfo
    """The zone that most clients have, else UTC: that of calls of nobody."""
    kept_from: Mapping[str, datetime] = field(default_factory=dict)
    """By client, as calls name it: calls that rang before may be gone. What is kept of their days stays as it is, and
    nothing of then is counted from calls. Who is not in it has all calls."""

    def name_of(self, client: str) -> str:
        """The IANA name of a client's zone, by the name that a call has."""
        return self.in_service.get(self.present.get(client, client)) or self.operators.key

    def of(self, client: str) -> ZoneInfo:
        """A client's zone, by the name that a call has."""
        return ZoneInfo(self.name_of(client))

    def basis(self, client: str, zone: str) -> str:
        """What a client's days rest on if they are cut in a zone: who is reached later may have rung under another
        name of the client.
        """
        cut = f"{FORM} {zone}"
        family = self.families.get(client)
        return cut if family is None else " ".join((cut, *(name for name in family if name != client)))

    def basis_now(self, client: str) -> str:
        """The same, in the zone that the client has."""
        return self.basis(client, self.name_of(client))

    def is_kept(self, client: str) -> bool:
        """Whether what is kept of days is of days as they are cut now."""
        return self.kept.get(client) == self.basis_now(client)

    def must_be_whole(self, client: str, day: date, first_at: datetime) -> None:
        """Refuse a part of a day whose calls may be gone; `first_at` is when the first one of its row rang.

        Raises:
            DaysAlone: nothing but the whole day is known.
        """
        border_at = self.kept_from.get(client)
        if border_at is not None and first_at < border_at:
            raise DaysAlone(
                f"calls of {client} before {border_at.astimezone(self.of(client)):%Y-%m-%d} are deleted: of {day} the "
                f"whole day is known, and no part of it. Ask for whole days (time zone {self.name_of(client)})"
            )

    def cuts(self, client: str, month: date) -> bool:
        """Whether some calls of a month may be gone, and others are all there: then its days stand by themselves."""
        border_at = self.kept_from.get(client)
        zone = self.of(client)
        return border_at is not None and begins_at(month, zone) < border_at < begins_at(next_month(month), zone)

    @property
    def names(self) -> dict[str, list[str]]:
        """Other names of clients, as parameters of `making`."""
        pairs = [(name, other) for name, family in self.families.items() for other in family if other != name]
        return {"names": [name for name, _ in pairs], "other_names": [other for _, other in pairs]}


def in_part(basis: str) -> str:
    """A basis on which some of a client's days rest already. The triggers that mark days find the other names in it."""
    return f"{_IN_PART}{basis.removeprefix(FORM)}"


def _families(present: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    families: dict[str, list[str]] = {}
    for former, owner in sorted(present.items()):
        families.setdefault(owner, [owner]).append(former)
    return {name: tuple(family) for family in families.values() for name in family}


async def read_zones(
    connection: AsyncConnection, clients: Sequence[str] | None = None, *, asked_by_former_name: bool = False
) -> Zones:
    """Those of all clients, or of some.

    Args:
        connection: open.
        clients: as they are called now; None: all.
        asked_by_former_name: whether a name that was handed on stands for itself.

    Raises:
        DatabaseUnreachable: PostgreSQL does not answer.
    """
    present = await present_names(connection)
    zones = await zones_of(connection, clients)
    if clients is not None and not zones.keys() >= set(clients):  # the operator's is that of most
        zones = await zones_of(connection, None)
    query = select(figure_zones)
    if clients is not None:
        names = {*clients, *(name for name, owner in present.items() if owner in clients)}
        query = query.where(figure_zones.c.client.in_(names))
    kept = {row.client: row.basis for row in await connection.execute(query)}
    borders = {row.client: row.from_at for row in await connection.execute(select(kept_from))}
    for_itself = set(clients or ()) if asked_by_former_name else set()
    return Zones(
        present=present,
        in_service={name: zone for name, zone in zones.items() if name in for_itself or name not in present},
        kept=kept,
        families=_families(present),
        operators=operators_zone(zones),
        kept_from=borders,
    )
