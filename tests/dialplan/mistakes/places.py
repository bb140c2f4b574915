"""Where client firms lie: numbers as people there write them, zone, holidays."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True)
class Place:
    """A region with a numbering plan, a zone and holidays; in a pattern, `d` stands for any digit."""

    name: str
    country: str
    timezone: str
    holidays: str
    language: str
    fixed: str
    mobile: str
    code: str
    """Country code, as in `+33`."""
    trunk: str = "0"
    """What stands before a national number, and not after the code."""

    def number(self, random: Random, pattern: str = "") -> str:
        """A fixed line, or a number of a pattern, as people write it."""
        return "".join(str(random.randint(2, 8)) if char == "d" else char for char in pattern or self.fixed)

    def abroad(self, number: str) -> str:
        """The number as it is written for other countries."""
        return f"{self.code} {number.removeprefix(self.trunk).strip()}"


FRANCE = (
    Place(
        name="Paris",
        country="FR",
        timezone="Europe/Paris",
        holidays="FR",
        language="fr",
        fixed="01 4d dd dd dd",
        mobile="06 1d dd dd dd",
        code="+33",
    ),
    Place(
        name="Lyon",
        country="FR",
        timezone="Europe/Paris",
        holidays="FR",
        language="fr",
        fixed="04 7d dd dd dd",
        mobile="07 8d dd dd dd",
        code="+33",
    ),
    Place(
        name="Strasbourg",
        country="FR",
        timezone="Europe/Paris",
        holidays="FR-57",
        language="fr",
        fixed="03.88.dd.dd.dd",
        mobile="06.2d.dd.dd.dd",
        code="+33",
    ),
)
OVERSEAS = (
    Place(
        name="Saint-Denis",
        country="RE",
        timezone="Indian/Reunion",
        holidays="FR-974",
        language="fr",
        fixed="0262 2d dd dd",
        mobile="0692 6d dd dd",
        code="+262",
    ),
    Place(
        name="Mamoudzou",
        country="YT",
        timezone="Indian/Mayotte",
        holidays="FR-976",
        language="fr",
        fixed="0269 6d dd dd",
        mobile="0639 2d dd dd",
        code="+262",
    ),
    Place(
        name="Pointe-à-Pitre",
        country="GP",
        timezone="America/Guadeloupe",
        holidays="FR-971",
        language="fr",
        fixed="0590 8d dd dd",
        mobile="0690 5d dd dd",
        code="+590",
    ),
    Place(
        name="Fort-de-France",
        country="MQ",
        timezone="America/Martinique",
        holidays="FR-972",
        language="fr",
        fixed="0596 6d dd dd",
        mobile="0696 2d dd dd",
        code="+596",
    ),
)
ABROAD = (
    Place(
        name="Brighton",
        country="GB",
        timezone="Europe/London",
        holidays="GB-ENG",
        language="en",
        fixed="01273 5d dd dd",
        mobile="07400 1ddddd",
        code="+44",
    ),
    Place(
        name="London",
        country="GB",
        timezone="Europe/London",
        holidays="GB-ENG",
        language="en",
        fixed="020 7946 0ddd",
        mobile="07400 1ddddd",
        code="+44",
    ),
    Place(
        name="Bruxelles",
        country="BE",
        timezone="Europe/Brussels",
        holidays="BE",
        language="fr",
        fixed="02 5dd dd dd",
        mobile="047d dd dd dd",
        code="+32",
    ),
    Place(
        name="Genève",
        country="CH",
        timezone="Europe/Zurich",
        holidays="CH-GE",
        language="fr",
        fixed="022 7dd dd dd",
        mobile="079 ddd dd dd",
        code="+41",
    ),
    Place(
        name="Montréal",
        country="CA",
        timezone="America/Toronto",
        holidays="CA-QC",
        language="fr",
        fixed="514-555-01dd",
        mobile="438-555-01dd",
        code="+1",
        trunk="",
    ),
    Place(
        name="Toronto",
        country="CA",
        timezone="America/Toronto",
        holidays="CA-ON",
        language="en",
        fixed="(416) 555-01dd",
        mobile="(647) 555-01dd",
        code="+1",
        trunk="",
    ),
)
PLACES = FRANCE + OVERSEAS + ABROAD
