"""Everything a call needs, started together: Asterisk, agents, carrier, and callrouter itself as its own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import psutil

from deploy.asterisk.pbx import Pbx, teams_of_folder
from deploy.demo import stories
from deploy.demo.agents import Agent
from deploy.demo.carrier import Carrier
from deploy.demo.mailbox import Mailbox
from deploy.demo.plain_http import plain_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 120.0
_STOP_SECONDS = 15.0
_PHONES_SECONDS = 60.0
# callrouter is asked to end when we end, however we end (PR_SET_PDEATHSIG).
_LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class StackError(Exception):
    """A part of the stack did not start, or ended by itself; the sentence names its log."""


def clean_environment() -> dict[str, str]:
    """This process's environment without settings: they may be those of a real engine, with a real database."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("CALLROUTER_")}


@dataclass(kw_only=True)
class Engine:
    """`callrouter up` (or another `verb`) in a process of its own."""

    environment: dict[str, str]
    engine_url: str
    web_url: str
    token: str
    log_path: Path
    verb: str = "up"
    program: tuple[str, ...] = (str(Path(sys.executable).with_name("callrouter")),)
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def part(self, verb: str = "engine") -> psutil.Process:
        """One of the processes that `callrouter up` runs, by its command: of two engines the one that serves calls.

        The other one, which waits for its end, is always the younger.
        """
        children = psutil.Process(self.pid).children(recursive=True)
        return min((one for one in children if verb in one.cmdline()), key=psutil.Process.create_time)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, *, wait: bool = True) -> None:
        """Start it and wait until calls can come. Raises StackError, with the log's end, when they cannot."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _LAUNCHER, str(os.getpid()), *self.program, self.verb),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env=clean_environment() | self.environment,
                cwd=self.log_path.parent,  # where no `.env` of an operator's is
                start_new_session=True,  # a Ctrl-C is for us; we end it in order
            )
        if wait:
            await self._wait_until_ready()

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        async with plain_client() as client:
            for url in [self.engine_url, self.web_url] if self.verb == "up" else [self.engine_url]:
                while True:
                    if not self.is_running:
                        raise StackError(f"callrouter ended while starting. Its last words:\n{self.last_words()}")
                    if time.monotonic() > deadline:
                        raise StackError(f"{url}/ready does not say yes. callrouter's last words:\n{self.last_words()}")
                    with contextlib.suppress(httpx.TransportError):
                        if (await client.get(f"{url}/ready", timeout=2)).status_code == 200:
                            break
                    await asyncio.sleep(0.1)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    async def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it and the processes it runs as a crash would; an embedded PostgreSQL is a daemon and stays."""
        if self._process is None or not self.is_running:
            return
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()  # first, or it would start the others again
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        await self._process.wait()

    async def get(self, path: str, **query: str | int) -> Any:
        """What the API answers. Raises httpx.HTTPError."""
        base = self.engine_url if path == "/live" else self.web_url
        headers = {"Authorization": f"Bearer {self.token}"}
        async with plain_client() as client:
            answer = await client.get(f"{base}{path}", params=query, headers=headers)
        answer.raise_for_status()
        return answer.json()

    async def calls(self) -> list[dict[str, Any]]:
        """Every row there is, the oldest first."""
        rows: list[dict[str, Any]] = []
        query: dict[str, str | int] = {"limit": 500}
        while True:
            page = await self.get("/api/calls", **query)
            rows += page["calls"]
            if not page["next_cursor"]:
                return rows[::-1]
            query["cursor"] = page["next_cursor"]

    async def figures(self) -> dict[str, float]:
        """The engine's /metrics: sample with its labels, as written there, to value."""
        async with plain_client() as client:
            text = (await client.get(f"{self.engine_url}/metrics")).text
        samples = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}


@dataclass(kw_only=True)
class Stack:
    """What runs. `root` holds all its files and is removed at the end."""

    root: Path
    pbx: Pbx
    agents: dict[int, Agent]
    carrier: Carrier
    engine: Engine
    mailbox: Mailbox
    """Where clients are told of messages by mail."""

    @property
    def sip_address(self) -> tuple[str, int]:
        return self.pbx.sip_host, self.pbx.sip_port


