"""All processes on one machine: started in order, watched, started again when one dies, stopped together.

The engine goes first, because it brings PostgreSQL up and its schema up to date; web follows when the engine's HTTP
side answers, with the worker, and so does the unit that brings queues and telephones to the PBX, where one was rendered
here. A process that cannot start at all has said why, and its exit status becomes ours: one that ends by itself before
it has said that it has started (`app.leading.started`), however long that took. Callers wait for an engine that died:
another is loaded before (`app.leading.spare`).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import secrets
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import structlog

from callrouter import hurry
from callrouter.app.folders import keep_private
from callrouter.app.leading.place import LOST_STATUS
from callrouter.app.leading.spare import OPTION, Spare
from callrouter.app.leading.started import OPTION as SAYS_STARTED
from callrouter.app.leading.started import Word
from callrouter.app.lifetime import Lifetime
from callrouter.asterisk.teams.folder import PbxFolder
from callrouter.logs import configure_logs
from callrouter.runtime.tasks import Tasks
from callrouter.settings import Settings

log = structlog.get_logger(__name__)

START_SECONDS = 120.0
"""The first start speaks every prompt of every client."""
STEADY_SECONDS = 10.0
"""When a process ends that lived so long, the next one is started at once."""
RESTART_SECONDS = (0.1, 15.0)
"""The first and the longest pause before a part is started again; it doubles in between. Callers wait for an engine."""
STOP_MARGIN_SECONDS = 35.0
"""Beyond the grace for live calls, what a stop may take before it is ended by force."""


_VERBS: Final[Mapping[str, tuple[str, ...]]] = {"pbx": ("pbx", "apply")}
"""By part whose command is not its name."""


@dataclass(slots=True)
class _Part:
    name: str
    process: asyncio.subprocess.Process
    started_at: float

    @property
    def has_started(self) -> bool:
        """Whether it has said so."""
        word = WORDS.get(self.process)
        return word is not None and word.is_said


WORDS: Final[WeakKeyDictionary[asyncio.subprocess.Process, Word]] = WeakKeyDictionary()
"""By which each of our processes says that it has started."""


async def run_up(settings: Settings, token: str) -> int:
    """Run all until a signal, SIGHUP being passed on to the engine; returns the exit status."""
    configure_logs(log_format=settings.log_format, level=settings.log_level, numbers=settings.log_numbers)
    lifetime = Lifetime(stop_seconds=2 * (settings.grace_seconds + STOP_MARGIN_SECONDS) + 10)
    parts: dict[str, _Part] = {}
    reloads = Tasks()
    spare: Spare | None = None
    secrets_of_parts = _secrets_of_parts(settings, token)

    def reload_soon() -> None:
        if (engine := parts.get("engine")) is not None:  # web has nothing to load
            reloads.start(_reload(engine), "reload of the engine")

    lifetime.catch_signals()
    lifetime.catch_reload(reload_soon)
    stop = asyncio.get_running_loop().create_task(lifetime.stopping.wait(), name="stop")
    try:
        parts["engine"] = await _start("engine", secrets_of_parts)
        if not await _answers(settings.engine_base_url.split(",")[0], parts["engine"], stop):
            return await _stop(parts, settings, failed="engine" if not stop.done() else None)
        parts["web"] = await _start("web", secrets_of_parts)
        parts["worker"] = await _start("worker", secrets_of_parts)
        if PbxFolder(settings.pbx_dir).is_there:
            parts["pbx"] = await _start("pbx", secrets_of_parts)
        else:
            log.info(
                "queues and telephones are not applied from here: no PBX was rendered in CALLROUTER_PBX_DIR",
                folder=str(settings.pbx_dir),
            )
        log.info(
            "callrouter is up",
            api=f"http://{settings.http_host}:{settings.web_port}/api/docs",
            metrics=f"{settings.engine_base_url.split(',')[0]}/metrics",
        )
        if settings.realtime:
            hurry.begin()  # it does little, and callers wait for it when the engine dies
        if settings.spare:
            spare = Spare(lambda since: _begin("engine", secrets_of_parts, f"{OPTION}={since}", stdin=PIPE))
        failed = await _watch(parts, secrets_of_parts, stop, spare)
        return await _stop(parts, settings, failed)
    finally:
        stop.cancel()
        await reloads.stop()
        if spare is not None:
            await spare.stop()
        for part in parts.values():
            if part.process.returncode is None:
                part.process.kill()
        # A part that ended while the embedded PostgreSQL started had no time to close the folder, which that one opens.
        if settings.data_dir.is_dir():
            keep_private(settings.data_dir)


def _secrets_of_parts(settings: Settings, token: str) -> dict[str, str]:
    """What the parts have to share, as variables of theirs; the key lives as long as they do unless it is set."""
    key = settings.pbx_key.get_secret_value() if settings.pbx_key else ""
    if not key and PbxFolder(settings.pbx_dir).is_there:
        key = secrets.token_urlsafe(24)
    return {"CALLROUTER_API_TOKEN": token} | ({"CALLROUTER_PBX_KEY": key} if key else {})


async def _start(name: str, secrets_of_parts: Mapping[str, str]) -> _Part:
    process = await _begin(name, secrets_of_parts)
    if name == "engine":
        hurry.lend(process.pid)
    return _Part(name, process, asyncio.get_running_loop().time())


async def _begin(
    name: str, secrets_of_parts: Mapping[str, str], *options: str, stdin: int | None = None
) -> asyncio.subprocess.Process:
    command = ["-m", "callrouter", *_VERBS.get(name, (name,)), "--with-parent", str(os.getpid()), *options]
    return await begin_part(command, {**os.environ, **secrets_of_parts}, stdin)


async def begin_part(
    command: Sequence[str], environment: Mapping[str, str], stdin: int | None = None
) -> asyncio.subprocess.Process:
    """Begin a part, which is a program in Python: it is told by what to say that it has started."""
    word = Word()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            f"{SAYS_STARTED}={word.descriptor}",
            stdin=stdin,
            env=environment,
            pass_fds=(word.descriptor,),
            # A Ctrl-C in the terminal goes to us alone; we stop the parts in order.
            start_new_session=True,
        )
    finally:
        word.is_given()
    WORDS[process] = word
    return process


async def _answers(url: str, part: _Part, stop: asyncio.Task[bool]) -> bool:
    """Wait until the part's HTTP side answers; False when it has ended, or we are to stop."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_SECONDS
    while loop.time() < deadline and not stop.done():
        if part.process.returncode is not None:
            return False
        if await asyncio.to_thread(_is_alive, url):
            return True
        await asyncio.sleep(0.1)
    return False


