"""The engine stops in the reverse order of its start, and what was stopped stays stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock, create_autospec

import pytest

from callrouter.app.dialplans import Dialplans
from callrouter.app.engine import Engine
from callrouter.app.http import HttpServer
from callrouter.app.lifetime import Lifetime
from callrouter.app.operations import EngineOperations
from callrouter.app.records import Records
from callrouter.app.telephony import Telephony
from callrouter.app.web_services import WebServices
from callrouter.app.wiring.front import Front
from callrouter.asterisk.agents.at_work import AgentsAtWork
from callrouter.runtime.reload import ServedPlans
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings
from callrouter.store.connecting import Leader
from callrouter.store.database import Database

START = [
    "database.lead",
    "telephony.start",
    "telephony.take_over",
    "records.start",
    "web_services.start",
    "agents.start",
    "server.run_until_stopped",
    "telephony.first_login",
    # tasks: they begin when all of the above have
    "database.ping",
    "dialplans.load",
    "telephony.serve_all",
]
HAND_OVER = ["web_services.rest", "records.settle", "database.lead", "telephony.hand_over"]
STOP = [
    "telephony.finish",
    "records.close",
    "telephony.close",
    "operations.end_stream",
    "server.stop",
    "aside.stop",
    "agents.stop",
    "web_services.stop",
    "records.stop",
]


class Unsignalled(Lifetime):
    """Leaves the signals of the test's own process alone."""

    def catch_signals(self) -> None:
        """Nothing is caught."""

    def catch_reload(self, on_reload: Callable[[], None]) -> None:
        """Nor is SIGHUP."""


class Room:
    """An engine whose parts only write down in which order they are called."""

    def __init__(self, *, has_successor: bool = False) -> None:
        self._called = Mock()
        place = Mock(spec_set=["has_successor"])
        place.has_successor = has_successor
        self.lifetime = Unsignalled(stop_seconds=30.0)
        self.server = self._part("server", HttpServer)
        self.engine = Engine(
            settings=Settings(watch=False, realtime=False, database_url="postgresql://127.0.0.1/none", _env_file=None),
            place=place,
            database=self._part("database", Database),
            leader=Leader(pbx="pbx-1", epoch=1),
            lifetime=self.lifetime,
            tasks=Tasks(self.lifetime.died),
            aside=self._part("aside", Tasks),
            records=self._part("records", Records),
            web_services=self._part("web_services", WebServices),
            agents=self._part("agents", AgentsAtWork),
            telephony=self._part("telephony", Telephony),
            dialplans=self._part("dialplans", Dialplans),
            front=lambda: Front(operations=self._part("operations", EngineOperations), server=self.server),
        )

    def _part(self, name: str, kind: type) -> Any:
        part = create_autospec(kind, instance=True)
        self._called.attach_mock(part, name)
        return part

    @property
    def order(self) -> list[str]:
        """Part and method, in the order in which they were called."""
        return [name for name, _, _ in self._called.mock_calls]

    async def _log_in(self, _lifetime: Lifetime) -> None:
        """It takes as long as the rest of the start; then a stop is asked for."""
        await asyncio.sleep(0.05)
        self.lifetime.stopping.set()

    async def run(self, *, is_new_here: bool = False) -> None:
        """From the start to the end of a stop that is asked for at once."""
        dialplans: Any = self.engine.dialplans
        dialplans.is_new_here = is_new_here
        dialplans.served = create_autospec(ServedPlans, instance=True, loaded=asyncio.Event())
        dialplans.load.side_effect = dialplans.served.loaded.set
        self.engine.telephony.first_login.side_effect = self._log_in  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            await self.engine.run()


async def test_nothing_is_started_after_the_stop() -> None:
    room = Room()

    await room.run()

    assert room.order == START + STOP


async def test_calls_are_left_to_the_engine_that_waits() -> None:
    """At once: nobody waits for them to end, and what is being told is told first."""
    room = Room(has_successor=True)

    await room.run()

    assert room.order == START + HAND_OVER + STOP[1:]


async def test_where_nothing_was_live_the_folder_comes_first() -> None:
    """There is no call to take over, and what is wrong ends the start before anybody hears of it."""
    room = Room()

    await room.run(is_new_here=True)

    first = ["database.lead", "dialplans.load"]
    assert room.order == [*first, *(part for part in START if part not in first), *STOP]


async def test_a_death_ends_the_engine_with_its_error() -> None:
    """And everything has been stopped by then."""
    room = Room()
    room.lifetime.fatal = RuntimeError("the recorder died")

    with pytest.raises(RuntimeError, match="the recorder died"):
        await room.run()

    assert room.order == START + STOP
