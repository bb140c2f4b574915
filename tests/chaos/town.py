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

import psutil

from deploy.asterisk.pbx import Pbx, teams_of_folder
from deploy.demo.stack import Engine, engine_beside, phones_are_known
from tests.chaos.answering import Answering
from tests.chaos.clients import agents, write_folder
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.service import Service, service
from tests.chaos.sounds import Sounds
from tests.laws.sip import Port
from tests.postgres import Server, started


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a fault is done to, beside what there always is."""

    line: bool = False
    """A line between engine and PBX that can be cut."""
    database: bool = False
    """A PostgreSQL that can be stopped."""
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
    sounds: Sounds
    line: Proxy | None
    database: Server | None
    beside: ThreadPoolExecutor
    """Its one thread starts what is killed when the thread that started it ends."""

    @property
    def address(self) -> tuple[str, int]:
        """Where the PBX is called."""
        return self.pbx.sip_host, self.pbx.sip_port

    def engine_process(self) -> psutil.Process:
        """The engine itself, among the processes that `callrouter up` runs."""
        children = psutil.Process(self.engine.pid).children(recursive=True)
        [found] = [one for one in children if "engine" in one.cmdline()]
        return found


@contextlib.asynccontextmanager
async def town(seed: str, agent_count: int, needs: Needs) -> AsyncIterator[Town]:
    """Everything, with so many agents who take calls; in the end nothing is left of it."""
    async with contextlib.AsyncExitStack() as cleanup:
        root = Path(tempfile.mkdtemp(prefix="callrouter-"))
        cleanup.callback(shutil.rmtree, root, ignore_errors=True)
        web = await cleanup.enter_async_context(service(seed))
        folder = root / "clients" / "dialplans"
        write_folder(folder, agent_count, web.host)
        sounds = Sounds()
        answering = Answering(sounds)
        port = await Port.open(answering.ring)
        cleanup.push_async_callback(port.close)
        names = agents(agent_count)
        pbx = Pbx.start(
            root / "pbx",
            agents=len(names),
            agent_contacts=dict.fromkeys(names, port.contact),
            teams=teams_of_folder(folder),
            carrier=port.contact,
            max_calls=needs.max_calls,
        )
        cleanup.callback(pbx.__exit__)
        beside = ThreadPoolExecutor(max_workers=1)
        cleanup.callback(beside.shutdown)
        line = await cleanup.enter_async_context(proxy(pbx.ami_host, pbx.ami_port)) if needs.line else None
        database = cleanup.enter_context(started(root / "postgres")) if needs.database else None
        url = database.url_of(await database.migrated()) if database else ""
        engine = engine_beside(root, pbx, _settings(folder, web, line, url))
        cleanup.push_async_callback(engine.stop)
        await engine.start()
        await phones_are_known(pbx, len(names))
        yield Town(
            root=root,
            pbx=pbx,
            port=port,
            answering=answering,
            service=web,
            engine=engine,
            sounds=sounds,
            line=line,
            database=database,
            beside=beside,
        )


def _settings(folder: Path, web: Service, line: Proxy | None, database_url: str) -> Mapping[str, str]:
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
        settings["DATABASE_URL"] = database_url
    return {f"CALLROUTER_{name}": value for name, value in settings.items()}


async def is_quiet(place: Town) -> bool:
    """Whether no channel is at the PBX, and no call at the engine, and no callback to be rung."""
    channels = await asyncio.to_thread(place.pbx.cli, "core show channels count")
    live = (await place.engine.get("/live"))["calls"]
    wishes = (await place.engine.get("/api/callbacks", limit=500))["callbacks"]
    pending = any(one["settled_by"] is None for one in wishes)
    return channels.startswith("0 active channels") and not live and not pending
