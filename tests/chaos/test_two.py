"""With two engines the one that leads is killed, stopped, and asked to hand over: a short round of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.faults import ALL
from tests.chaos.short import AGENTS, SEED, holds
from tests.chaos.striking import begun
from tests.chaos.town import Town, town

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = ["standby-killed", "leader-stopped", "upgrade"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place() -> AsyncIterator[Town]:
    """One for all."""
    async with town(f"{SEED}", AGENTS, ALL["upgrade"].needs) as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
async def test_a_short_round(place: Town, name: str) -> None:
    await begun(place)
    await holds(place, name)
