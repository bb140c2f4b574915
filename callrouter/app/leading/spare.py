"""A second engine that has loaded its code, and waits in a process of its own until the first one dies.

Nearly all of a start is the loading of code: two seconds of a processor's time, and several where other programs want
it too. Callers would wait for it, so `callrouter up` has it done before (`Spare`), while nobody waits. The process that
waits (`wait_for_turn`) does nothing else: it has read no setting and no client's file, and has no port and no
connection. A word on its standard input makes it the engine; that input's end, that of `callrouter up`, and SIGTERM are
its own. It never begins with other code than lies on disk: when a release was installed, it loads itself anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import os
import select
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, NoReturn

import structlog

from callrouter import garbage, hurry
from callrouter.runtime.tasks import Tasks

log = structlog.get_logger(__name__)

OPTION: Final = "--spare"
"""Of `callrouter engine`: when it was begun, in seconds of the epoch."""
NAME: Final = "engine-spare"
"""What `ps -o comm` and `top` call it while it waits."""
AFTER_SECONDS: Final = 5.0
"""So long after a start of the engine nobody waits for it any more; what died before has no spare."""
AGAIN_SECONDS: Final = (5.0, 300.0)
"""The first and the longest pause before one is begun instead of one that ended; it doubles in between."""
LOOK_SECONDS: Final = 20.0
"""How often it is looked whether other code lies on disk; some milliseconds of work."""
_WORD: Final = b"go\n"
_FRONT: Final = "callrouter.app.wiring.front"
"""The last that an engine loads."""
_PR_SET_NAME: Final = 15

Begin = Callable[[float], Awaitable[asyncio.subprocess.Process]]
"""Starts one, with the instant at which it was begun, and a pipe as its standard input."""


class Spare:
    """The one that waits, as `callrouter up` has it."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._tasks = Tasks()
        self._keeping: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def renew(self) -> None:
        """The engine was started: there is to be one as soon as nobody waits for the engine."""
        if self._keeping is not None:
            self._keeping.cancel()
        self._end()
        self._keeping = self._tasks.start(self._keep(), "spare engine")

    def take(self) -> asyncio.subprocess.Process | None:
        """It becomes the engine, whether it has loaded everything or not yet; None when there is none."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None or process.stdin is None:
            return None
        hurry.lend(process.pid)  # what it still has to load is waited for
        process.stdin.write(_WORD)
        process.stdin.close()
        return process

    async def stop(self) -> None:
        """There is none any more."""
        await self._tasks.stop()
        process = self._process
        self._end()
        if process is not None:
            await process.wait()

    async def _keep(self) -> None:
        pause, longest = AGAIN_SECONDS
        await asyncio.sleep(AFTER_SECONDS)
        while True:
            with contextlib.suppress(OSError):  # no process can be made now
                process = self._process = await self._begin(time.time())
                status = await process.wait()
                if process is not self._process:  # it is the engine, or not wanted any more
                    return
                self._process = None
                log.warning("the spare engine ended, and another is begun", status=status, pause_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()  # it has nothing to leave in order


def wait_for_turn(since: float) -> None:
    """In the process that waits: load all that an engine needs, and return when the word comes.

    It ends the process when whoever would say the word is gone, and begins it anew when other code lies on disk.

    Args:
        since: when the process was begun, seconds of the epoch: code that is younger may not be what was loaded.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it has nothing to reload
    importlib.import_module(_FRONT)
    garbage.code_is_loaded()
    name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    _call_it(NAME)
    code = Code(since)
    hurry.begin()  # asleep it is in nobody's way, and awake at once
    word = select.poll()
    word.register(sys.stdin.fileno(), select.POLLIN)
    while not word.poll(1000 * LOOK_SECONDS):
        if code.is_other:
            hurry.end()
            _anew(f"{OPTION}={time.time()}")
    if os.read(sys.stdin.fileno(), len(_WORD)) != _WORD:
        sys.exit()
    if code.is_other:
        _anew()
    _call_it(name)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)


class Code:
    """The files that this process has loaded, as they were then."""

    def __init__(self, since: float) -> None:
        """`since`: seconds of the epoch, before the first was loaded."""
        self._then = _stats(_loaded())
        # A file's name can be given another file with an older date, but not with an older change of its own.
        self._is_young = any(stat is None or stat.st_ctime > since for stat in self._then.values())

    @property
    def is_other(self) -> bool:
        """Whether a start would, or might, load something else."""
        now = _stats(self._then)
        return self._is_young or any(_identity(now[file]) != _identity(then) for file, then in self._then.items())


def _loaded() -> set[str]:
    specs = (getattr(module, "__spec__", None) for module in list(sys.modules.values()))
    return {spec.origin for spec in specs if spec is not None and spec.has_location and spec.origin} | {sys.executable}


def _stats(files: Iterable[str]) -> dict[str, os.stat_result | None]:
    found: dict[str, os.stat_result | None] = {}
    for file in files:
        try:
            found[file] = os.stat(file)  # noqa: PTH116 - a thousand of them
        except OSError:
            found[file] = None
    return found


def _identity(stat: os.stat_result | None) -> tuple[int, ...]:
    return () if stat is None else (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


def _anew(*options: str) -> NoReturn:
    """The same process, from the first line on."""
    arguments = [argument for argument in sys.orig_argv[1:] if not argument.startswith(OPTION)]
    os.execv(sys.executable, [sys.executable, *arguments, *options])  # noqa: S606 - ourselves


def _call_it(name: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())
