"""An office with a database of its own, and web services that it may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callrouter.runtime.guarded_http import GuardedHttp
from callrouter.store.database import Database
from tests.dispatch.rooms import Office
from tests.runtime.web_service import WebService, web_service


@pytest.fixture
async def crm() -> AsyncIterator[WebService]:
    """A web service that takes what it is sent."""
    async with web_service() as service:
        yield service


@pytest.fixture
async def another() -> AsyncIterator[WebService]:
    """Another one."""
    async with web_service() as service:
        yield service


@pytest.fixture
async def office(database: Database, crm: WebService, another: WebService, tmp_path: Path) -> AsyncIterator[Office]:
    """It may ask these services."""
    http = GuardedHttp([crm.host, another.host], {})
    yield Office(database=database, http=http, folder=tmp_path)
    await http.close()
