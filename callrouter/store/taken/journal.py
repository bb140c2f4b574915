"""Messages that somebody takes by form: on this process's own disk before whoever took them is told that they are kept.

Each is on the disk with `fsync`, off the loop (`files`); from there it goes into PostgreSQL at once, or, while
that is away, as soon as it is back. What a process leaves that is killed, the next one takes over, and so does another
one that runs beside it. A message that is on disk twice, or there and in PostgreSQL, is kept once: by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from callrouter.errors import AnotherMessage, DatabaseUnreachable, NotKept, StoreError
from callrouter.logs import Outage
from callrouter.store.database import Database
from callrouter.store.messages import TakenMessage, find_message, keep_taken
from callrouter.store.taken.files import REFUSED, MessageFiles, line_of
from callrouter.store.taken.sameness import Kept, content_of, is_same
from callrouter.store.writing.soon import WrittenSoon
from callrouter.store.writing.writer import RowsRefused

log = structlog.get_logger(__name__)

T = TypeVar("T")

AT_ONCE_SECONDS: Final = 2.0
"""How long whoever takes a message waits for PostgreSQL once it is on the disk; where it is not, `ALONE_SECONDS`."""
ALONE_SECONDS: Final = 5.0
DISK_SECONDS: Final = 3.0
"""For the disk; one that takes longer fails."""
WRITE_SECONDS: Final = 10.0
"""For a batch; a PostgreSQL that takes longer is away."""
PAUSE_SECONDS: Final = 0.01
RETRY_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 5.0
"""How often it is looked for files whose process is gone."""
MOST_WAITING: Final = 20_000
"""Messages: a day of a large service. One has 64 KiB at most (`api.bodies`), as a rule less than one."""
MOST_BYTES: Final = 64_000_000
"""What those may take in memory, and on the disk."""
_BATCH: Final = 200


class _Waiting:
    """A message that is not known to be in PostgreSQL."""

    __slots__ = ("askers", "is_on_disk", "is_ready", "message", "size")

    def __init__(self, message: TakenMessage, *, is_on_disk: bool) -> None:
        self.message = message
        self.size = len(line_of(message))
        self.is_on_disk = is_on_disk
        self.is_ready = is_on_disk
        """Whether the disk has taken it, or refused it: not before is it written to PostgreSQL."""
        self.askers: list[asyncio.Future[Kept | None]] = []
        """Who waits for what becomes of it: as PostgreSQL has it; None: that does not answer now."""

    def kept_on_disk(self) -> None:
        """The disk has it."""
        self.is_on_disk = True

    def ready(self) -> None:
        """The disk has had its turn."""
        self.is_ready = True

    def tell(self, kept: Kept | None) -> None:
        """Those who wait hear it."""
        for asker in self._leaving():
            asker.set_result(kept)

    def fail(self, error: Exception) -> bool:
        """The same of what is never kept; whether anybody hears it."""
        leaving = self._leaving()
        for asker in leaving:
            asker.set_exception(error)
        return bool(leaving)

    def _leaving(self) -> list[asyncio.Future[Kept | None]]:
        leaving, self.askers = [one for one in self.askers if not one.done()], []
        return leaving


class MessageJournal:
    """One of each web process; `run` writes what waits, `look` takes over what others left."""

    def __init__(self, database: Database, folder: Path) -> None:
        """`folder` is that of the spool; it is made with the first message."""
        self._database = database
        self._files = MessageFiles(folder)
        # One thread: what is done to the files is done one after the other, and what was begun is ended.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="messages")
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0
        self._disk = Outage(log, "messages cannot be kept on disk", "messages are kept on disk again", level="critical")
        self._unreadable = Outage(
            log, "messages that another process left cannot be read", "messages left on disk are read again"
        )
        self.is_away = False
        """Whether PostgreSQL did not take what was to be written last."""
        self._soon = WrittenSoon(
            self.flush,
            Outage(log, "messages wait for PostgreSQL", "messages are in PostgreSQL again", level="warning"),
            waiting=lambda: len(self),
            pause_seconds=PAUSE_SECONDS,
            retry_seconds=RETRY_SECONDS,
        )

    def __len__(self) -> int:
        """How many wait for PostgreSQL, as far as this process knows."""
        return len(self._waiting)

    async def check(self) -> str | None:
        """What is wrong, as a sentence for /health; None: nothing."""
        said = [f"{len(self)} wait for PostgreSQL, which is away"] if self.is_away else []
        said += ["the disk takes none"] if self._disk.since is not None else []
        return "; ".join(said) or None

    def find(self, message_id: str) -> TakenMessage | None:
        """One that waits."""
        waiting = self._waiting.get(message_id)
        return waiting.message if waiting is not None else None

    async def take(self, message: TakenMessage) -> Kept | None:
        """Keep a message on disk and in PostgreSQL: as it stands there. None: on disk alone, PostgreSQL is away.

        Raises:
            AnotherMessage: its id is that of another one, which stays as it is.
            NotKept: neither the disk nor PostgreSQL takes it, or too many wait.
            RowsRefused: PostgreSQL cannot hold it; it is set aside.
        """
        waiting = self._waiting.get(message.message_id)
        if waiting is None:
            waiting = await self._accept(message)
        elif content_of(waiting.message) != content_of(message):
            raise AnotherMessage(_another(message))
        self._soon.due()
        if waiting.is_on_disk and self.is_away:
            return None
        kept = await self._heard(waiting)
        if kept is None and not waiting.is_on_disk:
            if waiting.is_ready:  # otherwise whoever sent it first still waits for the disk
                self._drop([waiting])
            raise NotKept("neither the disk nor PostgreSQL takes messages now: this one is not kept, send it again")
        return kept

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        await self._soon.run()

    async def look(self) -> None:
        """Take over what processes that are gone have left, until cancelled."""
        while True:
            try:
                await self.take_over()
            except OSError as error:
                self._unreadable.failed(str(error))
            else:
                self._unreadable.ended()
            await asyncio.sleep(LOOK_SECONDS)

    async def take_over(self) -> int:
        """Take over what lies there of processes that are gone; how many messages that were.

        Raises:
            OSError: it cannot be read now.
        """
        found = await self._on_thread(self._files.left_behind)
        for message in found:
            if message.message_id not in self._waiting:
                self._remember(message, is_on_disk=True)
        if found:
            log.info("messages that another process left are taken over", messages=len(found))
            self._soon.due()
        return len(found)

    async def flush(self) -> None:
        """Bring into PostgreSQL what waits.

        Raises:
            StoreError: it does not take it now.
        """
        try:
            while batch := list(islice((one for one in self._waiting.values() if one.is_ready), _BATCH)):
                await self._write(batch)
        except StoreError:
            self.is_away = True
            for one in self._waiting.values():
                if one.is_ready:
                    one.tell(None)
            raise
        self.is_away = False

    async def close(self) -> None:
        """Write what waits, in a few seconds, and leave the rest on disk to the next process."""
        reason = await self._soon.close()
        if self._waiting:
            log.warning("messages wait on disk for the next start", waiting=len(self), reason=reason)
        try:
            async with asyncio.timeout(DISK_SECONDS):
                await self._on_thread(self._files.close)
        except TimeoutError:
            log.warning("the disk of messages does not answer")
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _accept(self, message: TakenMessage) -> _Waiting:
        waiting = self._remember(message, is_on_disk=False)
        if len(self._waiting) > MOST_WAITING or self._bytes > MOST_BYTES:
            self._drop([waiting])
            raise NotKept(
                f"{len(self)} messages wait for PostgreSQL, and there is no room for more: send it again later"
            )
        try:
            async with asyncio.timeout(DISK_SECONDS):
                await asyncio.shield(self._on_thread(partial(self._files.append, message)))
        except (OSError, TimeoutError) as error:
            self._disk.failed(str(error) or "it does not answer", waiting=len(self))
        except asyncio.CancelledError:  # nobody was told that it is kept; if it is on the disk, it is kept all the same
            self._drop([waiting])
            raise
        else:
            self._disk.ended()
            waiting.kept_on_disk()
        waiting.ready()
        return waiting

    async def _heard(self, waiting: _Waiting) -> Kept | None:
        """What PostgreSQL has of it; None: it does not answer in time. Raises what is said of one that is refused."""
        asker: asyncio.Future[Kept | None] = asyncio.get_running_loop().create_future()
        waiting.askers.append(asker)
        try:
            async with asyncio.timeout(AT_ONCE_SECONDS if waiting.is_on_disk else ALONE_SECONDS):
                return await asker
        except TimeoutError:
            return None

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        """Raises StoreError: PostgreSQL does not take them now."""
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await keep_taken(self._database, [one.message for one in batch])
                found = [await find_message(self._database, one.message.message_id) for one in batch]
        except TimeoutError:
            raise DatabaseUnreachable(f"PostgreSQL did not take messages within {WRITE_SECONDS:g} s") from None
        except (DBAPIError, RowsRefused) as error:
            if len(batch) > 1:  # the others are not to wait for the one that it cannot hold
                for one in batch:
                    await self._write([one])
                return
            reason = error.orig if isinstance(error, DBAPIError) else error
            await self._refuse(batch[0], RowsRefused(f"PostgreSQL cannot hold this message: {reason}"))
            return
        settled = []
        for one, kept in zip(batch, found, strict=True):
            if kept is not None and not is_same(one.message, kept):
                await self._refuse(one, AnotherMessage(_another(one.message)))
            else:
                one.tell(kept)
                settled.append(one)
        self._settle(settled)

    async def _refuse(self, one: _Waiting, error: RowsRefused | AnotherMessage) -> None:
        """It is never kept as it is: who waits for it hears that; one that is believed to be kept is set aside."""
        is_heard = one.fail(error)
        if not is_heard or isinstance(error, RowsRefused):
            message = one.message
            try:
                async with asyncio.timeout(DISK_SECONDS):
                    await asyncio.shield(self._on_thread(partial(self._files.set_aside, message)))
            except (OSError, TimeoutError) as disk:  # its line stays where it is, for the next start
                self._disk.failed(str(disk) or "it does not answer", waiting=len(self))
                self._drop([one])
                return
            about = {"message_id": message.message_id, "client": message.client, "reason": str(error)}
            log.error("a message cannot be recorded, and is set aside", file=REFUSED, **about)
        self._settle([one])

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        """There is nothing to be done for these any more; a disk that hangs keeps no other from PostgreSQL."""
        self._drop(batch)
        forgotten = self._on_thread(partial(self._files.forget, {one.message.message_id for one in batch}))
        forgotten.add_done_callback(self._on_forgotten)

    def _on_forgotten(self, forgotten: asyncio.Future[None]) -> None:
        if not forgotten.cancelled() and (error := forgotten.exception()) is not None:
            self._disk.failed(str(error))

    def _remember(self, message: TakenMessage, *, is_on_disk: bool) -> _Waiting:
        waiting = self._waiting[message.message_id] = _Waiting(message, is_on_disk=is_on_disk)
        self._bytes += waiting.size
        return waiting

    def _drop(self, batch: Sequence[_Waiting]) -> None:
        for one in batch:
            if self._waiting.get(one.message.message_id) is one:
                del self._waiting[one.message.message_id]
                self._bytes -= one.size

    def _on_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)


def _another(message: TakenMessage) -> str:
    return f"message {message.message_id} is another one, which stays as it is: give each message an id of its own"
