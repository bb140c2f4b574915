"""Hears from PostgreSQL that there is something to do: a message, an acknowledgement, something to be sent again; or,
on another channel, that something is to be told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from callrouter.errors import StoreError
from callrouter.store.database import Database
from callrouter.store.dispatch.events import CHANNEL

RETRY_SECONDS: Final = 1.0
"""Between two tries to listen; meanwhile the worker looks by itself."""


async def listen(database: Database, heard: Callable[[], None], channel: str = CHANNEL) -> None:
    """Until cancelled, on a connection of its own; whenever it is made anew, that counts as heard."""
    while True:
        try:
            connection = await database.connect_raw()
        except StoreError:
            await asyncio.sleep(RETRY_SECONDS)
            continue
        try:
            await _listen(connection, heard, channel)
        except Exception:
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            connection.terminate()


async def _listen(connection: Any, heard: Callable[[], None], channel: str) -> None:
    """Until the connection ends."""
    ended = asyncio.Event()

    def notified(*_: Any) -> None:
        heard()

    connection.add_termination_listener(lambda _: ended.set())
    await connection.add_listener(channel, notified)
    heard()
    await ended.wait()
