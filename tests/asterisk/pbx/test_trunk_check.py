"""A carrier that is away is said, counted and shown, on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from callrouter.asterisk.pbx.trunk_check import TrunkCheck
from callrouter.core.nodes import HangupNode
from deploy.asterisk.pbx_carriers import Carrier, Carriers
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import engine_room, plan_of
from tests.deploy.trunk import RefusingCarrier

BYE = HangupNode(name="bye")
FIRST, SECOND = "trunk-first-out", "trunk-second-out"
FOUND_OUT_SECONDS = 8.0
"""An address is asked every second here, and has three to answer."""


@pytest.fixture
def carriers() -> Iterator[tuple[RefusingCarrier, RefusingCarrier]]:
    with RefusingCarrier() as first, RefusingCarrier() as second:
        yield first, second


async def look_until(check: TrunkCheck, *away: str) -> None:
    """As the engine does, but more often."""
    async with asyncio.timeout(FOUND_OUT_SECONDS):
        while check.addresses != (FIRST, SECOND) or check.away != away:
            await asyncio.sleep(0.2)
            await check.look()


async def test_carriers_that_fall_silent_are_told_and_come_back(
    tmp_path: Path, carriers: tuple[RefusingCarrier, RefusingCarrier]
) -> None:
    """First one, then both, then none; the log has a line for each change, and no more."""
    first, second = carriers
    named = zip(("first", "second"), carriers, strict=True)
    declared = [Carrier(name=name, calls_to=[one.address], qualify_seconds=1) for name, one in named]
    counts: list[tuple[int, int]] = []
    with Pbx.start(tmp_path / "pbx", agents=0, carriers=Carriers(carriers=declared)) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            check = TrunkCheck(room.link, link_up=lambda: True, on_checked=lambda *now: counts.append(now))
            await look_until(check)
            with capture_logs() as logged:
                first.status = None
                await look_until(check, FIRST)
                one_away = check.trouble
                second.status = None
                await look_until(check, FIRST, SECOND)
                both_away = check.trouble
                first.status = second.status = "503 Service Unavailable"
                await look_until(check)

    assert one_away == f"{FIRST} does not answer: numbers are dialled at the carriers that do"
    assert both_away == f"no carrier answers ({FIRST}, {SECOND}): numbers outside cannot be dialled"
    assert check.trouble is None
    assert {(2, 1), (2, 2)} <= set(counts)
    assert counts[-1] == (2, 0)
    said = [line.get("endpoints", ()) for line in logged if "carrier" in line["event"]]
    assert said[:2] == [(FIRST,), (FIRST, SECOND)]
    assert said[-1] == ()
    assert len(said) <= 4  # both may come back at once, or one after the other


async def test_without_a_declared_carrier_nothing_is_away(tmp_path: Path) -> None:
    """Who only takes calls has nothing to be told."""
    counts: list[tuple[int, int]] = []
    with Pbx.start(tmp_path / "pbx", agents=0) as pbx:
        async with engine_room(pbx, plan_of(BYE)) as room:
            check = TrunkCheck(room.link, link_up=lambda: True, on_checked=lambda *now: counts.append(now))
            await check.look()

    assert (check.trouble, counts) == (None, [(0, 0)])
