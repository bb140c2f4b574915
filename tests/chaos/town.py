"""Everything that a round needs, started together: Asterisk, callrouter, telephones, a web service, and where a fault
wants them a line to cut and a PostgreSQL of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from deploy.asterisk.pbx import Pbx, teams_of_folder
from deploy.demo.plain_http import plain_client
from deploy.demo.stack import Engine, engine_beside, phones_are_known
from tests.chaos.answering import Answering
from tests.chaos.clients import agents, write_folder
from tests.chaos.ear import PACKET_SECONDS
from tests.chaos.media import Media, media
from tests.chaos.next_release import PROGRAM as NEXT_RELEASE
from tests.chaos.service import Service, service
from tests.laws.sip import Port
from tests.postgres import Server, started
from tests.weak_line import WeakLine, weak_line


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a fault is done to, beside what there always is."""

    line: bool = False
    """A line between engine and PBX that can be cut."""
    database: bool = False
    """A PostgreSQL that can be stopped."""
    standby: bool = False
    """A second engine that waits for the first one's place; it needs the database."""
    two_releases: bool = False
    """The second engine is of the next release, whose states of calls the first one cannot read."""
    max_calls: int = 1000
    """The admission limit of the PBX."""


@dataclass(kw_only=True)
class Town:
    """What runs."""

    root: Path
    pbx: Pbx
    port: Port
    answering: Answering
    service: Service
    engine: Engine
    media: Media
    asks: httpx.AsyncClient
    """Whether engines are ready; one for all, since to make one costs as much CPU as to ask by it."""
    line: WeakLine | None
    database: Server | None
    beside: ThreadPoolExecutor
    """Its one thread starts what is killed when the thread that started it ends."""
    standby: Engine | None = None
    """The second engine, whichever of the two leads."""
    two_releases: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """Where the PBX is called."""
        return self.pbx.sip_host, self.pbx.sip_port

    async def leader(self) -> Engine:
        """Whoever says that it is ready; the first engine where nobody does."""
        for one in self.engines:
            if await self._ready(one) == _OK:
                return one
        return self.engine

    @property
    def engines(self) -> list[Engine]:
        """Both, or the one."""
        return [self.engine, *([self.standby] if self.standby else [])]

    async def leader_process(self) -> psutil.Process:
        """The leading engine itself: `callrouter up` runs it among others."""
        leader = await self.leader()
        if leader is self.standby:
            return psutil.Process(leader.pid)
        return leader.part()

    async def is_settled(self) -> bool:
        """Whether one engine leads, and the other one, if there is one, waits."""
        return sorted([await self._ready(one) for one in self.engines]) == [_OK, _WAITS][: len(self.engines)]

    async def is_ready(self) -> bool:
        """Whether an engine leads. It is asked while one starts, which callers wait for: it has to cost little."""
        return any([await self._ready(one) == _OK for one in self.engines])

    async def _ready(self, engine: Engine) -> int:
        """The status of /ready; 0 when nobody answers."""
        try:
            return (await self.asks.get(f"{engine.engine_url}/ready")).status_code
        except httpx.HTTPError:
            return 0


LONG_PACKETS: Final = "[trunk](+)\nuse_ptime = yes\n"
"""Callers are sent sound in packets as long as they ask for: a third as many, of what is half the machine's work."""
_OK, _WAITS = 200, 503


@contextlib.asynccontextmanager
async def town(seed: str, agent_count: int, needs: Needs) -> AsyncIterator[Town]:
    """Everything, with so many agents who take calls; in the end nothing is left of it."""
    async with contextlib.AsyncExitStack() as cleanup:
        root = Path(tempfile.mkdtemp(prefix="callrouter-"))
        cleanup.callback(shutil.rmtree, root, ignore_errors=True)
        web = await cleanup.enter_async_context(service(seed))
        folder = root / "clients" / "dialplans"
        write_folder(folder, agent_count, web.host)
        ears = await cleanup.enter_async_context(media())
        answering = Answering(ears)
        port = await Port.open(answering.ring)
        cleanup.push_async_callback(port.close)
        port.packet_ms = round(PACKET_SECONDS * 1000)
        names = agents(agent_count)
        pbx = Pbx.start(
            root / "pbx",
            agents=len(names),
            agent_contacts=dict.fromkeys(names, port.contact),
            teams=teams_of_folder(folder),
            carrier=port.contact,
            max_calls=needs.max_calls,
            extra_conf={"pjsip": LONG_PACKETS},
        )
        cleanup.callback(pbx.__exit__)
        beside = ThreadPoolExecutor(max_workers=1)
        cleanup.callback(beside.shutdown)
        ami = weak_line(lambda: asyncio.open_connection(pbx.ami_host, pbx.ami_port))
        line = await cleanup.enter_async_context(ami) if needs.line else None
        database = cleanup.enter_context(started(root / "postgres")) if needs.database else None
        url = database.url_of(await database.migrated()) if database else ""
        spare = {"CALLROUTER_SPARE": "off" if needs.standby else "on"}
        settings = {**_settings(folder, pbx, web, line, url), **spare}
        engine = engine_beside(root, pbx, settings)
        cleanup.push_async_callback(engine.stop)
        await engine.start()
        second = engine_beside(root, pbx, settings)
        second.verb, second.log_path = "engine", root / "standby.log"
        if needs.two_releases:
            second.program = NEXT_RELEASE
        standby = await cleanup.enter_async_context(_kept(second)) if needs.standby else None
        await phones_are_known(pbx, len(names))
        yield Town(
            root=root,
            pbx=pbx,
            port=port,
            answering=answering,
            service=web,
            engine=engine,
            media=ears,
            asks=await cleanup.enter_async_context(plain_client(timeout=2.0)),
            line=line,
            database=database,
            beside=beside,
            standby=standby,
            two_releases=needs.two_releases,
        )


@contextlib.asynccontextmanager
async def _kept(engine: Engine) -> AsyncIterator[Engine]:
    """An engine that is started again whenever it ends, as systemd would."""

    async def keep() -> None:
        while True:
            if not engine.is_running:
                await engine.start(wait=False)
            await asyncio.sleep(0.5)

    keeper = asyncio.get_running_loop().create_task(keep())
    try:
        yield engine
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await engine.kill()


def _settings(folder: Path, pbx: Pbx, web: Service, line: WeakLine | None, database_url: str) -> Mapping[str, str]:
    settings = {
        "DIALPLANS_DIR": str(folder),
        "OUTGOING_HOSTS": web.host,
        "CLOCK_SHIFT": "0",
        "CLIENT_CALLS": "0",
        "GRACE_SECONDS": "2",
    }
    if line is not None:
        settings |= {"AMI_HOST": "127.0.0.1", "AMI_PORT": str(line.port)}
    if database_url:
        settings |= {
            "DATABASE_URL": database_url,
            "AMI_ADMIN_SECRET": pbx.ami_admin_secret,
            "PBX_KEY": "a-key-for-two-engines",
        }
    return {f"CALLROUTER_{name}": value for name, value in settings.items()}


async def is_quiet(place: Town) -> bool:
    """Whether no channel is at the PBX, and no call at the engine, and no callback to be rung."""
    channels = await asyncio.to_thread(place.pbx.cli, "core show channels count")
    live = (await (await place.leader()).get("/live"))["calls"]
    wishes = (await place.engine.get("/api/callbacks", limit=500))["callbacks"]
    pending = any(one["settled_by"] is None for one in wishes)
    return channels.startswith("0 active channels") and not live and not pending
