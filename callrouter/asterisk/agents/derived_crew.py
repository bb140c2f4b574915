"""Who answers callers, with the queues that are derived from their teams': agents are rung in those, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from callrouter.core.agents.preference import Preference
from callrouter.core.agents.standing import Crew


class DerivedCrew:
    """See the module.

    Args:
        written: as the files say it; the same object as long as they say the same, None while they are wrong.
        derived: the derived queues that the PBX is to have, by name; the same object as long as they are the same.
    """

    def __init__(self, written: Callable[[], Crew | None], derived: Callable[[], Mapping[str, Preference]]) -> None:
        self._written = written
        self._derived = derived
        self._made: tuple[Crew, Mapping[str, Preference], Crew] | None = None

    def __call__(self) -> Crew | None:
        """The same object as long as both are the same; None while the files are wrong."""
        written, derived = self._written(), self._derived()
        if written is None or not derived:
            return written
        if self._made is None or self._made[0] is not written or self._made[1] is not derived:
            self._made = (written, derived, written.with_derived(derived.values()))
        return self._made[2]
