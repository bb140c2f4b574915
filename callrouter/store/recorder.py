"""The recorder: an observer that turns ended calls into rows, in batches, and never makes a caller wait.

Where a call is at any moment, and what an outage costs it:

    observe ──► memory ──► writer ──► PostgreSQL         every `flush_seconds`, or at once when a batch is full
                  │ PostgreSQL away for `spool_after_seconds`, or more than `memory_calls`, or at the end
                  ▼
                spool (disk) ──► writer ──► PostgreSQL   once PostgreSQL is back, or at the next start

Both ways lead to exactly one row a call (`writer`). Nothing is ever dropped: when PostgreSQL and the disk are both
away, memory grows. A call that PostgreSQL refuses for what it holds is set aside in the spool's folder, logged and
counted, and holds nobody up. Everything here that costs time is cut into slices of about half a millisecond, because
it shares the loop with live calls.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog

from callrouter.core.call import Call
from callrouter.core.facts import CallCorrected, CallEnded, Fact
from callrouter.logs import Outage
from callrouter.runtime.pauses import pause
from callrouter.store.database import Database
from callrouter.store.trace import call_from_json, call_json
from callrouter.store.writing.spool import Spool
from callrouter.store.writing.writer import Refused, Writer, WriterAway

log = structlog.get_logger(__name__)

BATCH_CALLS = 10_000
"""At most; a batch costs some 15 ms whatever its size, most of it the disk's at the commit."""
_SPILL_CALLS = 5_000
_TAKE_CALLS = 1_000
"""Calls taken from the queue without a pause."""
_REPLAYED_CALLS = (50, 5_000)
"""Calls of the spool that are committed together: a large batch costs PostgreSQL half of what ten small ones do, and
what a slow server does not take in time comes in smaller ones.
"""
_SLICE = 8
"""Calls written to or read from a line without a pause."""
_RETRY_SECONDS = (0.1, 1.0)
"""First and longest pause between tries while PostgreSQL is away: what waits is to be there soon after it is back."""
_WATCH_SECONDS = 0.25
_HELD_SECONDS = 2.0
"""How often it is looked whether a predecessor has ended that still held its part of the spool."""

T = TypeVar("T")