def _is_alive(url: str) -> bool:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _watch(
    parts: dict[str, _Part], secrets_of_parts: Mapping[str, str], stop: asyncio.Task[bool], spare: Spare | None = None
) -> str | None:
    """Start again what dies; returns the part that cannot live, or None when we are to stop."""
    tasks = Tasks()
    if spare is not None:
        spare.renew()
    spares = {"engine": spare}
    keepers = {
        tasks.start(_keep(parts, name, secrets_of_parts, spares.get(name)), f"keeper of {name}"): name for name in parts
    }
    done, _ = await asyncio.wait([*keepers, stop], return_when=asyncio.FIRST_COMPLETED)
    await tasks.stop()
    return None if stop in done else next(name for keeper, name in keepers.items() if keeper in done)


async def _keep(
    parts: dict[str, _Part], name: str, secrets_of_parts: Mapping[str, str], spare: Spare | None = None
) -> None:
    """Start a part again whenever it dies; returns when it never could live.

    One that could once is started for ever: while PostgreSQL is away web cannot start, and calls go on without it. So
    is one that was killed, that ended in order, or that lost its place to another engine: whoever cannot start ends by
    itself, and has said why. A spare goes on at once.
    """
    loop = asyncio.get_running_loop()
    pause, longest = RESTART_SECONDS
    has_lived = False
    while True:
        part = parts[name]
        status = await part.process.wait()
        has_lived = has_lived or part.has_started
        if not has_lived and status > 0 and status != LOST_STATUS:
            return
        if loop.time() - part.started_at >= STEADY_SECONDS:
            pause = RESTART_SECONDS[0]
        if spare is not None and (heir := spare.take()) is not None:
            parts[name] = _Part(name, heir, loop.time())
            log.error("a part died, and its spare goes on", part=name, status=status)
            spare.renew()
            continue
        log.error("a part died and is started again", part=name, status=status, pause_seconds=pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, longest)
        with contextlib.suppress(OSError):  # no process can be made now: this one ended, so it is tried again
            parts[name] = await _start(name, secrets_of_parts)
        if spare is not None:
            spare.renew()


async def _reload(part: _Part) -> None:
    """Pass SIGHUP on, once the part listens to it: before, it would be its end."""
    while part.process.returncode is None:
        if _catches(part.process.pid, signal.SIGHUP):
            part.process.send_signal(signal.SIGHUP)
            return
        await asyncio.sleep(0.1)


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal (proc(5), SigCgt: bit 0 is signal 1)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has just ended
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)


async def _stop(parts: dict[str, _Part], settings: Settings, failed: str | None = None) -> int:
    """Stop all that is beside the engine, then the engine, which lets calls finish."""
    for name in ("pbx", "worker", "web", "engine"):
        part = parts.get(name)
        if part is None or part.process.returncode is not None:
            continue
        part.process.terminate()
        try:
            async with asyncio.timeout(settings.grace_seconds + STOP_MARGIN_SECONDS):
                await part.process.wait()
        except TimeoutError:
            log.error("a part does not stop and is ended by force", part=name)  # noqa: TRY400
            part.process.kill()
            await part.process.wait()
    return parts[failed].process.returncode or 1 if failed else 0
