"""The faults, by name: what is done, to what, how often, and what must hold then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.notes import Fault
from tests.chaos.town import Needs, Town
from tests.chaos.verdict import Verdict

Strike = Callable[[Town, Fault], Coroutine[Any, Any, None]]
"""Does it and undoes it; writes down when."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    name: str
    strike: Strike
    rounds: int
    live: int
    """Callers of a round."""
    promised: Mapping[str, float]
    """By figure of the verdict, what it may be at most."""
    needs: Needs = field(default_factory=Needs)


NOTHING_LOST: Final = {"dropped": 0.0, "missing": 0.0, "doubled": 0.0, "wrong": 0.0, "lost_keys": 0.0, "twice": 0.0}


async def kill_engine(place: Town, fault: Fault) -> None:
    """As the kernel would when there is no memory left; `callrouter up` starts it again, as systemd would."""
    process = place.engine_process()
    fault.at = time.time()
    process.kill()
    while not await _is_ready(place):
        await asyncio.sleep(0.1)
    fault.healed_at = time.time()


async def _is_ready(place: Town) -> bool:
    figures = await asyncio.wait_for(_figures(place), 5)
    return figures.get("callrouter_ami_up", 0.0) == 1.0


async def _figures(place: Town) -> Mapping[str, float]:
    try:
        return await place.engine.figures()
    except (httpx.HTTPError, OSError):  # nobody listens, or it ends
        return {}


def broken(kind: Kind, found: Verdict) -> set[str]:
    """What of that was promised a round did not keep: names of the verdict's figures."""
    figures = {name: getattr(found, name) for name in kind.promised}
    return {name for name, figure in figures.items() if figure is None or figure > kind.promised[name]}


ALL: Final = {
    one.name: one
    for one in (
        Kind(
            name="engine-killed",
            strike=kill_engine,
            rounds=10,
            live=260,
            promised=NOTHING_LOST | {"silence_seconds": 3.0},
        ),
    )
}
