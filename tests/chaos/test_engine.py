"""The engine is killed, or gone; so is Asterisk, or the database meanwhile: a short round of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.faults import ALL
from tests.chaos.short import AGENTS, SEED, holds
from tests.chaos.soak import soak
from tests.chaos.town import Needs, Town, town

NAMES = ["engine-killed", "no-engine", "asterisk-killed", "database-away"]
FEW = 4
"""Connections of whoever reads figures, threads of a pool."""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place() -> AsyncIterator[Town]:
    """One for all."""
    async with town(f"{SEED}", AGENTS, Needs(database=True)) as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
async def test_a_short_round(place: Town, name: str) -> None:
    assert not ALL[name].needs.line
    await holds(place, name)


async def test_a_short_soak(place: Town) -> None:
    """Nothing is held for calls that are over; growth with very many calls is told by `make chaos FAULT=soak`."""
    first, *_, last = await soak(place, calls=160, parts=2, rate=20.0)

    assert last.failed == 0
    assert last.astdb_rows == first.astdb_rows
    for name in ("engine_files", "asterisk_files", "engine_threads"):
        assert abs(getattr(last, name) - getattr(first, name)) <= FEW, name
