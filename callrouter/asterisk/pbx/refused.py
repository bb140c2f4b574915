"""Says how many calls the PBX has refused because a limit was reached: they never reach the engine.

`callrouter/refused/<client>` in AstDB counts those beyond a client's limit, `callrouter/refused/_all` those beyond the
machine's (extensions.conf, callrouter-limit); both outlive engine and Asterisk. They are looked at every few seconds,
so that a storm of refused calls costs the engine no more than one, and the log has a line a minute.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import structlog

from callrouter.asterisk.codec import whole_number
from callrouter.asterisk.pbx.astdb import Collects, entries
from callrouter.asterisk.pbx.rounds import in_rounds
from callrouter.dialplan.issues import how_many

log = structlog.get_logger(__name__)

FAMILY: Final = "callrouter/refused"
MACHINE: Final = "_all"
"""The key of the machine's own limit; no client can be called so."""
LOOK_SECONDS: Final = 5.0
SAY_SECONDS: Final = 60.0
"""The log has at most one line in so long."""
RECENT_SECONDS: Final = 300.0
"""For so long after a refusal something counts as wrong."""


class RefusedCalls:
    """Counts them from the PBX's own count.

    Args:
        link: the link to Asterisk.
        link_up: whether it makes sense to ask.
        now: the time of day, aware.
        now_seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        link: Collects,
        *,
        link_up: Callable[[], bool],
        now: Callable[[], datetime],
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._link_up = link_up
        self._now = now
        self._now_seconds = now_seconds
        self._looked = False
        self._unsaid: Counter[str] = Counter()
        self._said_at = -SAY_SECONDS
        self._recent: list[tuple[float, Counter[str]]] = []
        self.counts: Mapping[str, int] = {}
        """By client, and by MACHINE, since the PBX's database was made."""
        self.last_at: datetime | None = None
        """When a refusal was last heard of; None: not since the engine started."""

    @property
    def by_client(self) -> dict[str, int]:
        """By the client whose limit was reached; the empty name is the machine's own."""
        return {"" if key == MACHINE else key: count for key, count in self.counts.items()}

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def trouble(self) -> str | None:
        """What was refused in the last minutes, as a sentence; None when nothing was."""
        self._recent = [(at, some) for at, some in self._recent if self._now_seconds() - at < RECENT_SECONDS]
        recent: Counter[str] = sum((some for _, some in self._recent), Counter())
        if not recent:
            return None
        said = [f"{how_many(count, 'call')} of {client}" for client, count in recent.most_common() if client != MACHINE]
        if recent[MACHINE]:
            said.append(f"{how_many(recent[MACHINE], 'call')} beyond the machine's limit")
        return f"the PBX refused in the last {RECENT_SECONDS / 60:.0f} minutes: {', '.join(said)}"

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        await in_rounds(self.look, every_seconds=LOOK_SECONDS, link_up=self._link_up)

    async def look(self) -> None:
        """Read the PBX's counts.

        Raises:
            AmiError: the link went away meanwhile.
        """
        counts = await self._read()
        # What was refused before the first look is counted, but nobody knows when; a count that fell is another PBX's.
        new = Counter({key: n - self._before(key, n) for key, n in counts.items()}) if self._looked else Counter[str]()
        self.counts, self._looked = counts, True
        if new := +new:
            self.last_at = self._now()
            self._recent.append((self._now_seconds(), new))
            self._unsaid += new
        if self._unsaid and self._now_seconds() - self._said_at >= SAY_SECONDS:
            self._say()

    def _before(self, key: str, count: int) -> int:
        before = self.counts.get(key, 0)
        return before if before <= count else 0

    def _say(self) -> None:
        machine = self._unsaid.pop(MACHINE, 0)
        log.warning(
            "calls were refused: more at once than their limit allows",
            calls=machine + self._unsaid.total(),
            of_clients=dict(self._unsaid),
            beyond_the_machines=machine,
        )
        self._unsaid.clear()
        self._said_at = self._now_seconds()

    async def _read(self) -> dict[str, int]:
        found = await entries(self._link, FAMILY)
        return {key: count for key, value in found if (count := whole_number(value)) is not None}
