"""The engine is killed, or gone; so is Asterisk, or the database meanwhile: a short round of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.faults import ALL
from tests.chaos.short import AGENTS, SEED, holds
from tests.chaos.town import Needs, Town, town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place() -> AsyncIterator[Town]:
    """One for all."""
    async with town(f"{SEED}", AGENTS, Needs(database=True)) as found:
        yield found


@pytest.mark.parametrize("name", ["engine-killed", "no-engine", "asterisk-killed", "database-away"])
async def test_a_short_round(place: Town, name: str) -> None:
    assert not ALL[name].needs.line
    await holds(place, name)
