"""Fixtures every test may use: free ports, and databases of their own on one real PostgreSQL for each worker."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from callrouter.testing import finish_all

if TYPE_CHECKING:  # tests that need no database do not pay for its imports
    from callrouter.store.database import Database
    from tests.postgres import Server


def pytest_configure() -> None:
    """Whoever runs the tests may have CALLROUTER_* set for a real engine: no test, and no fixture, may use it."""
    for name in list(os.environ):
        if name.upper().startswith("CALLROUTER_"):
            del os.environ[name]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`: mix the tests that wait with those that compute."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.lanes import Lanes

    return Lanes(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Beside other workers, what computes alone gives way to what waits."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        from tests.lanes import give_way

        give_way(item.nodeid)


settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
# Another run at every seed, for tests/fuzz (`make fuzz`).
settings.register_profile("fuzz", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _every_transcript_is_complete() -> Iterator[None]:
    """No playbook may be left in the middle of its call."""
    yield
    finish_all()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """A loopback port nobody listens on now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The PostgreSQL of this run (of this worker): make databases of your own in it, or ask for `database`."""
    from tests.lanes import impatient
    from tests.postgres import in_memory, started

    # Not below pytest's own folder: as root the server runs as another user, and every pytest that starts on the
    # machine closes that folder to others.
    with (
        tempfile.TemporaryDirectory(prefix="callrouter-test-", dir=in_memory()) as folder,
        ExitStack() as until_the_end,
    ):
        with impatient():
            running = until_the_end.enter_context(started(Path(folder)))
        asyncio.run(running.never_crashes())
        yield running


@pytest.fixture(scope="session")
def postgres(server: Server) -> str:
    """Its URL."""
    return server.url


@pytest.fixture(scope="session")
def migrated(server: Server) -> str:
    """The name of a database in it with callrouter's tables: a template for others, which is copied, not used."""
    return asyncio.run(server.migrated())


@pytest.fixture
async def fresh_database_url(server: Server) -> AsyncIterator[str]:
    """The URL of an empty database."""
    async with server.database() as url:
        yield url


@pytest.fixture
async def database_url(server: Server, migrated: str) -> AsyncIterator[str]:
    """The URL of `database`, for commands and processes."""
    async with server.database(migrated) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with callrouter's tables, and nothing in them."""
    from sqlalchemy.engine import make_url

    from callrouter.store.database import Database

    found = Database(make_url(database_url))
    yield found
    await found.close()
