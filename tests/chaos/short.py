"""One short round of a fault, as the tests play it."""

from __future__ import annotations

import os
from typing import Final

from tests.chaos.faults import ALL, broken
from tests.chaos.rounds import play
from tests.chaos.town import Town

SEED: Final = int(os.environ.get("CHAOS_SEED", "3"))
AGENTS: Final = 5


async def holds(place: Town, name: str) -> None:
    """Assert what the fault promises, but for times, which are a quiet machine's, and what it does not keep yet."""
    kind = ALL[name]
    verdict, notes = await play(place, kind, kind.short, SEED, list(ALL).index(name))
    missed = {name for name in broken(kind, verdict) - kind.not_yet if not name.endswith("_seconds")}

    assert place.port.faults == []
    assert not missed, "\n".join([f"{name} missed {sorted(missed)}: {verdict}", f"{notes.faults}", *verdict.complaints])
    assert verdict.callers
