"""The engine's end of the way to the PBX: which document its unit is to have, and what the unit said of it.

Shared files are handed over as soon as they are understood, before the clients' trees are compiled again: that takes
seconds with 800 clients, and an agent who is new need not wait for it. A queue that the folder has no more is listed as
still named as long as a plan in service names it, or one that a call walks: so that it goes after the last of them.
Queues that are derived from teams' (`dialplan.shared.derived`) are handed over with them, as long as such a plan has
them.

The unit asks again and again, and waits for the answer until there is something new. What it asks for is signed for it
alone, with a number that it has chosen: nobody between can put another document, or an older one, in its place.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final

import structlog
from msgspec import Struct

from callrouter.asterisk.teams.document import Teams, folder_teams, text_of
from callrouter.core.agents.preference import Preference
from callrouter.dialplan.shared.derived import derived_queues
from callrouter.dialplan.shared.reading import Shared
from callrouter.runtime.pauses import pause

log = structlog.get_logger(__name__)

LONGEST_WAIT_SECONDS: Final = 20.0
"""How long a question may wait for its answer."""
AWAY_SECONDS: Final = 3 * LONGEST_WAIT_SECONDS
"""After so long without a question the unit counts as away."""
_NONE: Final[Mapping[str, Preference]] = MappingProxyType({})
APPLY_SECONDS: Final = 3.0
"""What the unit may take before somebody hears that it has not applied what is handed over."""


class HandedOver(Struct, frozen=True, kw_only=True):
    """An answer."""

    version: str
    """Of the document; empty when there is none yet."""
    document: str
    """Empty when the unit has it."""
    signature: str


def sign(key: str, nonce: str, version: str, document: str) -> str:
    """What proves to whoever holds the key that this is the answer to their question: HMAC-SHA256, hexadecimal."""
    text = "\n".join((nonce, version, document))
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


class Handover:
    """What is to be handed over, and how it stands.

    Args:
        key: by which answers are signed; empty: there is no unit to answer.
        on_applied: called when the unit says that it has applied a document, or cannot.
        now_seconds: a clock that only goes forward.
    """

    def __init__(
        self, key: str, *, on_applied: Callable[[], None], now_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._key = key
        self._on_applied = on_applied
        self._now_seconds = now_seconds
        self._shared: Shared | None = None
        self._named: frozenset[str] | None = None
        self._derived: Mapping[str, Preference] = _NONE
        self._expected: Mapping[str, Preference] = _NONE
        """Derived queues of plans that are about to go live."""
        self._heard = asyncio.Event()
        self._asked_again = 0
        self._changed = asyncio.Event()
        self._changed_at = self._now_seconds()
        self._heard_at: float | None = None
        self._closed = False
        self.teams: Teams | None = None
        """What is handed over; None while nothing is known."""
        self.applied = ""
        """The version that the unit has applied."""
        self.unit_trouble = ""
        """Why the unit could not apply what it had; empty when it could."""

    @property
    def is_expected(self) -> bool:
        """Whether there is to be a unit."""
        return bool(self._key)

    @property
    def version(self) -> str:
        """Of the document: its revision, and how often it was handed over afresh."""
        return f"{self.teams.revision}.{self._asked_again}" if self.teams else ""

    @property
    def is_pending(self) -> bool:
        """Whether the unit may still be at work: what differs now is no news."""
        if self._heard_at is None or not self.is_expected:
            return False
        return self.applied != self.version and self._now_seconds() - self._changed_at < APPLY_SECONDS

    @property
    def trouble(self) -> str | None:
        """Why the PBX may not be as the folder says, as a sentence; None when nothing speaks for that."""
        if not self.is_expected or self.teams is None or self.is_pending:
            return None
        since = self._changed_at if self._heard_at is None else self._heard_at
        if self._now_seconds() - since > AWAY_SECONDS:
            return (
                "`callrouter pbx apply`, which brings queues and telephones to Asterisk, has not asked for "
                f"{self._now_seconds() - since:.0f} s: see that it runs on Asterisk's host"
            )
        if self.unit_trouble:
            return f"queues and telephones were not applied: {self.unit_trouble}"
        return None

    def folder_says(self, shared: Shared) -> None:
        """The shared files were understood; what cannot be used whole hands nothing over."""
        if not shared.wrong_teams:
            self._shared = shared
            self._renew()

    @property
    def derived(self) -> Mapping[str, Preference]:
        """The queues derived from teams' that the PBX is to have, by name; the same object as long as they are the
        same.
        """
        return self._derived

    def derived_from(self, team: str) -> list[str]:
        """Names of those derived from a team's queue."""
        return [name for name, one in self._derived.items() if one.team == team]

    def named(self, queues: Collection[str], derived: Mapping[str, Preference] = _NONE) -> None:
        """These are named by plans in service, or by those that calls walk; `derived` are those of them, by name, that
        are derived from a team's.
        """
        self._named = frozenset(queues)
        self._expected = {name: one for name, one in self._expected.items() if name not in derived}
        self._derive({**derived, **self._expected})
        self._renew()

    def expect(self, derived: Mapping[str, Preference]) -> bool:
        """Hand over these derived queues too, by name: plans that need them are about to go live. False: there is
        nothing to wait for, or no unit that could bring them.
        """
        self._expected = {name: one for name, one in derived.items() if name not in self._derived}
        if not self._expected:
            return False
        self._derive({**self._derived, **self._expected})
        self._renew()
        return self.is_pending

    async def settled(self) -> None:
        """Wait until the unit has applied what is handed over now."""
        version = self.version
        while self.applied != version and not self._closed:
            self._heard.clear()
            await self._heard.wait()

    def _derive(self, derived: Mapping[str, Preference]) -> None:
        if derived != self._derived:
            self._derived = derived

    def again(self) -> None:
        """Have the unit apply the same afresh: the PBX is otherwise than it says."""
        if self.teams is not None and self.applied == self.version:
            self._asked_again += 1
            self._wake()

    async def answer(self, nonce: str, *, applied: str, trouble: str, longest_seconds: float) -> HandedOver:
        """Answer the unit, which has `applied` a version (or could not: `trouble`), as soon as there is another.

        Without one the answer comes after `longest_seconds`, and holds no document.
        """
        self._hear(applied, trouble)
        deadline = self._now_seconds() + min(longest_seconds, LONGEST_WAIT_SECONDS)
        while self.version == applied and not self._closed and (left := deadline - self._now_seconds()) > 0:
            if not await pause(left, self._changed):
                break
        self._heard_at = self._now_seconds()
        version = self.version
        document = text_of(self.teams) if self.teams and version != applied else ""
        return HandedOver(version=version, document=document, signature=sign(self._key, nonce, version, document))

    def close(self) -> None:
        """Answer whoever still waits: the engine stops."""
        self._closed = True
        self._heard.set()
        self._changed.set()

    def _hear(self, applied: str, trouble: str) -> None:
        self._heard_at = self._now_seconds()
        news = (applied, trouble) != (self.applied, self.unit_trouble)
        self.applied, self.unit_trouble = applied, trouble
        self._heard.set()
        if news:
            if trouble:
                log.error("the PBX's unit could not apply queues and telephones", reason=trouble)
            self._on_applied()

    def _renew(self) -> None:
        if self._shared is None or self._named is None:
            return
        queues = {**self._shared.queues, **derived_queues(self._shared.queues, self._derived)}
        teams = folder_teams(queues, self._shared.phones, self._shared.telephones, still_named=tuple(self._named))
        if teams != self.teams:
            self.teams = teams
            self._wake()

    def _wake(self) -> None:
        self._changed_at = self._now_seconds()
        self._changed.set()
        self._changed = asyncio.Event()
