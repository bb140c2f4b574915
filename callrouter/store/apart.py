"""Heavy work on the record, in processes of its own: whoever asks goes on answering others meanwhile.

A report sorts and writes for longer than a page may wait, and a thread would not help: Python runs one at a time. So a
job is a coroutine function of ours with its arguments; it is sent to one of a few processes, which has its own small
pool of connections, runs one job at a time, and gives way to everybody else on the machine. A process is started when
it is needed first, stays, and is replaced when it has died. It ends when its standard input does, so that none is left
behind whoever kills its parent.

What goes through the pipes is pickled: by us, for us, and nobody else can write there.

Whoever comes when too many wait already is told so at once: that is better than an answer after everybody's patience.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

import structlog
from sqlalchemy.engine import make_url

from callrouter.errors import Busy, StoreError
from callrouter.store.database import Database

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[Concatenate[Database, P], Awaitable[T]]
"""A function of a module, so that another process finds it by its name; its arguments and result can be pickled."""

PROCESSES: Final = max(1, min(2, (os.cpu_count() or 1) - 1))
"""One core is left for those who ask for pages, and for PostgreSQL."""
WAITING: Final = 16
"""Jobs that may wait for a process; with `PROCESSES` beside them."""
NICENESS: Final = 5
"""How much they give way to other processes."""
AGAIN_SECONDS: Final = 5
"""After which whoever was turned away may try again."""
_PROGRAM: Final = "from callrouter.store.apart import serve; serve()"
_LENGTH: Final = struct.Struct("!Q")

log = structlog.get_logger(__name__)


class Workshop(Protocol):
    """Where heavy work is done."""

    async def run(self, job: Job[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the job gives, or raises.

        Raises:
            Busy: too many wait already.
            StoreError: it could not be done.
        """
        ...


@dataclass(frozen=True)
class Here:
    """Heavy work in this process: for tests, and where nobody else waits."""

    database: Database

    async def run(self, job: Job[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Workshop`."""
        return await job(self.database, *args, **kwargs)


class Apart:
    """Heavy work in other processes."""

    def __init__(self, database: Database, *, processes: int = PROCESSES, waiting: int = WAITING) -> None:
        """`database` is the one they work on: they open it themselves, by its URL."""
        self._database = database
        self._most = processes + waiting
        self._jobs: set[asyncio.Task[Any]] = set()
        self._idle: asyncio.LifoQueue[_Process] = asyncio.LifoQueue()
        self._processes = [_Process() for _ in range(processes)]
        for process in reversed(self._processes):  # the last one in is the first one out: one is enough for a few jobs
            self._idle.put_nowait(process)

    async def run(self, job: Job[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Workshop`. A job that was begun is ended, though nobody waits for it any more."""
        if len(self._jobs) >= self._most:
            raise Busy(
                f"{self._most} reports are being made or wait already: ask again in some seconds, or for less at a time"
            )
        task = asyncio.get_running_loop().create_task(self._do(job, args, kwargs), name=f"apart: {job.__name__}")
        self._jobs.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Let nobody's job go on."""
        for task in self._jobs:
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        for process in self._processes:
            await process.end()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._jobs.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: what it raised is theirs alone

    async def _do(self, job: Job[P, T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
        process = await self._idle.get()
        try:
            url = self._database.url.render_as_string(hide_password=False)
            result: T = await process.do((url, job, args, kwargs))
            return result
        finally:
            self._idle.put_nowait(process)


@dataclass
class _Process:
    """One of them, from here."""

    _child: asyncio.subprocess.Process | None = field(default=None)

    async def do(self, asked: tuple[Any, ...]) -> Any:
        child = self._child
        if child is None or child.returncode is not None:
            child = self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _PROGRAM), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(_frame(asked))
            await child.stdin.drain()
            (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
            done, result = pickle.loads(await child.stdout.readexactly(length))  # noqa: S301 - from a child of ours
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            await self.end()
            log.warning("a process that makes reports ended by itself", returncode=child.returncode)
            raise StoreError("the report was not made: its process ended by itself. Ask again, or for less.") from error
        except asyncio.CancelledError:
            await self.end()  # its answer would be taken for the next one's
            raise
        if done:
            return result
        raise result

    async def end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def serve() -> None:
    """Do what comes by standard input, one job after the other, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for our parent, whose end we notice
    with suppress(OSError):
        os.nice(NICENESS)
    with os.fdopen(os.dup(1), "wb") as answers, asyncio.Runner() as runner:
        os.dup2(2, 1)  # what anybody prints is no answer
        bench = _Bench()
        while (asked := _read(sys.stdin.buffer)) is not None:
            answers.write(_frame(runner.run(bench.do(asked))))
            answers.flush()


class _Bench:
    """What a process keeps from job to job."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._url = ""

    async def do(self, asked: bytes) -> tuple[bool, Any]:
        try:
            url, job, args, kwargs = pickle.loads(asked)  # noqa: S301 - from our parent
            if self._database is None or url != self._url:  # our own server has moved
                self._database, self._url = Database(make_url(url)), url
            result = await job(self._database, *args, **kwargs)
        except Exception as error:
            return False, _that_can_be_sent(error)
        return True, result


def _that_can_be_sent(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - written here
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _frame(value: Any) -> bytes:
    written = pickle.dumps(value)
    return _LENGTH.pack(len(written)) + written


def _read(stream: IO[bytes]) -> bytes | None:
    head = stream.read(_LENGTH.size)
    return stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None
