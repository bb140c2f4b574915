"""Two whole engines of one PBX, each a process of its own, as systemd would run them; and callers whom they serve."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.engine import make_url

from callrouter.store.database import Database
from deploy.demo.plain_http import plain_client
from deploy.demo.stack import Engine, engine_beside
from tests.asterisk.callers import Pbx, free_port
from tests.patience import START_SECONDS

DID = "+33199000010"
PLANS = {
    "test.yaml": """
client: test
name: Test
numbers: ["+33199000010"]
timezone: Europe/Paris
language: en
start: welcome
nodes:
  welcome:
    menu: {prompt: {sound: demo-thanks}, keys: {"1": bye}, no_input: {retry: 5, then: bye}, no_match: {then: bye}}
  bye: {hangup: {}}
"""
}


@dataclass(kw_only=True)
class Two:
    """The engines, by the number of each; nobody starts again who ends."""

    pbx: Pbx
    engines: list[Engine]
    database_url: str

    async def leads(self) -> list[int]:
        """Which of them say that they are ready."""
        return [number for number, engine in enumerate(self.engines) if (await self.ready(engine))[0] == 200]

    async def ready(self, engine: Engine) -> tuple[int, str]:
        """The status of /ready, and what it says; 0 when nobody answers within a second."""
        async with plain_client(timeout=1.0) as client:
            try:
                answer = await client.get(f"{engine.engine_url}/ready")
            except httpx.TransportError:
                return 0, ""
        return answer.status_code, answer.text

    async def waits(self, engine: Engine) -> bool:
        """Whether it is a standby."""
        status, said = await self.ready(engine)
        return status == 503 and "standby" in said

    async def settled(self, seconds: float = START_SECONDS) -> tuple[int, int]:
        """Once one leads and the other waits: their numbers."""
        found: list[int] = []

        async def look() -> bool:
            found[:] = await self.leads()
            return len(found) == 1 and await self.waits(self.engines[1 - found[0]])

        await until(look, seconds)
        return found[0], 1 - found[0]

    async def seconds_until_leads(self, number: int, seconds: float = 15) -> float:
        """How long it takes from now."""
        began = time.monotonic()

        async def look() -> bool:
            return number in await self.leads()

        await until(look, seconds)
        return time.monotonic() - began

    async def figure(self, number: int, name: str, value: float, seconds: float = 15) -> None:
        """Until an engine's /metrics shows it."""

        async def look() -> bool:
            return bool(await metric(self.engines[number], name) == value)

        await until(look, seconds)

    async def rows(self) -> list[dict[str, Any]]:
        """Every call's, as the database has it."""
        database = Database(make_url(self.database_url))
        async with database.connection() as connection:
            found = [dict(row) for row in (await connection.execute(text("SELECT * FROM calls"))).mappings()]
        await database.close()
        return found

    def stop(self, number: int) -> None:
        """SIGSTOP."""
        os.kill(self.engines[number].pid, signal.SIGSTOP)

    def go_on(self, number: int) -> None:
        """SIGCONT."""
        os.kill(self.engines[number].pid, signal.SIGCONT)

    async def says_soon(self, number: int, words: str, seconds: float = 15) -> None:
        """Until they stand in its log."""

        async def look() -> bool:
            return words in self.says(number)

        await until(look, seconds)

    def says(self, number: int) -> str:
        """Its log."""
        return self.engines[number].log_path.read_text(errors="replace")


@asynccontextmanager
async def two_engines(
    pbx: Pbx,
    folder: Path,
    database_url: str,
    environment: Mapping[str, str] | None = None,
    *,
    programs: Sequence[tuple[str, ...]] = (),
) -> AsyncIterator[Two]:
    """One after the other, with one data folder and one database; `programs`: what each runs, if not this release."""
    dialplans = folder / "dialplans"
    for name, content in PLANS.items():
        (dialplans / name).parent.mkdir(parents=True, exist_ok=True)
        (dialplans / name).write_text(content)
    engines = []
    for number in range(2):
        engine = engine_beside(folder, pbx, {})
        port = free_port()
        engine.environment |= {
            "CALLROUTER_AMI_ADMIN_SECRET": pbx.ami_admin_secret,
            "CALLROUTER_DATABASE_URL": database_url,
            "CALLROUTER_DIALPLANS_DIR": str(dialplans),
            "CALLROUTER_ENGINE_PORT": str(port),
            "CALLROUTER_PBX_KEY": "a-key-for-two-engines",
            "CALLROUTER_CLOCK_SHIFT": "0",
        } | dict(environment or {})
        engine.engine_url = f"http://127.0.0.1:{port}"
        engine.log_path = folder / f"engine-{number}.log"
        engine.verb = "engine"
        if programs:
            engine.program = programs[number]
        engines.append(engine)
    two = Two(pbx=pbx, engines=engines, database_url=database_url)
    try:
        await engines[0].start()
        await engines[1].start(wait=False)
        yield two
    finally:
        for engine in engines:
            if engine.is_running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(engine.pid, signal.SIGCONT)
            await engine.kill()


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait for it."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.02)


async def metric(engine: Engine, name: str) -> Any:
    """One figure of /metrics; None where there is none."""
    return (await engine.figures()).get(name)
