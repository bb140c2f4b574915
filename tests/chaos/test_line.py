"""The line between engine and PBX is cut, stalled, slow and flooded, and too many call: a short round of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.faults import ALL
from tests.chaos.short import AGENTS, SEED, holds
from tests.chaos.town import Needs, Town, town

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = ["ami-cut", "ami-stalled", "ami-slow", "ami-flooded", "overload"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place() -> AsyncIterator[Town]:
    """One for all."""
    async with town(f"{SEED}", AGENTS, Needs(line=True, max_calls=ALL["overload"].needs.max_calls)) as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
async def test_a_short_round(place: Town, name: str) -> None:
    await holds(place, name)
