"""What each fault does, and how it is undone. An instant is written down when it is done, not when it was asked for."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import httpx

from bench.callers import Callers, Sink
from tests.chaos.clients import DIDS
from tests.chaos.notes import Fault
from tests.chaos.town import Town
from tests.weak_line import WeakLine

Strike = Callable[[Town, Fault, float], Coroutine[Any, Any, None]]
"""Does it, for so many seconds where it can last as long as one likes, and undoes it."""
READY_SECONDS: Final = 60.0
READY_PAUSE_SECONDS: Final = 0.1
SLOW_SECONDS: Final = 0.25
"""Each way."""
FLOOD: Final = b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: PJSIP/nobody\r\nPeerStatus: Reachable\r\n\r\n"
"""An event that every manager session may get, of a telephone that there is not."""
FLOOD_PER_SECOND: Final = 4000
OFFERED: Final = 4
"""Times the admission limit."""
OFFERED_PER_SECOND: Final = 300.0


async def kill_engine(place: Town, fault: Fault, seconds: float) -> None:
    """As the kernel would when there is no memory left; `callrouter up` starts it again, as systemd would."""
    process = await place.leader_process()
    fault.at = time.time()
    process.kill()
    await _ready(place)
    fault.healed_at = time.time()
    await settled(place)


async def no_engine(place: Town, fault: Fault, seconds: float) -> None:
    """It is gone with all that would start it again."""
    fault.at = time.time()
    await place.engine.kill()
    await asyncio.sleep(seconds)
    await place.engine.start()
    fault.healed_at = time.time()


async def kill_asterisk(place: Town, fault: Fault, seconds: float) -> None:
    """And start it again at once, as systemd would."""
    loop = asyncio.get_running_loop()
    fault.at = time.time()
    await loop.run_in_executor(None, place.pbx.kill)
    await loop.run_in_executor(place.beside, place.pbx.restart)
    fault.healed_at = time.time()


async def cut_line(place: Town, fault: Fault, seconds: float) -> None:
    """Between engine and PBX: the connection breaks, and none can be made."""
    await _on_line(place, fault, seconds, lambda line: line.cut(refuse=True))


async def stall_line(place: Town, fault: Fault, seconds: float) -> None:
    """The connection stays, and nothing comes through."""
    await _on_line(place, fault, seconds, lambda line: line.silence())


async def slow_line(place: Town, fault: Fault, seconds: float) -> None:
    """Whatever is said is late, either way."""
    await _on_line(place, fault, seconds, lambda line: line.slow(SLOW_SECONDS))


async def flood_line(place: Town, fault: Fault, seconds: float) -> None:
    """The PBX says much that concerns nobody."""
    await _on_line(place, fault, seconds, lambda line: line.flood(FLOOD, FLOOD_PER_SECOND))


async def _on_line(place: Town, fault: Fault, seconds: float, does: Callable[[WeakLine], None]) -> None:
    assert place.line is not None
    fault.at = time.time()
    does(place.line)
    await asyncio.sleep(seconds)
    place.line.heal()
    fault.healed_at = time.time()


async def database_away(place: Town, fault: Fault, seconds: float) -> None:
    """Killed, and started again later; meanwhile the engine is killed too."""
    assert place.database is not None
    fault.at = time.time()
    await asyncio.to_thread(place.database.crash)
    await asyncio.sleep(seconds * random.Random(fault.at).uniform(0.2, 0.6))
    (await place.leader_process()).kill()
    await asyncio.sleep(max(0.0, fault.at + seconds - time.time()))
    await asyncio.to_thread(place.database.start)
    fault.healed_at = time.time()
    await _ready(place)
    while (await figures(place)).get("callrouter_writer_backlog_calls", 1.0) > 0.0:
        await asyncio.sleep(0.1)
    fault.drained_at = time.time()


async def overload(place: Town, fault: Fault, seconds: float) -> None:
    """Four times as many callers at once as the PBX admits, who call again and again."""
    sink = Sink()
    limit = int(place.pbx.cli("dialplan show globals").partition("CR_MAX_CALLS=")[2].split()[0])
    rate = min(OFFERED_PER_SECOND, float(OFFERED * limit))
    fault.at = time.time()
    crowd = Callers(
        place.root / f"crowd-{fault.at:.0f}",
        place.address,
        DIDS["probe"],
        calls=round(rate * seconds),
        rate=rate,
        sink=sink,
    )
    try:
        await asyncio.sleep(seconds)
    finally:
        crowd.stop()
        sink.close()
    fault.healed_at = time.time()


async def stop_leader(place: Town, fault: Fault, seconds: float) -> None:
    """It stands still where it is, and wakes later (SIGSTOP, SIGCONT)."""
    process = await place.leader_process()
    fault.at = time.time()
    process.suspend()
    await asyncio.sleep(seconds)
    process.resume()
    fault.healed_at = time.time()
    await settled(place)


async def hand_over(place: Town, fault: Fault, seconds: float) -> None:
    """The leader is asked to stop (SIGTERM), as an upgrade does; it is started again and waits."""
    process = await place.leader_process()
    fault.at = time.time()
    process.terminate()
    await _ready(place)
    fault.healed_at = time.time()
    await settled(place)


async def begun(place: Town) -> None:
    """Nobody calls, and a round may begin: of two releases the older one leads."""
    await settled(place)
    if place.two_releases and await place.leader() is place.standby:
        (await place.leader_process()).terminate()
        deadline = time.monotonic() + READY_SECONDS
        while await place.leader() is place.standby and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        await settled(place)


async def settled(place: Town) -> None:
    """With two engines: until the next round finds them as this one did."""
    deadline = time.monotonic() + READY_SECONDS
    while not await place.is_settled() and time.monotonic() < deadline:
        await asyncio.sleep(0.2)


async def _ready(place: Town) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if await place.is_ready() and (await figures(place)).get("callrouter_ami_up", 0.0) == 1.0:
            return
        await asyncio.sleep(READY_PAUSE_SECONDS)


async def figures(place: Town) -> Mapping[str, float]:
    """The leading engine's, or none where none answers."""
    try:
        return await (await place.leader()).figures()
    except (httpx.HTTPError, OSError):
        return {}
