"""What every peer needs: its arguments, its times, and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import uvloop

from callrouter.app.realtime import take_precedence
from deploy.asterisk.pbx import Pbx

STATE = "W" * 400
"""As long as a call's state is in the middle of the tree."""
PLAYS = 4


@dataclass(kw_only=True)
class Peer:
    """What a peer is given, and what it notes."""

    pbx: Pbx
    tick: str
    options: frozenset[str]
    stopping: asyncio.Event
    times: dict[str, array[float]] = field(default_factory=lambda: {"command": array("d"), "play": array("d")})

    def note(self, kind: str, began: float) -> None:
        """Something that began then is over."""
        now = perf_counter()
        self.times[kind].extend((now, now - began))


def run(serve: Callable[[Peer], Awaitable[None]]) -> None:
    """Serve until SIGTERM, then write the times: `peer RUN_DIR TICK [OPTIONS] FILE`."""
    run_dir, tick, *options, path = sys.argv[1:]

    async def main() -> None:
        peer = Peer(pbx=Pbx.attach(Path(run_dir)), tick=tick, options=frozenset(options), stopping=asyncio.Event())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, peer.stopping.set)
        take_precedence()  # as the engine does
        await serve(peer)
        times.update({kind: list(values) for kind, values in peer.times.items()})

    times: dict[str, list[float]] = {}
    uvloop.run(main())
    Path(path).write_text(json.dumps(times), encoding="utf-8")


def ready() -> None:
    """Calls may come."""
    print("ready", flush=True)