async def phones_are_known(pbx: Pbx, phones: int) -> None:
    """Until Asterisk has heard from every agent's phone: no queue rings one that did not answer, for some seconds.

    Raises:
        StackError: some are not heard from.
    """
    deadline = time.monotonic() + _PHONES_SECONDS
    while (found := (await asyncio.to_thread(pbx.cli, "pjsip show contacts")).count(" Avail ")) < phones:
        if time.monotonic() > deadline:
            raise StackError(f"Asterisk has heard from {found} of {phones} phones only")
        await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def running(
    *, environment: Mapping[str, str] | None = None, verbose: bool = False, start_engine: bool = True
) -> AsyncIterator[Stack]:
    """Start everything; end everything on the way out.

    `environment` overrides what callrouter is given. Run this where the thread lives as long as the stack: Asterisk
    is killed when the thread that started it ends. Raises StackError, PbxError or SippError.
    """
    async with contextlib.AsyncExitStack() as cleanup:
        root = Path(tempfile.mkdtemp(prefix="callrouter-"))  # short: sockets have to fit
        cleanup.callback(shutil.rmtree, root, ignore_errors=True)
        carrier = await Carrier.open(stories.CARRIER)
        cleanup.push_async_callback(carrier.close)
        agents = {number: await Agent.open(number, habits) for number, habits in stories.HABITS.items()}
        pbx = Pbx.start(
            root / "pbx",
            agents=len(agents),
            agent_contacts={agent.name: agent.contact for agent in agents.values()},
            teams=teams_of_folder(Path((environment or {}).get("CALLROUTER_DIALPLANS_DIR", CHECKOUT / "dialplans"))),
            carrier=carrier.contact,
            verbose=verbose,
        )
        cleanup.callback(pbx.__exit__)
        workers = await cleanup.enter_async_context(_Workers())
        for agent in agents.values():
            workers.start(agent.work())
        mailbox = await Mailbox.open()
        cleanup.push_async_callback(mailbox.close)
        mail = {
            "CALLROUTER_SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}",
            "CALLROUTER_MAIL_FROM": "messages@answering.example",
        }
        engine = engine_beside(root, pbx, mail | dict(environment or {}))
        cleanup.push_async_callback(engine.stop)
        if start_engine:
            await engine.start()
        await phones_are_known(pbx, len(agents))
        yield Stack(root=root, pbx=pbx, agents=agents, carrier=carrier, engine=engine, mailbox=mailbox)


def engine_beside(root: Path, pbx: Pbx, environment: Mapping[str, str]) -> Engine:
    """callrouter for this PBX, not started; its files are below `root`, and `environment` overrides its settings."""
    (engine_port, web_port), token = _free_tcp_ports(2), secrets.token_urlsafe(24)
    prompts = CHECKOUT / ".run" / "prompts"  # rendered once, kept between runs
    prompts.mkdir(parents=True, exist_ok=True)
    settings = {
        "AMI_HOST": pbx.ami_host,
        "AMI_PORT": str(pbx.ami_port),
        "AMI_USER": pbx.ami_user,
        "AMI_SECRET": pbx.ami_secret,
        "PBX_DIR": str(pbx.run_dir / "etc"),
        "DATA_DIR": str(root / "data"),
        "DIALPLANS_DIR": str(CHECKOUT / "dialplans"),
        "PROMPTS_DIR": str(prompts),
        "SOUNDS_DIRS": str(pbx.sounds_dir),
        "RECORDINGS_DIR": str(pbx.recordings_dir),
        "ENGINE_PORT": str(engine_port),
        "WEB_PORT": str(web_port),
        "API_TOKEN": token,
        "CLOCK_SHIFT": f"{stories.clock_shift_seconds(datetime.now(UTC)):.0f}",
        "GRACE_SECONDS": "1",
        "LOG_FORMAT": "json",
        "SPARE": "off",  # it is two seconds of a processor, for an engine that is seldom killed here
    }
    return Engine(
        environment={**{f"CALLROUTER_{name}": value for name, value in settings.items()}, **environment},
        engine_url=f"http://127.0.0.1:{engine_port}",
        web_url=f"http://127.0.0.1:{web_port}",
        token=token,
        log_path=root / "callrouter.log",
    )


class _Workers:
    """Tasks that run until the stack ends."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, coroutine: Any) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(coroutine))

    async def __aenter__(self) -> _Workers:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise StackError(f"an agent stopped working: {result}") from result


_PORTS: Final = range(21_000, 32_000)
"""Below those that Linux gives to connections of whatever program: one of these may be taken while we start."""


def _free_tcp_ports(count: int) -> list[int]:
    """Ports nobody listens on now; all are held until the last is found, or the same one could come twice."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.sample(_PORTS, len(_PORTS)):
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
            if len(found) == count:
                return found
    raise StackError(f"no port of {_PORTS.start} to {_PORTS.stop - 1} is free")


def describe(row: Mapping[str, Any]) -> str:
    """A row as one line, for a complaint."""
    return json.dumps({name: row.get(name) for name in ("call_id", "client", "disposition", "path", "agent")})
