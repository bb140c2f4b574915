"""A PBX that answers and on which nothing advances is told within 5 s, and one that is only quiet, or busy, is not."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from callrouter.asterisk.link import AmiLink, LinkState
from callrouter.asterisk.pbx import frozen
from callrouter.asterisk.pbx.frozen import FrozenWatch
from callrouter.runtime.tasks import Tasks
from tests.asterisk.callers import Pbx
from tests.asterisk.engine_room import until
from tests.asterisk.test_link import address_of
from tests.patience import START_SECONDS
from tests.weak_line import WeakLine, weak_line

NOTICED_SECONDS = 5.0
_BLOCK = re.compile(rb".*?\r\n\r\n", re.DOTALL)


class PongsOnly:
    """Lets the answers to pings through, and keeps all else for later, as a PBX that is dead-locked does."""

    def __init__(self) -> None:
        self.kept = b""
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        blocks = _BLOCK.findall(self._rest + data)
        self._rest = (self._rest + data)[sum(map(len, blocks)) :]
        self.kept += b"".join(block for block in blocks if b"Ping: Pong" not in block)
        return b"".join(block for block in blocks if b"Ping: Pong" in block)


@dataclass
class Room:
    """A link over a line, and the watch over what is at its end."""

    link: AmiLink
    line: WeakLine
    watch: FrozenWatch
    changes: list[tuple[bool, float]] = field(default_factory=list)


@asynccontextmanager
async def watched(pbx: Pbx) -> AsyncIterator[Room]:
    async with weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port)) as line:
        link = AmiLink(replace(address_of(pbx), port=line.port))
        link_up = lambda: link.state is LinkState.UP  # noqa: E731
        changes: list[tuple[bool, float]] = []
        watch = FrozenWatch(link, link_up=link_up)
        watch.tells(lambda frozen, seconds: changes.append((frozen, seconds)))
        tasks = Tasks()
        tasks.start(link.run(), "link")
        tasks.start(watch.run(), "watch")
        try:
            await until(lambda: watch.round_trip_seconds > 0, START_SECONDS)
            yield Room(link, line, watch, changes)
        finally:
            line.heal()
            await link.close()
            await tasks.stop()


async def test_a_pbx_on_which_nothing_advances_is_told_within_5_seconds(pbx: Pbx) -> None:
    """Though it answers pings; it is told once, the link stays, and so it is told when calls advance again."""
    with capture_logs() as logs:
        async with watched(pbx) as room:
            pongs = PongsOnly()
            room.line.through = pongs
            began = time.monotonic()
            await until(lambda: room.watch.frozen, 2 * NOTICED_SECONDS)
            noticed = time.monotonic() - began
            said = room.watch.trouble
            await asyncio.sleep(3 * frozen.PROBE_SECONDS)
            probes = room.watch._number
            await asyncio.sleep(2 * frozen.PROBE_SECONDS)
            gathered = room.watch._number - probes
            room.line.through = lambda data: pongs.kept + pongs._rest + data
            await until(lambda: not room.watch.frozen, 5)
            room.line.heal()
            connections, told = room.link.counters.connections, room.watch.trouble

    assert noticed <= NOTICED_SECONDS
    assert said is not None
    assert "no call advances" in said
    assert gathered == 0
    assert [change for change, _ in room.changes] == [True, False]
    assert (connections, told) == (1, None)
    events = [one["event"] for one in logs if one["log_level"] in ("warning", "critical")]
    assert [event for event in events if "advance" in event] == [frozen.REASON, "calls advance on Asterisk again"]


async def test_a_quiet_pbx_is_not_frozen(pbx: Pbx) -> None:
    """Its probes come, one after the other, and leave no channel."""
    async with watched(pbx) as room:
        first = room.watch._number
        await asyncio.sleep(5 * frozen.PROBE_SECONDS)
        probes, took = room.watch._number - first, room.watch.round_trip_seconds

    assert room.changes == []
    assert probes >= 3
    assert took < frozen.QUIET_SECONDS
    await until(lambda: "0 active channels" in pbx.cli("core show channels count"), 5)


async def test_an_engine_that_was_held_up_takes_nobody_for_frozen(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe came long ago, and is read in an instant."""
    async with watched(pbx) as room:
        send, held = room.watch._send, list[float]()

        def held_up(now: float) -> None:
            send(now)
            if not held:
                time.sleep(frozen.QUIET_SECONDS + 1.0)  # the whole process
            held.append(now)

        monkeypatch.setattr(room.watch, "_send", held_up)
        await until(lambda: len(held) > 1, 10)

    assert room.changes == []


async def test_a_probe_that_is_lost_beside_others_events_is_told_later(
    pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock may hold new calls alone: then something is heard of the others all the time."""
    monkeypatch.setattr(frozen, "LOST_SECONDS", 4.0)
    async with watched(pbx) as room:
        room.link._events[b"UserEvent"] = lambda _: None
        began = time.monotonic()
        while not room.watch.frozen and time.monotonic() - began < 10:
            await room.link.send("UserEvent", {"UserEvent": "Others"})
            await asyncio.sleep(0.1)
        noticed = time.monotonic() - began

    assert 4.0 <= noticed < 8.0


async def test_a_pbx_with_older_files_is_not_judged(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "CONTEXT", "callrouter-unknown")
    with capture_logs() as logs:
        link = AmiLink(address_of(pbx))
        watch = FrozenWatch(link, link_up=lambda: link.state is LinkState.UP)
        tasks = Tasks()
        tasks.start(link.run(), "link")
        tasks.start(watch.run(), "watch")
        await until(lambda: watch._able is not None, START_SECONDS)
        await asyncio.sleep(1.0)
        await link.close()
        await tasks.stop()

    assert (watch.frozen, watch._number) == (False, 0)
    assert [one for one in logs if "older release" in one["event"]]
