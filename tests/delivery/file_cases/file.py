"""Cases of the tests' own channel."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from callrouter.delivery.channel import Delivered, FailedForGood, FailedForNow, Tools
from callrouter.runtime.guarded_http import GuardedHttp
from tests.delivery.channels.walking import Room

ADDRESSES = {
    "file:/srv/told": None,
    "file:///srv/told%20them": None,
    "file:told": "from the root on",
}

SENDS = {
    "told": (Delivered, ""),
    "nowhere/told": (FailedForNow, "No such file"),
    "": (FailedForGood, "is a folder"),
}


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """A folder."""
    with tempfile.TemporaryDirectory() as folder:

        def received() -> Sequence[bytes]:
            told = Path(folder) / "told"
            return told.read_bytes().splitlines() if told.exists() else []

        http = GuardedHttp([], {})
        yield Room(tools=Tools(http=http), address=lambda name: f"file:{folder}/{name}", received=received)
