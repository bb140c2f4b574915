"""Mistakes with territories: the zone or the holidays of another one than the numbers lie in."""

from __future__ import annotations

from random import Random

from tests.dialplan.mistakes.firms import right
from tests.dialplan.mistakes.kind import Kind, Mistake, at
from tests.dialplan.mistakes.places import FRANCE, OVERSEAS, PLACES


def zone(random: Random) -> Mistake | None:
    """The zone of the firm that the file was copied from; or UTC."""
    firm = right(random)
    other = random.choice([one.timezone for one in PLACES if one.timezone != firm.place.timezone] + ["UTC"])
    firm.client["timezone"] = other
    # Whoever copies a file keeps the country that numbers are read by.
    firm.client["country"] = firm.place.country
    return Mistake(firm.folder, (at(firm.folder, "timezone"),))


def holidays(random: Random) -> Mistake | None:
    """The holidays of another country, of another territory, or the mainland's overseas."""
    firm = right(random)
    hours = firm.client["hours"]
    path: tuple[str, ...] = ("hours", "desk") if "desk" in hours else ("hours",)
    block = hours.get("desk", hours)
    if "holidays" not in block:
        return None
    others = [one.holidays for one in PLACES if one.country != firm.place.country]
    if firm.place in FRANCE:
        others = [one.holidays for one in PLACES if one not in FRANCE]
    if firm.place in OVERSEAS:
        others += ["FR", "FR"]
    block["holidays"] = random.choice(others)
    return Mistake(firm.folder, (at(firm.folder, *path, "holidays"), at(firm.folder, *path, "holidays", 0)))


KINDS = (
    Kind(name="zone of another territory", line=19, make=zone),
    Kind(name="holidays of another territory", line=19, make=holidays),
)
