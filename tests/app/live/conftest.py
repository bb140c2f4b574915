"""What tests of a start share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import make_url

from callrouter.store.database import Database


@pytest.fixture
async def away() -> AsyncIterator[Database]:
    """A PostgreSQL that is not there."""
    made = Database(make_url("postgresql://nobody@127.0.0.1:1/none"))
    yield made
    await made.close()