class Recorder:
    """Runs as one task (`run`); `close` ends it and leaves nothing behind in memory."""

    interests: Final[frozenset[type[Fact]]] = frozenset({CallEnded, CallCorrected})

    def __init__(
        self,
        database: Database,
        spool_folder: Path,
        *,
        on_durable: Callable[[Sequence[str]], None] = lambda _: None,
        flush_seconds: float = 0.2,
        spool_after_seconds: float = 1.0,
        memory_calls: int = 50_000,
    ) -> None:
        """`on_durable` is told the ids of calls that need no other record any more: committed, or on the disk (fsync)
        in the spool; of those that a predecessor left in the spool, before `adopted`.
        """
        self._on_durable = on_durable
        self.written_total = 0
        """Calls committed since the start, those from the spool included."""
        self.failed_total = 0
        """Calls set aside because PostgreSQL refuses them."""
        self.adopted = asyncio.Event()
        """What a predecessor left in the spool is known."""
        self.away_because: str | None = None
        """Why PostgreSQL takes nothing now; None while it does."""
        self._writer = Writer(database)
        self._spool = Spool(spool_folder)
        self._disk = asyncio.Lock()
        self._flush_seconds = flush_seconds
        self._spool_after_seconds = spool_after_seconds
        self._memory_calls = memory_calls
        self._queue: deque[tuple[float, Call]] = deque()
        self._in_hand = 0
        """Calls taken from the queue that stand nowhere else yet."""
        self._in_hand_since: list[float] = []
        """Since when the oldest call of each lot in hand has waited (time.monotonic): one is written, one spilled."""
        self._away = Outage(log, "PostgreSQL takes no calls; they are kept", "PostgreSQL takes calls again")
        self._unreadable = Outage(log, "the spool cannot be read; it is tried again", "the spool is read again")
        self._unwritable = Outage(
            log, "the spool cannot be written; calls stay in memory", "the spool is written again", level="critical"
        )
        self._replayed: Iterator[list[str]] | None = None
        self._replayed_file: Path | None = None
        self._replay_lines: list[str] = []
        """Those of it that are read and not committed."""
        self._replayed_at_once = _REPLAYED_CALLS[1]
        self._replayed_calls = 0
        """Calls of that file that have been read, and counted off."""
        self._in_doubt = False
        """Whether the last batch may have been committed, though nobody said so."""
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._finished = asyncio.Event()
        self._running = False
        self._given_up = False

    def observe(self, facts: Sequence[Fact]) -> None:
        """Take note of calls that have ended, or are corrected; costs less than a microsecond."""
        for fact in facts:
            if isinstance(fact, (CallEnded, CallCorrected)):
                self._queue.append((time.monotonic(), fact.call))
                self._wake.set()

    @property
    def backlog(self) -> int:
        """Calls that have ended and are not committed yet, in memory and on disk."""
        return self.memory_calls + self._spool.calls

    @property
    def memory_calls(self) -> int:
        """Those of them that stand in memory alone: more than `memory_limit` only while the disk refuses them."""
        return len(self._queue) + self._in_hand

    @property
    def memory_limit(self) -> int:
        """So many stand in memory at most, while the disk takes calls."""
        return self._memory_calls

    @property
    def disk_refuses(self) -> bool:
        """Whether PostgreSQL is away, and the disk takes no calls, either: memory is all there is of them."""
        return self._unwritable.since is not None and self.away_because is not None

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest of them has waited; 0 when there are none."""
        ages = [0.0]
        if self._queue:
            ages.append(time.monotonic() - self._queue[0][0])
        ages += [time.monotonic() - since for since in self._in_hand_since]
        if (spooled_at := self._spool.oldest_at) is not None:
            ages.append(time.time() - spooled_at)
        return max(ages)

    async def run(self) -> None:
        """Write until `close`; first of all, adopt what a predecessor left in the spool.

        Raises:
            OSError: the spool's folder cannot be read.
        """
        self._running = True
        try:
            is_whole = await self._adopt()
            self.adopted.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write_until_closed(), name="recorder writer")
                group.create_task(self._spill_until_closed(), name="recorder spill")
                if not is_whole:
                    group.create_task(self._adopt_until_closed(), name="recorder adopts")
        finally:
            self._finished.set()

    async def _adopt(self) -> bool:
        """Whether nothing is left to adopt."""
        found = await self._on_disk(self._spool.adopt)
        self._spool.count_in(found.calls)
        self._note_durable(found.call_ids)
        if found.calls:
            log.info("calls of an earlier run wait in the spool", calls=found.calls)
            self._wake.set()
        return found.is_whole

    async def _adopt_until_closed(self) -> None:
        while not await pause(_HELD_SECONDS, self._closing):
            try:
                if await self._adopt():
                    return
            except OSError as error:  # of the folder: the next look may read it
                self._unreadable.failed(str(error), calls=self._spool.calls)

    async def close(self, timeout_seconds: float = 5.0) -> None:
        """Flush; what PostgreSQL does not take in time goes to the spool, for the next start.

        Raises:
            OSError: nor does the disk take it; the log holds every call.
        """
        self._closing.set()
        self._wake.set()
        if self._running and not await pause(timeout_seconds, self._finished):
            self._given_up = True
            self._writer.abort()
            await self._finished.wait()
        self._writer.close()
        try:
            await self._spill(0)
        except OSError:
            for _, call in self._queue:
                log.critical("a call could not be recorded", call_id=call.call_id, record=call_json(call))
            raise
        finally:
            if self._spool.calls:
                log.warning("calls wait in the spool for the next start", calls=self._spool.calls)
            await self._on_disk(self._spool.close)

    @property
    def _replaying(self) -> bool:
        return self._spool.calls > 0 or self._replayed is not None

    async def _write_until_closed(self) -> None:
        retry_seconds = _RETRY_SECONDS[0]
        while True:
            try:
                if self._queue or self._replaying:
                    await self._writer.be_there()  # what waits goes to the disk meanwhile
                if self._queue:
                    await self._write_batch()
                if self._replaying and not self._closing.is_set():
                    await self._replay_batch()
            except WriterAway as away:
                self._note_away(str(away))
                if self._closing.is_set():
                    return
                await pause(retry_seconds * random.uniform(0.5, 1.0), self._closing)  # noqa: S311 - spreads retries
                retry_seconds = min(retry_seconds * 2, _RETRY_SECONDS[1])
                continue
            except OSError as error:  # of the spool: no descriptor is left, or the disk stumbles; calls go on
                self._unreadable.failed(str(error), calls=self._spool.calls)
                self._read_again()
                await pause(retry_seconds * random.uniform(0.5, 1.0), self._closing)  # noqa: S311 - spreads retries
                retry_seconds = min(retry_seconds * 2, _RETRY_SECONDS[1])
                continue
            retry_seconds = _RETRY_SECONDS[0]
            if self._closing.is_set():
                if not self._queue or self._given_up:
                    return
            elif len(self._queue) < BATCH_CALLS and not self._replaying:
                await self._wake.wait()
                self._wake.clear()
                await pause(self._flush_seconds, self._closing)

    async def _write_batch(self) -> None:
        oldest = self._queue[0][0]
        self._in_hand_since.append(oldest)
        taken: list[tuple[float, Call]] = []
        try:
            while self._queue and len(taken) < BATCH_CALLS:
                some = [self._queue.popleft() for _ in range(min(_TAKE_CALLS, len(self._queue)))]
                taken += some
                self._in_hand += len(some)
                await asyncio.sleep(0)
            await self._commit([call for _, call in taken])
        except BaseException:
            self._queue.extendleft(reversed(taken))
            raise
        finally:
            self._in_hand -= len(taken)
            self._in_hand_since.remove(oldest)

    async def _replay_batch(self) -> None:
        """Commit the next lines of the oldest spool file; the file is deleted after its last line."""
        if not self._replay_lines and not await self._next_lines():
            return
        lines = self._replay_lines[: self._replayed_at_once]
        calls: list[Call] = []
        unreadable: list[tuple[str, str]] = []
        for index, line in enumerate(lines):
            try:
                calls.append(call_from_json(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                unreadable.append((line, repr(error)))
            if index % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
        least, most = _REPLAYED_CALLS
        try:
            await self._commit(calls)
        except WriterAway:
            self._replayed_at_once = max(least, len(lines) // 2)
            raise
        self._replayed_at_once = min(most, self._replayed_at_once * 5 // 4)
        for line, reason in unreadable:
            await self._set_aside(line, f"{self._replayed_file}: {reason}")
        self._spool.count_out(len(lines))
        self._replayed_calls += len(lines)
        del self._replay_lines[: len(lines)]

    def _read_again(self) -> None:
        """Begin the file once more: a reader that has failed says that nothing is left, and a call that is
        written twice is recorded once.
        """
        self._spool.count_in(self._replayed_calls)
        self._replayed, self._replay_lines, self._replayed_calls = None, [], 0

    async def _next_lines(self) -> bool:
        """Read the next lines of the spool; False when nothing is left in it."""
        if self._replayed is None:
            self._replayed_file = await self._on_disk(self._spool.oldest)
            if self._replayed_file is None:
                self._spool.count_out(self._spool.calls)
                return False
            self._replayed_calls = 0
            self._replayed = self._spool.read(self._replayed_file, _REPLAYED_CALLS[1])
        replayed = self._replayed
        self._replay_lines = await self._on_disk(lambda: next(replayed, []))
        self._unreadable.ended()
        if self._replay_lines:
            return True
        self._replayed = None
        assert self._replayed_file is not None
        path = self._replayed_file
        await self._on_disk(lambda: self._spool.remove(path))
        return False

    async def _commit(self, calls: Sequence[Call]) -> None:
        try:
            refused = await self._writer.write(calls, maybe_known=self._in_doubt)
        except WriterAway:
            self._in_doubt = True
            raise
        self._in_doubt = False
        self._note_back()
        self.written_total += len(calls) - len(refused)
        for one in refused:
            await self._set_aside_call(one)
        self._note_durable([call.call_id for call in calls])

    def _note_durable(self, call_ids: Sequence[str]) -> None:
        if call_ids:
            self._on_durable(call_ids)

    async def _set_aside_call(self, refused: Refused) -> None:
        await self._set_aside(call_json(refused.call), f"call {refused.call.call_id}: {refused.reason}")

    async def _set_aside(self, line: str, reason: str) -> None:
        self.failed_total += 1
        log.error("a call was set aside: PostgreSQL cannot hold it", reason=reason)
        try:
            await self._on_disk(lambda: self._spool.set_aside(line, reason))
        except OSError as error:
            log.critical("nor can the disk: the log is all there is of it", record=line, error=str(error))

    async def _spill_until_closed(self) -> None:
        while not self._closing.is_set():
            await pause(_WATCH_SECONDS, self._closing)
            since = self._away.since
            away = since is not None and time.monotonic() - since >= self._spool_after_seconds
            keep = 0 if away else self._memory_calls
            if len(self._queue) <= keep:
                continue
            try:
                await self._spill(keep)
                self._unwritable.ended(calls=self.backlog)
            except OSError as error:
                self._unwritable.failed(str(error), calls=self.backlog)

    async def _spill(self, keep: int) -> None:
        """Move the oldest calls from memory to the disk until `keep` are left."""
        while len(self._queue) > keep:
            taken = [self._queue.popleft() for _ in range(min(_SPILL_CALLS, len(self._queue) - keep))]
            self._in_hand += len(taken)
            oldest = taken[0][0]
            self._in_hand_since.append(oldest)
            try:
                lines: list[str] = []
                for _, call in taken:
                    lines.append(call_json(call))
                    if len(lines) % _SLICE == 0:
                        await asyncio.sleep(0)
                oldest_at = time.time() - (time.monotonic() - oldest)
                await self._on_disk(partial(self._spool.append, lines, oldest_at))
            except BaseException:
                self._queue.extendleft(reversed(taken))
                raise
            else:
                # Here and not in the thread: at no instant may these calls stand in both places.
                self._spool.count_in(len(taken))
                self._note_durable([call.call_id for _, call in taken])
            finally:
                self._in_hand -= len(taken)
                self._in_hand_since.remove(oldest)

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Do what blocks in a thread, one thing at a time, and to its end even when we are cancelled."""
        async with self._disk:
            task = asyncio.get_running_loop().run_in_executor(None, work)
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait([task])
                raise

    def _note_away(self, reason: str) -> None:
        self._away.failed(reason, calls=self.backlog)
        self.away_because = reason

    def _note_back(self) -> None:
        self._away.ended(calls=self.backlog)
        self.away_because = None
