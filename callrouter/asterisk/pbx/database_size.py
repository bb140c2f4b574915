"""How many entries of ours Asterisk's own database holds, by family: what only grows there fills it.

AstDB is small by design (`DBGetTree` holds its lock while it writes to us), so only families that grow with calls, with
agents and with what they did are read, once a minute; what is published for a PBX alone grows with the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from callrouter.asterisk.pbx.astdb import Collects, entries
from callrouter.asterisk.pbx.rounds import in_rounds

LOOK_SECONDS: Final = 60.0
FAMILIES: Final = ("ended", "outgoing", "telling", "agent", "wrap_up", "asked", "refused")
"""Below `callrouter/`: ended calls that are not struck off yet, calls of ours, where agents stand, wrap-ups, what was
asked of Asterisk alone, and refused calls."""


class DatabaseSize:
    """Reads it.

    Args:
        link: the link to Asterisk.
        link_up: whether it makes sense to ask.
    """

    def __init__(self, link: Collects, *, link_up: Callable[[], bool]) -> None:
        self._link = link
        self._link_up = link_up
        self.by_family: Mapping[str, int] = {}
        """As of the last look; empty: there was none yet."""

    async def run(self) -> None:
        """Look once a minute, until cancelled."""
        await in_rounds(self.look, every_seconds=LOOK_SECONDS, link_up=self._link_up)

    async def look(self) -> None:
        """Read it now.

        Raises:
            AmiError: the link went away meanwhile.
        """
        found = {}
        for family in FAMILIES:
            found[family] = sum(1 for _ in await entries(self._link, f"callrouter/{family}"))
        self.by_family = found
